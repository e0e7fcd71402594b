/** Opens a store whose settings have to be asked for: the profile's region, and whether acceleration is worth it. */
import { chooseAccelerated } from '../accelerate.js';
import type { S3Config } from './config.js';
import { chainEndpoint, chainRegion } from './credentials.js';
import { createS3Store, type S3Deps, type S3Store } from './store.js';

export interface OpenedS3Store {
  store: S3Store;
  /** What `accelerate: auto` chose and why; absent when it had nothing to choose. */
  acceleration?: string;
}

/**
 * As `createS3Store`, after region and endpoint were looked up in the AWS chain (when the config names none and uses
 * the chain) and, for `accelerate: auto`, the accelerated endpoint was measured against the plain one.
 */
export async function openS3Store(config: S3Config, bucket: string, deps: S3Deps): Promise<OpenedS3Store> {
  const chain = config.access_key_id === undefined;
  const region = config.region ?? (chain ? await chainRegion(config.profile) : undefined);
  const endpoint = chainEndpoint(config);
  const plain: S3Config = { ...config, endpoint, region, accelerate: config.accelerate === 'on' ? 'on' : 'off' };
  const store = createS3Store(plain, bucket, deps);
  if (config.accelerate !== 'auto') return { store };
  if (bucket.includes('.')) return { store, acceleration: 'off: the bucket name has dots' };
  return chooseAccelerated(store, createS3Store({ ...plain, accelerate: 'on' }, bucket, deps));
}
