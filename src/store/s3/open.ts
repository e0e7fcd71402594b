/** Opens a store after it has read the AWS environment and, if requested, measured acceleration. */
import { chooseAccelerated } from '../accelerate.js';
import type { Resources, StoreConnection } from '../backend.js';
import { isArn } from './access-point.js';
import type { S3Config } from './config.js';
import { type CredentialSource, credentialSource } from './credentials.js';
import { readCustomerKey } from './customer-key.js';
import { completeConfig } from './environment.js';
import { createS3Store, type S3Deps, type S3Store } from './store.js';

export interface OpenedS3Store {
  store: S3Store;
  /** What `accelerate: auto` chose and why; absent when there was no choice. */
  acceleration?: string;
}

/** A remote with all that the environment adds. */
export interface Prepared {
  config: S3Config;
  credentials: CredentialSource;
  connection: StoreConnection;
}

/**
 * Reads the AWS environment, if the remote uses it, the files of the connection, and the customer's key.
 * @throws config: see `completeConfig`, `openConnection` and `readCustomerKey`
 */
export async function prepare(
  given: S3Config,
  { env, connect }: Pick<Resources, 'env' | 'connect'>,
): Promise<Prepared> {
  const { config: completed, caBundle, stsRegion } = await completeConfig(given, env);
  const customerKey = await readCustomerKey(given, env);
  const config: S3Config = customerKey ? { ...completed, customerKey } : completed;
  const connection = await connect({ ...config, ca_bundle: caBundle });
  const chain = config.access_key_id === undefined;
  // Static keys need no SDK, and so no agents.
  const means = chain ? { region: stsRegion, requestHandler: await connection.agents() } : {};
  return { config, credentials: credentialSource(config, env, means), connection };
}

/** Like `createS3Store`, and for `accelerate: auto` compares the accelerated endpoint with the plain one. */
export async function openS3Store(config: S3Config, bucket: string, deps: S3Deps): Promise<OpenedS3Store> {
  if (config.accelerate !== 'auto') return { store: createS3Store(config, bucket, deps) };
  const store = createS3Store({ ...config, accelerate: 'off' }, bucket, deps);
  if (bucket.includes('.')) return { store, acceleration: 'off: the bucket name has dots' };
  if (isArn(bucket)) return { store, acceleration: 'off: access points have none' };
  return chooseAccelerated(store, createS3Store({ ...config, accelerate: 'on' }, bucket, deps));
}
