/** Two independent ways to one server must tell the same: whatever differs is a fault of one of them. */
import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { md5 } from '../../../src/hash/index.js';
import { HttpTransport } from '../../../src/store/http/transport.js';
import type { ObjectStore, PutOptions } from '../../../src/store/port.js';
import { s3ConfigSchema } from '../../../src/store/s3/config.js';
import { createS3SdkStore } from '../../../src/store/s3/sdk.js';
import { createS3Store } from '../../../src/store/s3/store.js';
import { bytes, pattern } from '../../contract/context.js';
import { KEYS } from '../../contract/keys.js';
import { startServer } from '../../support/server/index.js';

/** Metadata that is packed fits; these 4,000 characters do not become fewer. */
const INCOMPRESSIBLE = createHash('shake256', { outputLength: 3000 }).update('metadata').digest('base64');

const server = await startServer();
const transport = new HttpTransport({ userAgent: 'xsync-test' });
const { endpoint, region, accessKeyId, secretAccessKey } = server.s3;
const keys = { access_key_id: accessKeyId, secret_access_key: secretAccessKey };
const config = s3ConfigSchema.parse({ type: 's3', provider: 'aws', endpoint, region, ...keys });
const lean = createS3Store(config, 'photos', { transport });
const sdk = createS3SdkStore(config, 'photos');
await lean.createBucket();
afterAll(async () => {
  await sdk.close();
  await transport.close();
  await server.close();
});

/** What a call gives on both, times of writing and request ids aside. */
async function both(call: (store: ObjectStore) => Promise<unknown>): Promise<[unknown, unknown]> {
  const [ofLean, ofSdk] = [await told(call(lean)), await told(call(sdk))];
  return [ofLean, ofSdk];
}

async function told(work: Promise<unknown>): Promise<unknown> {
  const result = await work.catch((error: Error) => ({ ...error, message: error.message, cause: undefined }));
  const dull = (name: string, value: unknown) => (['mtimeMs', 'requestId'].includes(name) ? undefined : value);
  return JSON.parse(JSON.stringify(result ?? null, dull));
}

const ATTRIBUTES: Record<string, PutOptions> = {
  none: {},
  'every header': {
    headers: {
      contentType: 'text/plain; charset="utf-8"',
      contentEncoding: 'gzip',
      contentDisposition: 'attachment; filename="naïve 漢字.txt"',
      contentLanguage: 'zh-CN, en',
      cacheControl: 'no-cache, max-age=0',
      expires: 'Thu, 01 Dec 1994 16:00:00 GMT',
    },
  },
  'an Expires that is no date': { headers: { expires: '0' } },
  'metadata of all sorts': {
    metadata: {
      plain: 'value',
      'under_score.dot': 'a  b',
      unicode: '漢字 😀 é',
      word: '=?UTF-8?B?YQ==?=',
      edges: ' blank ',
      latin1: 'é',
      empty: '',
    },
  },
  'a storage class': { storageClass: 'STANDARD_IA' },
};

describe('lean and SDK agree', () => {
  it.each(Object.entries(KEYS))('on an object called: %s', async (_name, key) => {
    const [a, b] = await both(async (store) => [
      await store.put(key, bytes('some bytes'), { contentMd5: md5(bytes('some bytes')) }),
      await lean.head(key),
      await sdk.head(key),
      await store.read(key, new Uint8Array(4), { offset: 2 }),
      await store.list({ prefix: key }),
      await store.copy(store, key, 'copies/x'),
      await store.delete([key, 'copies/x']),
    ]);
    expect(b).toEqual(a);
  });

  it.each(Object.entries(ATTRIBUTES))('on what is kept of: %s', async (_name, attributes) => {
    const [a, b] = await both(async (store) => {
      const { uploadId } = await store.createUpload('m', attributes);
      const { etag } = await store.uploadPart({ key: 'm', uploadId }, 1, bytes('part'));
      return [
        await store.put('a', bytes('some bytes'), attributes),
        await lean.head('a'),
        await sdk.head('a'),
        await store.listParts({ key: 'm', uploadId }),
        await store.completeUpload({ key: 'm', uploadId }, [{ partNumber: 1, etag }]),
        await lean.head('m'),
        await sdk.head('m'),
        await store.copy(store, 'm', 'c', { headers: {}, metadata: { other: 'ü' } }),
        await lean.head('c'),
      ];
    });
    expect(b).toEqual(a);
  });

  it('on bytes, whether sent whole or paced in pieces', async () => {
    const body = pattern(1_000_003);
    for (const pace of [undefined, () => Promise.resolve()]) {
      const [a, b] = await both((store) => store.put('large', body, { pace }));
      expect(b).toEqual(a);
      const target = new Uint8Array(body.length);
      await sdk.read('large', target, { pace });
      expect(md5(target)).toBe(md5(body));
    }
  });

  it.each<[string, (store: ObjectStore) => Promise<unknown>]>([
    ['a missing object', (store) => store.head('nope')],
    ['a missing object read', (store) => store.read('nope', new Uint8Array(1))],
    ['a missing source', (store) => store.copy(store, 'nope', 'b')],
    ['a missing upload', (store) => store.listParts({ key: 'a', uploadId: 'nope' })],
    ['another version', (store) => store.read('large', new Uint8Array(1), { ifMatch: 'nope' })],
    ['a range beyond the end', (store) => store.read('large', new Uint8Array(1), { offset: 2_000_000 })],
    ['a body unlike its MD5', (store) => store.put('a', bytes('a'), { contentMd5: md5(bytes('b')) })],
    ['too much metadata', (store) => store.put('a', bytes('a'), { metadata: { a: INCOMPRESSIBLE } })],
    ['a storage class of no store', (store) => store.put('a', bytes('a'), { storageClass: 'SHINY' })],
    ['a key too long', (store) => store.put('k'.repeat(1025), bytes('a'))],
    ['parts that are not there', (store) => completed(store)],
  ])('on a refusal: %s', async (_name, call) => {
    const [a, b] = await both(call);
    expect(a).toHaveProperty('code');
    expect(b).toEqual(a);
  });
});

async function completed(store: ObjectStore): Promise<unknown> {
  const upload = await store.createUpload('m');
  return store.completeUpload(upload, [{ partNumber: 1, etag: 'nope' }]);
}
