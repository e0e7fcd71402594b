import fc from 'fast-check';
import { XMLParser } from 'fast-xml-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../support/server/index.js';
import { byteOrder } from '../support/server/keys.js';
import { oss, s3 } from './wire.js';

/** UTF-16 order would put the emoji before the full-width tilde. */
const KEYS = ['a', 'a b', 'a/1', 'a/2', 'a+b', 'b/x/1', 'b/y', 'é', '～', '😀', 'ctrl\u0001'];
const SORTED = [...KEYS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ oss: { pathStyle: true } });
  for (const store of [server.core.s3, server.core.oss]) {
    store.createBucket('bucket');
    for (const key of KEYS) store.put('bucket', key, key);
  }
});

afterAll(async () => {
  expect(server.bugs).toEqual([]);
  await server.close();
});

it('keys are ordered by their bytes, as the services do and JavaScript does not', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      expect(Math.sign(byteOrder(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});

interface Page {
  IsTruncated: string;
  NextContinuationToken?: string;
  NextMarker?: string;
  Contents?: { Key: string }[];
  CommonPrefixes?: { Prefix: string }[];
}

const parser = new XMLParser({
  parseTagValue: false,
  trimValues: false,
  htmlEntities: true,
  isArray: (name) => name === 'Contents' || name === 'CommonPrefixes',
});

type Ask = (query: Record<string, string>) => Promise<{ text: string }>;

const ASK: [string, Ask, (text: string) => string][] = [
  ['S3', (query) => s3(server, { path: '/bucket/', query }), (text) => decodeURIComponent(text.replaceAll('+', ' '))],
  ['OSS', (query) => oss(server, { bucket: 'bucket', query }), decodeURIComponent],
];

async function page(ask: Ask, query: Record<string, string>): Promise<Page> {
  return (parser.parse((await ask(query)).text) as { ListBucketResult: Page }).ListBucketResult;
}

describe.each(ASK)('a listing of %s', (name, ask, decode) => {
  const tokenOf = (listed: Page) =>
    listed.NextContinuationToken && name === 'OSS'
      ? decode(listed.NextContinuationToken)
      : listed.NextContinuationToken;

  it.each(['1', '3', '1000'])('gives every key once, in byte order, in pages of %s', async (size) => {
    const seen: string[] = [];
    let token: string | undefined;
    do {
      const query = { 'list-type': '2', 'max-keys': size, 'encoding-type': 'url' };
      const listed = await page(ask, token ? { ...query, 'continuation-token': token } : query);
      seen.push(...(listed.Contents ?? []).map((object) => decode(object.Key)));
      token = tokenOf(listed);
      expect(listed.IsTruncated).toBe(String(token !== undefined));
    } while (token);
    expect(seen).toEqual(SORTED);
  });

  it('encodes keys as the service does, so that a client must decode them', async () => {
    const listed = await page(ask, { 'list-type': '2', 'encoding-type': 'url', prefix: 'a' });
    const keys = (listed.Contents ?? []).map((object) => object.Key);
    expect(keys).toEqual(
      name === 'S3' ? ['a', 'a+b', 'a%2Bb', 'a/1', 'a/2'] : ['a', 'a%20b', 'a%2Bb', 'a%2F1', 'a%2F2'],
    );
  });

  it('escapes what XML cannot hold when no encoding is asked for', async () => {
    const { text } = await ask({ 'list-type': '2', prefix: 'ctrl' });
    expect(text).toContain('<Key>ctrl&#x1;</Key>');
  });

  it('rolls folders up, each once, across pages of one', async () => {
    const seen: string[] = [];
    let token: string | undefined;
    do {
      const query = { 'list-type': '2', 'max-keys': '1', delimiter: '/' };
      const listed = await page(ask, token ? { ...query, 'continuation-token': token } : query);
      seen.push(...(listed.CommonPrefixes ?? []).map((prefix) => prefix.Prefix));
      token = tokenOf(listed);
    } while (token);
    expect(seen).toEqual(['a/', 'b/']);
  });

  it('starts after a key, and ends where the prefix ends', async () => {
    const listed = await page(ask, { 'list-type': '2', 'start-after': 'a/1', prefix: 'a/' });
    expect((listed.Contents ?? []).map((object) => object.Key)).toEqual(['a/2']);
  });

  it('of version 1 goes on from its marker', async () => {
    const first = await page(ask, { 'max-keys': '2' });
    const last = first.Contents?.at(-1)?.Key ?? '';
    const second = await page(ask, { 'max-keys': '2', marker: first.NextMarker ?? last });
    const keys = [...(first.Contents ?? []), ...(second.Contents ?? [])].map((object) => object.Key);
    expect(keys).toEqual(SORTED.slice(0, 4));
  });
});

it('OSS gives 100 keys unless asked for more, S3 1000', async () => {
  for (const store of [server.core.s3, server.core.oss]) {
    store.createBucket('many');
    for (let i = 0; i < 1200; i++) store.put('many', `k${i}`, '');
  }
  const count = async (text: Promise<{ text: string }>) => (await text).text.match(/<Contents>/g)?.length;
  expect(await count(oss(server, { bucket: 'many', query: { 'list-type': '2' } }))).toBe(100);
  expect(await count(s3(server, { path: '/many/', query: { 'list-type': '2' } }))).toBe(1000);
});

it('keys that come and go while a listing runs do not repeat or hide others', async () => {
  const { s3: store } = server.core;
  store.createBucket('moving');
  for (const key of ['a', 'b', 'c', 'd']) store.put('moving', key, '');
  const query = { 'list-type': '2', 'max-keys': '2' };
  const ask: Ask = (more) => s3(server, { path: '/moving/', query: { ...query, ...more } });
  const first = await page(ask, {});
  store.delete('moving', 'b');
  store.put('moving', 'aa', '');
  store.put('moving', 'cc', '');
  store.delete('moving', 'd');
  store.put('moving', 'd', 'back');
  store.put('moving', 'c', 'again');
  const second = await page(ask, { 'continuation-token': first.NextContinuationToken ?? '' });
  expect(second.Contents?.map((object) => object.Key)).toEqual(['c', 'cc']);
  expect(store.list('moving').map((object) => object.key)).toEqual(['a', 'aa', 'c', 'cc', 'd']);
});

it('versions come in pages without repeating or losing one', async () => {
  const { s3: store } = server.core;
  store.createBucket('versions', { versioning: 'Enabled' });
  for (const key of ['a', 'b']) for (const body of ['1', '2', '3']) store.put('versions', key, body);
  store.delete('versions', 'b');
  const ids: string[] = [];
  let markers: Record<string, string> = {};
  for (;;) {
    const { text } = await s3(server, { path: '/versions/', query: { versions: '', 'max-keys': '2', ...markers } });
    ids.push(...[...text.matchAll(/<VersionId>(.*?)</g)].map((match) => match[1] ?? ''));
    const key = /<NextKeyMarker>(.*?)</.exec(text)?.[1];
    if (!key) break;
    markers = { 'key-marker': key, 'version-id-marker': /<NextVersionIdMarker>(.*?)</.exec(text)?.[1] ?? '' };
  }
  const expected = ['a', 'b'].flatMap((key) =>
    store
      .bucket('versions')
      .versionsOf(key)
      .map((v) => v.versionId),
  );
  expect(ids).toEqual(expected);
});
