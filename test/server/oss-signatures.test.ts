import OSS from 'ali-oss';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../support/server/index.js';
import { oss, ossMessage, send, tamper } from './wire.js';

const KEY = "a b/ü+(1)'*~/é&=?#%.txt";

/** What ali-oss can do beyond what its type definitions say. */
type Client = Omit<OSS, 'completeMultipartUpload'> & {
  signatureUrlV4(method: string, expires: number, request: object | undefined, name: string): Promise<string>;
  completeMultipartUpload(
    name: string,
    id: string,
    parts: { number: number; etag: string }[],
  ): Promise<{ res: OSS.NormalSuccessResponse & { headers: Record<string, string> } }>;
};

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ oss: { pathStyle: true } });
  server.core.oss.createBucket('bucket');
  server.core.oss.put('bucket', 'plain.txt', 'plain');
});

afterAll(async () => {
  expect(server.bugs).toEqual([]);
  await server.close();
});

function client(v4: boolean, endpoint = server.oss.endpoint): Client {
  const { accessKeyId, accessKeySecret, region } = server.oss;
  const options = { accessKeyId, accessKeySecret, region: `oss-${region}`, endpoint, bucket: 'bucket' };
  return new OSS({ ...options, authorizationV4: v4, headerEncoding: 'latin1' } as OSS.Options) as unknown as Client;
}

const host = () => new URL(server.oss.endpoint).host;

describe.each([
  ['V1', false],
  ['V4', true],
])('ali-oss signing with %s', (_name, v4) => {
  it('can put, read, list and delete a key with every awkward character', async () => {
    const sdk = client(v4);
    const meta = { who: 'mé' } as unknown as OSS.UserMeta;
    await sdk.put(KEY, Buffer.from('123456789'), { meta, headers: { 'Content-Type': 'x/y' } });
    const got = await sdk.get(KEY);
    expect(String(got.content)).toBe('123456789');
    expect(got.res).toMatchObject({
      headers: {
        etag: '"25F9E794323B453885F5181F1B624D0B"',
        'x-oss-hash-crc64ecma': '11051210869376104954',
        'content-type': 'x/y',
        'x-oss-meta-who': Buffer.from('mé').toString('latin1'),
      },
    });
    const listed = await sdk.listV2({ prefix: 'a b/', 'max-keys': '10' } as OSS.ListV2ObjectsQuery, {});
    expect(listed.objects.map((object) => object.name)).toEqual([KEY]);
    expect((await sdk.deleteMulti([KEY], {})).deleted).toEqual([{ Key: KEY }]);
    await expect(sdk.head(KEY)).rejects.toMatchObject({ status: 404, code: 'NoSuchKey' });
  });

  it('can follow a continuation token', async () => {
    const sdk = client(v4);
    for (const key of ['p/1', 'p/2']) server.core.oss.put('bucket', key, '');
    const query = { prefix: 'p/', 'max-keys': '1' } as OSS.ListV2ObjectsQuery;
    const first = await sdk.listV2({ ...query }, {});
    const token = (first as unknown as { nextContinuationToken: string }).nextContinuationToken;
    const second = await sdk.listV2({ ...query, 'continuation-token': token }, {});
    const objects = [...first.objects, ...second.objects];
    expect(objects.map((object) => object.name)).toEqual(['p/1', 'p/2']);
  });

  it('can upload in parts with gaps, and sees the CRC of the whole', async () => {
    const sdk = client(v4);
    const { uploadId } = await sdk.initMultipartUpload('parts');
    const bodies: [number, Buffer][] = [
      [2, Buffer.alloc(102_400)],
      [7, Buffer.from('123456789')],
    ];
    const parts = [];
    for (const [number, body] of bodies) {
      const part = await sdk.uploadPart('parts', uploadId, number, body, 0, body.byteLength);
      parts.push({ number, etag: String((part as { etag: string }).etag) });
    }
    const done = await sdk.completeMultipartUpload('parts', uploadId, parts);
    const whole = server.core.oss.put('bucket', 'whole', Buffer.concat(bodies.map(([, body]) => body)));
    expect(done.res.headers['x-oss-hash-crc64ecma']).toBe(whole.crc64ecma);
    const head = await sdk.head('parts');
    expect(head.res).toMatchObject({ headers: { 'x-oss-object-type': 'Multipart' } });
    expect(head.res).toHaveProperty('headers.etag', expect.stringMatching(/^"[0-9A-F]{32}-2"$/));
  });
});

/** ali-oss makes no URL for an IP address, so the URL is made for `bucket.localhost` and sent with that Host. */
const localhost = () => server.oss.endpoint.replace('127.0.0.1', 'localhost');

