/** Opens a store whose settings have to be asked for: the profile's region, and whether acceleration is worth it. */
import { performance } from 'node:perf_hooks';
import { isXsyncError } from '../../model/error.js';
import type { S3Config } from './config.js';
import { chainRegion } from './credentials.js';
import { createS3Store, type S3Deps, type S3Store } from './store.js';

/** How many times each endpoint is asked; the fastest answer counts, since the first one opens the connection. */
const PROBES = 3;

export interface OpenedS3Store {
  store: S3Store;
  /** What `accelerate: auto` chose and why; absent when it had nothing to choose. */
  acceleration?: string;
}

/**
 * As `createS3Store`, after the region was looked up in the AWS chain (when the config names none and uses the chain)
 * and, for `accelerate: auto`, the accelerated endpoint was measured against the plain one with a few small GETs of a key
 * that need not exist.
 */
export async function openS3Store(config: S3Config, bucket: string, deps: S3Deps): Promise<OpenedS3Store> {
  const chain = config.access_key_id === undefined;
  const region = config.region ?? (chain ? await chainRegion(config.profile) : undefined);
  const plain: S3Config = { ...config, region, accelerate: config.accelerate === 'on' ? 'on' : 'off' };
  const store = createS3Store(plain, bucket, deps);
  if (config.accelerate !== 'auto') return { store };
  if (bucket.includes('.')) return { store, acceleration: 'off: the bucket name has dots' };
  const fast = createS3Store({ ...plain, accelerate: 'on' }, bucket, deps);
  const [plainMs, fastMs] = [await probe(store), await probe(fast)];
  if (typeof fastMs === 'string') return { store, acceleration: `off: ${fastMs}` };
  if (typeof plainMs === 'string' || fastMs >= plainMs)
    return { store, acceleration: 'off: it is not faster from here' };
  return { store: fast, acceleration: `on: ${Math.round(fastMs)} ms a request against ${Math.round(plainMs)}` };
}

/** Milliseconds of the fastest answer over the data endpoint, or why there was none. */
async function probe(store: S3Store): Promise<number | string> {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < PROBES; i++) {
    const start = performance.now();
    try {
      await store.read('.xsync-probe', new Uint8Array(1));
    } catch (error) {
      // No such key, or an empty one: answered all the same.
      if (!isXsyncError(error, 'object-not-found', 'access-denied', 'truncated', 'invalid-response')) {
        return error instanceof Error ? error.message : String(error);
      }
    }
    best = Math.min(best, performance.now() - start);
  }
  return best;
}
