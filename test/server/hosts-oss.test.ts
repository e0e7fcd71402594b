/** The hosts that the OSS side answers, and what its objects and listings tell. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startServer, type TestServer } from '../support/server/index.js';
import { ossMessage, send } from './wire.js';

let server: TestServer;
let origin: string;

beforeAll(async () => {
  server = await startServer({ oss: { cnames: { 'img.example.com': 'photos' }, publicEndpointForbidden: true } });
  origin = server.oss.endpoint.replace('oss.test', '127.0.0.1');
  server.core.oss.createBucket('photos');
  server.core.oss.put('photos', 'k', 'bytes');
});
afterAll(() => server.close());

/** A GET with this Host, signed as `/photos/KEY`; in path style, the bucket is in the path. */
async function get(host: string, key = 'k', query?: Record<string, string>, inPath = false) {
  const message = ossMessage(server, { bucket: 'photos', key, ...(query && { query }) });
  const target = inPath ? message.target : message.target.replace('/photos/', '/');
  return send(origin, { ...message, target, headers: { ...message.headers, host } });
}

it.each([
  ['a bucket in the path', '127.0.0.1', true, 403, 'SecondLevelDomainForbidden'],
  ['data over the public endpoint', 'photos.oss-cn-hangzhou.aliyuncs.com', false, 400, 'PublicEndpointForbidden'],
  ['a domain that is mapped to no bucket', 'new.example.com', false, 403, 'SignatureDoesNotMatch'],
])('refuses %s', async (_what, host, inPath, status, code) => {
  const answer = await get(host, 'k', undefined, inPath);
  expect([answer.status, answer.code]).toEqual([status, code]);
});

it.each(['img.example.com', 'photos.oss-cn-hangzhou-internal.aliyuncs.com', 'photos.oss-accelerate.aliyuncs.com'])(
  'serves the bucket at %s',
  async (host) => {
    expect(await get(host)).toMatchObject({ status: 200, text: 'bytes' });
  },
);

it('ETags of PostObject and KMS look like an MD5 and are none; only CRC-64 tells', async () => {
  const plain = server.core.oss.put('photos', 'plain', 'bytes');
  const opaque = [{ via: 'PostObject' }, { encryption: { method: 'KMS' } }, { encryption: { method: 'SM4' } }] as const;
  for (const input of opaque) {
    const key = JSON.stringify(input);
    const object = server.core.oss.put('photos', key, 'bytes', input);
    expect(object.etag).toMatch(/^[0-9A-F]{32}$/);
    expect(object.etag).not.toBe(plain.etag);
    expect(object).toMatchObject({ type: 'Normal', crc64ecma: plain.crc64ecma });
    const { headers } = await get('img.example.com', key);
    expect(headers['content-md5']).toBeUndefined();
    expect(headers['x-oss-server-side-encryption']).toBe('encryption' in input ? input.encryption.method : undefined);
  }
});

it('a listing tells which archived objects can be read for a while', async () => {
  const frozen = server.core.oss.put('photos', 'frozen', 'bytes', { storageClass: 'Archive' });
  const list = async () => (await get('img.example.com', '', { 'list-type': '2', prefix: 'frozen' })).text;
  expect(await list()).not.toContain('RestoreInfo');
  frozen.restored = true;
  expect(await list()).toMatch(/<RestoreInfo>ongoing-request=.+false.+, expiry-date=.+GMT.*<\/RestoreInfo>/);
});