describe('a signed URL', () => {
  it.each([
    ['V1', () => Promise.resolve(client(false, localhost()).signatureUrl('plain.txt', { expires: 60 }))],
    ['V4', () => client(true, localhost()).signatureUrlV4('GET', 60, undefined, 'plain.txt')],
  ])('of %s reads the object, and nothing else once it is changed', async (version, sign) => {
    const url = new URL(await sign());
    const message = { method: 'GET', target: url.pathname + url.search, headers: { host: url.host } };
    expect(url.hostname).toBe('bucket.localhost');
    expect(await send(server.oss.endpoint, message)).toMatchObject({ status: 200, text: 'plain' });
    const other = { ...message, target: message.target.replace('/plain', '/pl%61in2') };
    expect(await send(server.oss.endpoint, other)).toMatchObject({ code: 'SignatureDoesNotMatch' });
    const longer = message.target.replace(/(x-oss-expires=|Expires=)\d+/, version === 'V4' ? '$19999' : '$14102444800');
    expect(await send(server.oss.endpoint, { ...message, target: longer })).toMatchObject({
      code: 'SignatureDoesNotMatch',
    });
    server.clockOffsetMs = 120_000;
    expect(await send(server.oss.endpoint, message)).toMatchObject({ status: 403, code: 'AccessDenied' });
    server.clockOffsetMs = 0;
  });
});

describe('a V4 request is refused when', () => {
  const put = () =>
    ossMessage(server, {
      method: 'PUT',
      bucket: 'bucket',
      key: 'k',
      body: 'body',
      headers: { 'content-type': 'text/plain', 'x-oss-meta-a': 'b' },
      additional: ['host'],
    });

  it('nothing of it changed it passes, so that the refusals below mean something', async () => {
    expect(await send(server.oss.endpoint, put())).toMatchObject({ status: 200 });
  });

  it('a byte of its signature, a signed header, the key or the query changed', async () => {
    const forged = put();
    forged.headers.authorization = tamper(forged.headers.authorization ?? '', -1);
    const header = put();
    header.headers['x-oss-meta-a'] = 'c';
    const type = put();
    type.headers['content-type'] = 'text/html';
    const additional = put();
    additional.headers.host = `localhost:${host().split(':')[1]}`;
    const added = put();
    added.headers['x-oss-object-acl'] = 'public-read';
    const key = { ...put(), target: '/bucket/j' };
    const query = { ...put(), target: '/bucket/k?acl' };
    for (const message of [forged, header, type, additional, added, key, query]) {
      expect(await send(server.oss.endpoint, message)).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
    }
  });

  it.each([
    ['its key id is unknown', { accessKeyId: 'LTAINOBODY' }, 403, 'InvalidAccessKeyId'],
    ['its secret is wrong', { accessKeySecret: 'wrong' }, 403, 'SignatureDoesNotMatch'],
    ['its region is wrong', { region: 'cn-beijing' }, 400, 'InvalidArgument'],
    ['it is 16 minutes old', { date: new Date(Date.now() - 16 * 60_000) }, 403, 'RequestTimeTooSkewed'],
  ])('%s', async (_name, signer, status, code) => {
    expect(await oss(server, { bucket: 'bucket', key: 'plain.txt', signer })).toMatchObject({ status, code });
  });

  it('it has no signature at all', async () => {
    const message = { method: 'GET', target: '/bucket/plain.txt', headers: { host: host() } };
    expect(await send(server.oss.endpoint, message)).toMatchObject({ status: 403, code: 'AccessDenied' });
  });
});

it('V1 is refused by a server whose accounts no longer have it', async () => {
  const modern = await startServer({ oss: { allowV1: false, pathStyle: true } });
  modern.core.oss.createBucket('bucket');
  await expect(client(false, modern.oss.endpoint).head('plain.txt')).rejects.toMatchObject({ status: 400 });
  await modern.close();
});

it('a token of STS works until its end, and the refusal then says that it expired', async () => {
  const temporary = await startServer({
    oss: { pathStyle: true, securityToken: 'token', expiresAtMs: Date.now() + 60_000 },
  });
  temporary.core.oss.createBucket('bucket');
  const ask = (token?: string) =>
    oss(temporary, { bucket: 'bucket', ...(token ? { headers: { 'x-oss-security-token': token } } : {}) });
  expect(await ask('token')).toMatchObject({ status: 200 });
  expect(await ask('other')).toMatchObject({ code: 'InvalidSecurityToken' });
  expect(await ask()).toMatchObject({ code: 'InvalidAccessKeyId' });
  temporary.clockOffsetMs = 120_000;
  expect(await ask('token')).toMatchObject({ status: 403, code: 'SecurityTokenExpired' });
  await temporary.close();
});
