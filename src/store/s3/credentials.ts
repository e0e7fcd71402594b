/** Credentials from the config, or from the default provider chain of the AWS SDK. */
import { createHash } from 'node:crypto';
import { XsyncError } from '../../model/error.js';
import { originOf, type S3Config } from './config.js';
import { loadSdk } from './sdk-load.js';
import type { Credentials } from './sign.js';

/** Credentials are refreshed this long before they expire, so that a request signed now is still valid on arrival. */
const REFRESH_BEFORE_MS = 5 * 60_000;

export interface CredentialSource {
  /** Credentials that are valid for the next minutes; no promise when they are cached. */
  get(nowMs: number): Credentials | Promise<Credentials>;
  /** The store reported expired credentials: fetch new ones next time. False when there is nothing to fetch. */
  expire(): boolean;
  /** Identifies the account without revealing a secret: 12 hex digits. */
  readonly fingerprint: string;
}

/** The source for a config. `AWS_PROFILE` and similar variables are read from `env` only to identify the account. */
export function credentialSource(config: S3Config, env: NodeJS.ProcessEnv = process.env): CredentialSource {
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey } = config;
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    const credentials = { accessKeyId, secretAccessKey, sessionToken: config.session_token };
    return { get: () => credentials, expire: () => false, fingerprint: fingerprint(accessKeyId) };
  }
  const keyId = config.profile === undefined && env.AWS_PROFILE === undefined ? env.AWS_ACCESS_KEY_ID : undefined;
  // The keys of a role change every hour. Its profile does not.
  const name = keyId ?? `profile ${config.profile ?? env.AWS_PROFILE ?? 'default'}`;
  return new ChainSource(() => chain(config.profile), fingerprint(name));
}

/** Credentials that are fetched on first use and again before they expire. Concurrent callers share one fetch. */
export class ChainSource implements CredentialSource {
  readonly fingerprint: string;
  readonly #fetch: () => Promise<Credentials>;
  #current: Credentials | undefined;
  #pending: Promise<Credentials> | undefined;

  constructor(fetch: () => Promise<Credentials>, name: string) {
    this.#fetch = fetch;
    this.fingerprint = name;
  }

  get(nowMs: number): Credentials | Promise<Credentials> {
    const current = this.#current;
    if (current && (current.expiresMs === undefined || current.expiresMs - nowMs > REFRESH_BEFORE_MS)) return current;
    this.#pending ??= this.#renew(nowMs).finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  expire(): boolean {
    this.#current = undefined;
    return true;
  }

  async #renew(nowMs: number): Promise<Credentials> {
    try {
      this.#current = await this.#fetch();
    } catch (cause) {
      const current = this.#current;
      // The refresh failed, but the current credentials have not expired.
      if (current?.expiresMs !== undefined && current.expiresMs > nowMs) return current;
      throw new XsyncError('bad-credentials', 'the AWS credential chain returned no credentials', {
        remedy: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, log in (aws sso login), or name a profile.',
        cause,
      });
    }
    return this.#current;
  }
}

function fingerprint(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 12);
}

/** Uses a new client each time, because the SDK's provider caches credentials. */
async function chain(profile: string | undefined): Promise<Credentials> {
  const { S3Client } = await loadSdk();
  const client = new S3Client({ profile, region: 'us-east-1' });
  try {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = await client.config.credentials();
    return { accessKeyId, secretAccessKey, sessionToken, expiresMs: expiration?.getTime() };
  } finally {
    client.destroy();
  }
}

/** The region that the environment or the shared AWS config names; undefined when neither does. */
export async function chainRegion(profile: string | undefined): Promise<string | undefined> {
  const { S3Client } = await loadSdk();
  const client = new S3Client({ profile });
  try {
    return await client.config.region();
  } catch {
    // The SDK throws when no source names a region.
    return undefined;
  } finally {
    client.destroy();
  }
}

/**
 * The endpoint that the AWS environment names for S3, as for the AWS CLI and SDKs. Undefined for remotes that set an
 * endpoint, a provider, keys or acceleration.
 * @throws config: when the endpoint is not an origin
 */
export function chainEndpoint(config: S3Config, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const { endpoint, provider, access_key_id: accessKeyId, accelerate } = config;
  if (endpoint !== undefined || provider !== undefined || accessKeyId !== undefined || accelerate !== 'off') {
    return endpoint;
  }
  if (env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS?.toLowerCase() === 'true') return undefined;
  const name = env.AWS_ENDPOINT_URL_S3 ? 'AWS_ENDPOINT_URL_S3' : 'AWS_ENDPOINT_URL';
  const given = env[name] || undefined;
  if (given !== undefined && originOf(given) === undefined) {
    throw new XsyncError('config', `${name} is not an origin such as https://s3.example.com`, { subject: given });
  }
  return given;
}
