/** Empty places of every kind of store: buckets of the strict servers, a folder, and memory. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { createLocalStore } from '../../../src/store/local/store.js';
import { MemoryStore } from '../../../src/store/memory/store.js';
import { ossConfigSchema } from '../../../src/store/oss/config.js';
import { createOssStore } from '../../../src/store/oss/store.js';
import type { ObjectStore } from '../../../src/store/port.js';
import { s3ConfigSchema } from '../../../src/store/s3/config.js';
import { createS3Store } from '../../../src/store/s3/store.js';
import { type BucketOptions, startServer, type TestServer } from '../../support/server/index.js';

export const KINDS = ['s3', 'oss', 'local', 'memory'] as const;
export type Kind = (typeof KINDS)[number];

export interface Where {
  kind: Kind;
  store: ObjectStore;
  /** The bucket, or the folder. */
  name: string;
}

export class Places {
  readonly server: TestServer;
  readonly #transport = new HttpTransport({ userAgent: 'xsync-test' });
  readonly #folders: string[] = [];
  #made = 0;

  private constructor(server: TestServer) {
    this.server = server;
  }

  static async start(): Promise<Places> {
    return new Places(await startServer({ s3: { minPartSize: 100 * 1024 } }));
  }

  async open(kind: Kind, options: BucketOptions = {}): Promise<Where> {
    const name = `bucket-${++this.#made}`;
    if (kind === 's3') return { kind, name, store: this.#s3(name, options) };
    if (kind === 'oss') return { kind, name, store: this.#oss(name, options) };
    if (kind === 'memory') {
      const capabilities = { local: false, keepsMtime: false, minPartSize: 1024 };
      return { kind, name, store: new MemoryStore({ bucket: name, endpoint: name, capabilities }) };
    }
    const root = await mkdtemp(join(tmpdir(), 'xsync-fidelity-'));
    this.#folders.push(root);
    return { kind, name: root, store: createLocalStore({ root }) };
  }

  #s3(name: string, options: BucketOptions): ObjectStore {
    const { endpoint, region, accessKeyId, secretAccessKey } = this.server.s3;
    const keys = { access_key_id: accessKeyId, secret_access_key: secretAccessKey };
    const at = { endpoint, region, force_path_style: true };
    this.server.core.s3.createBucket(name, options);
    const config = s3ConfigSchema.parse({ type: 's3', provider: 'aws', ...at, ...keys });
    const store = createS3Store(config, name, { transport: this.#transport });
    Object.assign(store.capabilities, { minPartSize: 100 * 1024 });
    return store;
  }

  #oss(name: string, options: BucketOptions): ObjectStore {
    const { endpoint, region, accessKeyId, accessKeySecret } = this.server.oss;
    const keys = { access_key_id: accessKeyId, secret_access_key: accessKeySecret };
    this.server.core.oss.createBucket(name, options);
    return createOssStore(ossConfigSchema.parse({ type: 'oss', endpoint, region, ...keys }), name, {
      transport: this.#transport,
    });
  }

  async close(): Promise<void> {
    await this.#transport.close();
    await this.server.close();
    for (const folder of this.#folders.splice(0)) await rm(folder, { recursive: true, force: true });
  }
}
