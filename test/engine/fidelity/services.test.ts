/** Copies between strict servers of both services: what arrives, what is refused, and what it costs. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runPair } from '../../../src/engine/run.js';
import { md5 } from '../../../src/hash/index.js';
import { openManifest } from '../../../src/manifest/sqlite/open.js';
import type { Tags } from '../../../src/model/attributes.js';
import type { CarryPolicy } from '../../../src/model/carry-policy.js';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { ossConfigSchema } from '../../../src/store/oss/config.js';
import { createOssStore } from '../../../src/store/oss/store.js';
import type { ObjectStore } from '../../../src/store/port.js';
import { s3ConfigSchema } from '../../../src/store/s3/config.js';
import { createS3Store } from '../../../src/store/s3/store.js';
import { type BucketOptions, startServer, type TestServer } from '../../support/server/index.js';
import { bytesOf, contentOf, OPTIONS, side } from '../support.js';

const ALL: CarryPolicy = { metadata: true, tags: true, acl: true, lock: true, fidelity: 'warn' };
const UNTIL = Date.UTC(2099, 0, 1);
const TAGS: Tags = [
  { key: 'a b', value: 'c+d' },
  { key: 'x', value: '' },
];

let server: TestServer;
let transport: HttpTransport;
let buckets = 0;

beforeAll(async () => {
  server = await startServer();
  transport = new HttpTransport({ userAgent: 'xsync-test' });
});
afterAll(async () => {
  await transport.close();
  await server.close();
});

function s3(options: BucketOptions = {}, provider = 'aws'): ObjectStore {
  const { endpoint, region, accessKeyId, secretAccessKey } = server.s3;
  const keys = { access_key_id: accessKeyId, secret_access_key: secretAccessKey };
  const config = s3ConfigSchema.parse({
    type: 's3',
    provider,
    force_path_style: true,
    endpoint,
    region,
    ...keys,
  });
  const name = `bucket-${++buckets}`;
  server.core.s3.createBucket(name, options);
  return createS3Store(config, name, { transport });
}

function oss(options: BucketOptions = {}): ObjectStore {
  const { endpoint, region, accessKeyId, accessKeySecret } = server.oss;
  const keys = { access_key_id: accessKeyId, secret_access_key: accessKeySecret };
  const name = `bucket-${++buckets}`;
  server.core.oss.createBucket(name, options);
  return createOssStore(ossConfigSchema.parse({ type: 'oss', endpoint, region, ...keys }), name, { transport });
}

async function copy(from: ObjectStore, to: ObjectStore, carry: CarryPolicy = ALL, partSize?: number) {
  const place = ({ identity: { kind, endpoint, bucket } }: ObjectStore) => ({ kind, endpoint, bucket, prefix: '' });
  const manifest = openManifest(':memory:', { source: place(from), dest: place(to) });
  const sides = { source: side(from, '', 'from'), dest: side(to, '', 'to') };
  try {
    return await runPair(
      { ...sides, manifest, settings: 'x', single: false },
      { ...OPTIONS, carry, partSize },
      () => {},
    );
  } finally {
    manifest.close();
  }
}

describe.each([
  ['S3', 'OSS', s3, oss],
  ['OSS', 'S3', oss, s3],
])('%s to %s and back', (_from, _to, from, to) => {
  test('gives back what went in: headers, metadata, tags, ACL and lock', async () => {
    const lock = { mode: 'COMPLIANCE', untilMs: UNTIL } as const;
    const headers = {
      contentType: 'text/plain',
      cacheControl: 'no-cache',
      contentDisposition: 'attachment; filename="é"',
    };
    const metadata = { mtime: '1600000000.123', my_key: 'ü 中', 'a-x5f-b': ' padded ', word: '=?UTF-8?B?eA==?=' };
    const [first, middle, last] = [from({ objectLock: true }), to({ objectLock: true }), from({ objectLock: true })];
    await first.put('k', bytesOf('k', 10), {
      headers,
      metadata,
      tags: TAGS,
      acl: 'public-read',
      lock,
      contentMd5: md5(bytesOf('k', 10)),
    });
    expect((await copy(first, middle)).fidelity?.lost).toEqual({});
    expect((await copy(middle, last)).fidelity?.lost).toEqual({});
    expect(await last.head('k')).toMatchObject({ headers, metadata, lock, tagCount: 2 });
    expect(await last.getTags('k')).toEqual(TAGS);
    expect(await last.getAcl('k')).toBe('public-read');
    expect(await contentOf(last, 'k')).toEqual(Buffer.from(bytesOf('k', 10)));
  });
});

test('OSS to S3 and back gives back more metadata than S3 has room for, if it compresses', async () => {
  const metadata = Object.fromEntries(
    Array.from({ length: 80 }, (_, i) => [`entry-${i}`, `this is the text of entry ${i}`]),
  );
  const [first, middle, last] = [oss(), s3(), oss()];
  await first.put('k', bytesOf('k', 10), { metadata });
  expect((await copy(first, middle)).fidelity).toMatchObject({ mapped: { metadata: 1 }, lost: {} });
  await copy(middle, last);
  const { mtime, ...back } = (await last.head('k')).metadata;
  expect(back).toEqual(metadata);
  expect(mtime).toBeDefined();
});

test('an object with tags costs one request more, an ordinary one none, also in parts', async () => {
  const [from, to] = [s3(), oss()];
  await from.put('tagged', bytesOf('t', 10), { tags: TAGS });
  await from.put('plain', bytesOf('p', 10));
  await from.put('large', bytesOf('l', 300 * 1024), { tags: TAGS });
  const { traffic } = await copy(from, to, { ...ALL, acl: undefined }, 100 * 1024);
  expect(traffic.source.requests).toEqual({ list: 1, read: 5, getTags: 2 });
  expect(traffic.destination.requests).toEqual({ list: 1, put: 2, createUpload: 1, uploadPart: 3, completeUpload: 1 });
  expect(await to.getTags('large')).toEqual(TAGS);
});

describe('where the destination keeps no tags and ACLs', () => {
  test('nobody asks for them; responses tell that tags are lost', async () => {
    const [from, to] = [oss(), s3({}, 'r2')];
    await from.put('tagged', bytesOf('t', 10), { tags: TAGS, acl: 'public-read' });
    await from.put('plain', bytesOf('p', 10));
    for (const policy of [ALL, { ...ALL, tags: undefined, acl: undefined }]) {
      const { traffic, fidelity, copied } = await copy(from, to, policy);
      expect([copied.objects, traffic.source.requests]).toEqual([2, { list: 1, read: 2 }]);
      expect(fidelity?.list).toMatchObject([
        { key: 'tagged', lost: [{ attribute: 'tags', reason: 'the destination keeps none' }] },
      ]);
      await to.delete(['tagged', 'plain']);
    }
  });

  test('a strict copy asks for ACLs, since nothing else tells that one is lost', async () => {
    const [from, to] = [oss(), s3({}, 'r2')];
    await from.put('open', bytesOf('o', 10), { acl: 'public-read' });
    await from.put('plain', bytesOf('p', 10));
    const { traffic, failed, copied } = await copy(from, to, { ...ALL, fidelity: 'strict' });
    expect([copied.objects, traffic.source.requests]).toEqual([1, { list: 1, read: 2, getAcl: 2 }]);
    expect(failed.list).toMatchObject([{ key: 'open', code: 'attributes-lost' }]);
  });
});

describe('storage classes', () => {
  const classOf = async (store: ObjectStore, key: string) => (await store.head(key)).storageClass;
  const asked = (storageClass: string): CarryPolicy => ({ metadata: true, fidelity: 'warn', storageClass });

  test.each([
    ['S3', 'OSS', s3, oss, 'STANDARD_IA', 'IA'],
    ['OSS', 'S3', oss, s3, 'IA', 'STANDARD_IA'],
  ])('%s to %s: map finds the similar one, without a request', async (_from, _to, from, to, has, gets) => {
    const [source, dest] = [from(), to()];
    await source.put('a', bytesOf('a', 10), { storageClass: has });
    await source.put('large', bytesOf('l', 300 * 1024), { storageClass: has });
    await source.put('plain', bytesOf('p', 10));
    const partSize = _to === 'OSS' ? 100 * 1024 : undefined;
    const { fidelity, traffic } = await copy(source, dest, asked('map'), partSize);
    expect(fidelity).toMatchObject({ mapped: { 'storage-class': 2 }, lost: {} });
    expect(await Promise.all(['a', 'large', 'plain'].map((key) => classOf(dest, key)))).toEqual([
      gets,
      gets,
      undefined,
    ]);
    expect(Object.keys(traffic.source.requests)).toEqual(['list', 'read']);
  });

  test('keep from OSS to S3 loses a class whose name S3 does not know, and says so', async () => {
    const [from, to] = [oss(), s3()];
    await from.put('a', bytesOf('a', 10), { storageClass: 'IA' });
    const { fidelity } = await copy(from, to, asked('keep'));
    expect(fidelity?.list[0]?.lost.map(({ reason }) => reason)).toEqual([
      'the destination has no IA; --storage-class map finds a similar one',
    ]);
    expect(await classOf(to, 'a')).toBeUndefined();
    const strict = await copy(from, s3(), { ...asked('keep'), fidelity: 'strict' });
    expect(strict.failed.list).toMatchObject([{ key: 'a', code: 'attributes-lost' }]);
  });

  test.each([
    ['S3', s3],
    ['OSS', oss],
  ])('%s: one for all that the service refuses ends the run at once, with what to check', async (_name, to) => {
    const from = s3();
    await from.put('a', bytesOf('a', 10));
    const dest = to();
    await expect(copy(from, dest, asked('NO_SUCH_CLASS'))).rejects.toMatchObject({
      ...{ code: 'config', class: 'person', attribute: 'storage-class' },
      remedy: expect.stringContaining('--storage-class'),
    });
  });

  test('one that was carried over and is refused is lost, and the object is not', async () => {
    const [from, to] = [s3(), oss()];
    await from.put('a', bytesOf('a', 10), { storageClass: 'GLACIER_IR' });
    const { copied, fidelity, traffic } = await copy(from, to, { ...asked('map'), classes: { GLACIER_IR: 'New' } });
    expect(copied.objects).toBe(1);
    expect(fidelity).toMatchObject({ mapped: {}, lost: { 'storage-class': 1 } });
    expect(fidelity?.list[0]?.lost[0]?.reason).toMatch(/^refused: Invalid argument/);
    expect(traffic.destination.requests).toEqual({ list: 1, put: 2 });
  });
});

test('an upload in parts to OSS gets its ACL afterwards', async () => {
  const [from, to] = [s3(), oss()];
  await from.put('large', bytesOf('l', 300 * 1024), { acl: 'public-read' });
  const { traffic } = await copy(from, to, ALL, 100 * 1024);
  expect(traffic.destination.requests.putAcl).toBe(1);
  expect(await to.getAcl('large')).toBe('public-read');
});

describe('what a bucket refuses is left out, and told with the answer of the service', () => {
  test('ACLs where the owner of the bucket owns all objects', async () => {
    const [from, to] = [oss(), s3({ ownerEnforced: true })];
    for (const key of ['a', 'b']) await from.put(key, bytesOf(key, 10), { acl: 'public-read', tags: TAGS });
    const { copied, fidelity } = await copy(from, to);
    expect(copied.objects).toBe(2);
    expect(fidelity).toMatchObject({ kept: { tags: 2 }, lost: { acl: 2 } });
    expect(fidelity?.list[0]?.lost[0]?.reason).toMatch(/^refused: The bucket does not allow ACLs \(AccessControl/);
  });

  test('a redirect that is none', async () => {
    const [from, to] = [s3(), s3()];
    server.core.s3.put(from.identity.bucket, 'a', 'x', { redirect: 'elsewhere' });
    const { copied, fidelity } = await copy(from, to);
    expect([copied.objects, fidelity?.lost]).toEqual([1, { redirect: 1 }]);
    expect(fidelity?.list[0]?.lost[0]?.reason).toMatch(/^refused: The website redirect location must have a prefix/);
    const strict = await copy(from, s3(), { ...ALL, fidelity: 'strict' });
    expect(strict.failed.list).toMatchObject([{ key: 'a', code: 'attributes-lost', class: 'permanent' }]);
  });

  test('ACLs and locks, both at once', async () => {
    const [from, to] = [s3({ objectLock: true }), s3({ ownerEnforced: true })];
    const lock = { mode: 'COMPLIANCE', untilMs: UNTIL } as const;
    await from.put('a', bytesOf('a', 10), { acl: 'public-read', lock, tags: TAGS, contentMd5: md5(bytesOf('a', 10)) });
    const { copied, fidelity } = await copy(from, to);
    expect([copied.objects, fidelity]).toMatchObject([1, { kept: { tags: 1 }, lost: { acl: 1, lock: 1 } }]);
  });

  test('of a copy by the service, too', async () => {
    const [from, to] = [s3(), s3({ ownerEnforced: true })];
    await from.put('a', bytesOf('a', 10), { acl: 'public-read' });
    const { fidelity, verified } = await copy(from, to);
    expect(verified).toEqual({ server: 1 });
    expect(fidelity?.list[0]?.lost[0]?.reason).toMatch(/^refused: The bucket does not allow ACLs \(AccessControl/);
  });

  test.each([
    ['S3', s3],
    ['OSS', oss],
  ])('locks at %s where the bucket has no lock configuration', async (_name, to) => {
    const [from, dest] = [s3({ objectLock: true }), to()];
    await from.put('a', bytesOf('a', 10), {
      lock: { mode: 'COMPLIANCE', untilMs: UNTIL },
      contentMd5: md5(bytesOf('a', 10)),
    });
    expect((await copy(from, dest)).fidelity).toMatchObject({ lost: { lock: 1 }, objects: 1 });
    expect((await dest.head('a')).lock).toBeUndefined();
    const strict = await copy(from, to(), { ...ALL, fidelity: 'strict' });
    expect(strict.failed.list).toMatchObject([{ key: 'a', code: 'attributes-lost' }]);
  });
});

test('a bucket with a default retention takes copies of all sizes, and keeps longer locks of the source', async () => {
  const [from, to] = [oss({ objectLock: true }), s3({ objectLock: true })];
  const { bucket } = to.identity;
  server.core.s3.bucket(bucket).retention = { mode: 'GOVERNANCE', unit: 'Days', count: 1 };
  await from.put('small', bytesOf('s', 10));
  await from.put('large', bytesOf('l', 300 * 1024));
  await from.put('locked', bytesOf('k', 10), { lock: { mode: 'COMPLIANCE', untilMs: UNTIL } });
  const { copied, fidelity } = await copy(from, to, ALL, 100 * 1024);
  expect([copied.objects, fidelity?.kept]).toEqual([3, { lock: 1 }]);
  const modes = ['small', 'large', 'locked'].map((key) => server.core.s3.get(bucket, key)?.lock?.mode);
  expect(modes).toEqual(['GOVERNANCE', 'GOVERNANCE', 'COMPLIANCE']);
});

test('tags that OSS cannot spell are lost one by one', async () => {
  const [from, to] = [s3(), oss()];
  await from.put('a', bytesOf('a', 10), { tags: [...TAGS, { key: 'größe', value: '1' }, { key: 'm', value: 'a@b' }] });
  const { fidelity } = await copy(from, to);
  expect(fidelity?.list[0]?.lost.map(({ reason }) => reason)).toEqual([
    '"größe" has characters other than letters, digits, spaces and + - = . _ : /',
    '"m" has characters other than letters, digits, spaces and + - = . _ : /',
  ]);
  expect(await to.getTags('a')).toEqual(TAGS);
});
