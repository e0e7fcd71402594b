/** What the service encrypts is copied, verified and compared by what proves: its ETags look like MD5s and are none. */
import { afterAll, describe, expect, it } from 'vitest';
import type { RunOptions } from '../../src/engine/options.js';
import { runPair } from '../../src/engine/run.js';
import { IN_MEMORY, openManifest } from '../../src/manifest/sqlite/open.js';
import { HttpTransport } from '../../src/store/http/transport.js';
import { s3ConfigSchema } from '../../src/store/s3/config.js';
import { createS3Store } from '../../src/store/s3/store.js';
import { startServer } from '../support/server/index.js';
import { bytesOf, OPTIONS, side } from './support.js';

const transport = new HttpTransport({ userAgent: 'xsync-test' });
afterAll(() => transport.close());

const PART = 5 * 1024 * 1024;

/** Two buckets of two accounts of a store, with what their objects are encrypted with. */
async function pairOf(methods: { source?: string; dest?: string }, more: object = {}) {
  const server = await startServer({ s3: { defaultChecksum: false } });
  const { endpoint, region, accessKeyId: access_key_id, secretAccessKey: secret_access_key } = server.s3;
  const keys = { endpoint, region, access_key_id, secret_access_key };
  const config = s3ConfigSchema.parse({ type: 's3', force_path_style: true, ...keys, ...more });
  for (const [bucket, method] of [
    ['src', methods.source],
    ['dst', methods.dest],
  ] as const) {
    server.core.s3.createBucket(bucket, method === undefined ? {} : { encryption: { method } });
  }
  const open = (bucket: string) => createS3Store(config, bucket, { transport });
  const source = open('src');
  const dest = open('dst');
  Object.assign(dest, { copyableFrom: () => false });
  const known = freshManifest();
  const run = (options: Partial<RunOptions> = {}, manifest = known) => {
    const pair = { source: side(source, '', 't:src'), dest: side(dest, '', 't:dst'), manifest, settings: 'first' };
    return runPair({ ...pair, single: false }, { ...OPTIONS, ...options }, () => undefined);
  };
  return { server, source, dest, run };
}

function freshManifest() {
  return openManifest(IN_MEMORY, {
    source: { kind: 's3', endpoint: 'e', bucket: 'src', prefix: '' },
    dest: { kind: 's3', endpoint: 'e', bucket: 'dst', prefix: '' },
  });
}

/** An object in two parts of 5 MiB, whose composite ETag looks like that of a cut that everybody guesses. */
async function putInParts(store: ReturnType<typeof createS3Store>, key: string, body: Uint8Array): Promise<void> {
  const upload = await store.createUpload(key);
  const parts: { partNumber: number; etag: string }[] = [];
  for (let at = 0; at < body.byteLength; at += PART) {
    const partNumber = parts.length + 1;
    const { etag } = await store.uploadPart(upload, partNumber, body.subarray(at, at + PART));
    parts.push({ partNumber, etag });
  }
  await store.completeUpload(upload, parts);
}

describe.each([
  ['aws:kms', 'aws'],
  ['aws:kms', 'minio'],
  ['aws:kms', 'other'],
  ['aws:kms:dsse', 'aws'],
  ['aws:fsx', 'aws'],
])('objects under %s at %s', (method, provider) => {
  it('are copied, whether they were put at once or in parts', async () => {
    const { server, source, run } = await pairOf({ source: method }, { provider });
    const body = bytesOf('parts', PART + 1234);
    server.core.s3.put('src', 'whole', bytesOf('whole', 1000));
    await putInParts(source, 'parts', body);
    const summary = await run();
    expect(summary.failed.list).toEqual([]);
    expect(summary.copied.objects).toBe(2);
    expect(summary.verified).toEqual({ computed: 2 });
    expect(Buffer.compare(server.core.s3.read('dst', 'parts'), Buffer.from(body))).toBe(0);
    await server.close();
  });

  it('are verified by what was sent, as destinations', async () => {
    const { server, run } = await pairOf({ dest: method }, { provider });
    const body = bytesOf('parts', 2 * PART + 7);
    server.core.s3.put('src', 'whole', bytesOf('whole', 1000));
    server.core.s3.put('src', 'parts', body);
    const summary = await run({ partSize: PART });
    expect(summary.failed.list).toEqual([]);
    expect(summary.copied.objects).toBe(2);
    expect(Buffer.compare(server.core.s3.read('dst', 'parts'), Buffer.from(body))).toBe(0);
    await server.close();
  });

  it('and are the same on both sides are not copied again because their ETags differ', async () => {
    const { server, run } = await pairOf({ dest: method }, { provider });
    server.core.s3.put('src', 'whole', bytesOf('whole', 1000));
    await run();
    const again = await run({}, freshManifest());
    expect(again.copied.objects).toBe(0);
    await server.close();
  });
});
