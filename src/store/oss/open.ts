/** Opens a store after finding out whether acceleration is worth it. */
import { chooseAccelerated } from '../accelerate.js';
import type { OssConfig } from './config.js';
import { createOssStore, type OssDeps, type OssStore } from './store.js';

export interface OpenedOssStore {
  store: OssStore;
  /** What `accelerate: auto` chose and why; absent when it had nothing to choose. */
  acceleration?: string;
}

/** As `createOssStore`; for `accelerate: auto` the accelerated endpoint is measured against the plain one. */
export async function openOssStore(config: OssConfig, bucket: string, deps: OssDeps): Promise<OpenedOssStore> {
  const store = createOssStore(config, bucket, deps);
  if (config.accelerate !== 'auto') return { store };
  if (!store.identity.endpoint.endsWith('.aliyuncs.com')) {
    return { store, acceleration: 'off: the endpoint is not one of Alibaba Cloud' };
  }
  return chooseAccelerated(store, createOssStore({ ...config, accelerate: 'on' }, bucket, deps));
}
