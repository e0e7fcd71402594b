/** Opens a store after it has, if requested, measured acceleration. */
import { chooseAccelerated } from '../accelerate.js';
import type { OssConfig } from './config.js';
import { createOssStore, type OssDeps, type OssStore } from './store.js';

export interface OpenedOssStore {
  store: OssStore;
  /** What `accelerate: auto` chose and why; absent when there was no choice. */
  acceleration?: string;
}

/** Like `createOssStore`, but for `accelerate: auto` first compares the accelerated endpoint with the plain one. */
export async function openOssStore(config: OssConfig, bucket: string, deps: OssDeps): Promise<OpenedOssStore> {
  const store = createOssStore(config, bucket, deps);
  const { source } = store.client;
  if (config.accelerate !== 'auto') return { store };
  if (!store.identity.endpoint.endsWith('.aliyuncs.com')) {
    return { store, acceleration: 'off: the endpoint is not an Alibaba Cloud endpoint' };
  }
  return chooseAccelerated(store, createOssStore({ ...config, accelerate: 'on' }, bucket, { ...deps, source }));
}
