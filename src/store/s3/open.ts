/** Opens a store after it has looked up the profile's region and, if requested, measured acceleration. */
import { chooseAccelerated } from '../accelerate.js';
import type { S3Config } from './config.js';
import { chainEndpoint, chainRegion } from './credentials.js';
import { createS3Store, type S3Deps, type S3Store } from './store.js';

export interface OpenedS3Store {
  store: S3Store;
  /** What `accelerate: auto` chose and why; absent when there was no choice. */
  acceleration?: string;
}

/**
 * Like `createS3Store`, but first looks up region and endpoint in the AWS chain (when the config names none and uses
 * the chain) and, for `accelerate: auto`, compares the accelerated endpoint with the plain one.
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
