/**
 * A bucket through the AWS SDK: a reference for the lean store, slower and heavier. The SDK builds, signs and sends the
 * requests and parses the XML. Headers, metadata, checksums and errors are read as in the lean store, because the SDK
 * drops or changes some. sdk-client.ts lists the workarounds.
 * Tests: test/store/s3-sdk/contract.test.ts
 */
import { S3Bucket } from './bucket.js';
import type { S3Config } from './config.js';
import { type CredentialSource, credentialSource } from './credentials.js';
import { presetOf } from './presets.js';
import { SdkCalls } from './sdk-calls.js';
import { SdkClient, type SdkOptions } from './sdk-client.js';

export interface S3SdkDeps extends Partial<SdkOptions> {
  /** Identifies the account when the keys come from the AWS chain; default: the process's environment. */
  env?: NodeJS.ProcessEnv;
  /** Overrides the config. */
  credentials?: CredentialSource;
  /** Hears of each quirk that is noticed, once. */
  tell?: (message: string) => void;
}

/** Creates a store for one bucket; sends no request. `accelerate: auto` counts as off. @throws config: see `addressesOf` */
export function createS3SdkStore(config: S3Config, bucket: string, deps: S3SdkDeps = {}): S3SdkStore {
  const { connectTimeoutMs = 15_000, idleTimeoutMs = 60_000, env, agents, tell } = deps;
  const credentials = deps.credentials ?? credentialSource(config, env);
  const client = new SdkClient(config, bucket, credentials, { connectTimeoutMs, idleTimeoutMs, agents });
  return new S3SdkStore(config, bucket, client, { account: credentials.fingerprint, tell });
}

/** Like `createS3SdkStore`. `accelerate: auto` is off, and `acceleration` says so. @throws config: see `addressesOf` */
export function openS3SdkStore(
  config: S3Config,
  bucket: string,
  deps: S3SdkDeps = {},
): { store: S3SdkStore; acceleration?: string } {
  const store = createS3SdkStore(config, bucket, deps);
  return config.accelerate === 'auto' ? { store, acceleration: 'off: not measured with the SDK' } : { store };
}

export class S3SdkStore extends S3Bucket {
  readonly #client: SdkClient;

  constructor(
    config: S3Config,
    bucket: string,
    client: SdkClient,
    told: { account: string; tell?: (message: string) => void },
  ) {
    super(config, bucket, { calls: new SdkCalls(client, bucket, presetOf(config), config), ...told });
    this.#client = client;
  }

  override async close(): Promise<void> {
    this.#client.close();
  }
}
