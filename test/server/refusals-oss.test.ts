import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../support/server/index.js';
import { type OssInput, oss, ossMessage, send } from './wire.js';

const KB = 1024;
const bucket = 'bucket';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ oss: { maxPutSize: 1024 * KB, pathStyle: true } });
  const { oss: store } = server.core;
  store.createBucket('bucket');
  store.createBucket('elsewhere', { region: 'cn-beijing' });
  store.createBucket('foreign', { owner: 'somebody' });
  store.createBucket('versions', { versioning: 'Enabled' });
  store.put('bucket', 'ten', '0123456789');
  store.put('bucket', 'frozen', 'ice', { storageClass: 'Archive' });
});

afterAll(async () => {
  expect(server.bugs).toEqual([]);
  await server.close();
});

const md5 = (text: string) => createHash('md5').update(text).digest('base64');

async function upload(key: string, parts: [number, Buffer][]): Promise<{ id: string; etags: string[] }> {
  const created = await oss(server, { method: 'POST', bucket, key, query: { uploads: null } });
  const id = /<UploadId>(.*?)</.exec(created.text)?.[1] ?? '';
  const etags: string[] = [];
  for (const [n, body] of parts) {
    const query = { partNumber: String(n), uploadId: id };
    etags.push(String((await oss(server, { method: 'PUT', bucket, key, query, body })).headers.etag));
  }
  return { id, etags };
}

function complete(key: string, uploadId: string, parts: [number, string][], headers: Record<string, string> = {}) {
  const xml = parts.map(([n, etag]) => `<Part><PartNumber>${n}</PartNumber><ETag>${etag}</ETag></Part>`).join('');
  const body = `<CompleteMultipartUpload>${xml}</CompleteMultipartUpload>`;
  return oss(server, { method: 'POST', bucket, key, query: { uploadId }, body, headers });
}

describe('OSS refuses, so that a client that would fail there fails here', () => {
  it.each<[string, OssInput, number, string | undefined]>([
    ['a bucket that is not there', { bucket: 'nowhere', key: 'k' }, 404, 'NoSuchBucket'],
    ['a key that is not there', { bucket, key: 'none' }, 404, 'NoSuchKey'],
    ['a bucket of another region', { bucket: 'elsewhere', key: 'k' }, 403, 'AccessDenied'],
    ['a bucket of another owner', { bucket: 'foreign', key: 'k' }, 403, 'AccessDenied'],
    ['a key of 1024 bytes', { method: 'PUT', bucket, key: 'k'.repeat(1024) }, 400, 'InvalidObjectName'],
    ['a key that starts with a slash', { method: 'PUT', bucket, key: '/k' }, 400, 'InvalidObjectName'],
    ['a key that starts with a backslash', { method: 'PUT', bucket, key: '\\k' }, 400, 'InvalidObjectName'],
    [
      'a body over the limit',
      { method: 'PUT', bucket, key: 'k', body: Buffer.alloc(1024 * KB + 1) },
      400,
      'EntityTooLarge',
    ],
    [
      'metadata over 8 KB',
      { method: 'PUT', bucket, key: 'k', headers: { 'x-oss-meta-a': 'm'.repeat(8192) } },
      400,
      'MetadataTooLarge',
    ],
    [
      'a metadata name with an underscore',
      { method: 'PUT', bucket, key: 'k', headers: { 'x-oss-meta-a_b': 'm' } },
      400,
      'InvalidArgument',
    ],
    [
      'an ACL that does not exist',
      { method: 'PUT', bucket, key: 'k', headers: { 'x-oss-object-acl': 'everybody' } },
      400,
      'InvalidArgument',
    ],
    [
      'a Content-MD5 of other bytes',
      { method: 'PUT', bucket, key: 'k', body: 'a', headers: { 'content-md5': md5('b') } },
      400,
      'InvalidDigest',
    ],
    [
      'an overwrite that the client forbade',
      { method: 'PUT', bucket, key: 'ten', headers: { 'x-oss-forbid-overwrite': 'true' } },
      409,
      'FileAlreadyExists',
    ],
    [
      'a condition on a write',
      { method: 'PUT', bucket, key: 'k', headers: { 'if-none-match': '*' } },
      400,
      'NotImplemented',
    ],
    ['a read that If-Match forbids', { bucket, key: 'ten', headers: { 'if-match': '"0"' } }, 412, 'PreconditionFailed'],
    ['reading an archived object', { bucket, key: 'frozen' }, 403, 'InvalidObjectState'],
    [
      'an upload that is not there',
      { method: 'PUT', bucket, key: 'k', query: { partNumber: '1', uploadId: 'X' } },
      404,
      'NoSuchUpload',
    ],
    [
      'pages of more than 1000 keys',
      { bucket, query: { 'list-type': '2', 'max-keys': '1001' } },
      400,
      'InvalidArgument',
    ],
    [
      'a range beyond the end, when asked for the standard',
      { bucket, key: 'ten', headers: { range: 'bytes=10-', 'x-oss-range-behavior': 'standard' } },
      416,
      'InvalidRange',
    ],
    [
      'a copy whose source changed',
      {
        method: 'PUT',
        bucket,
        key: 'k',
        headers: { 'x-oss-copy-source': '/bucket/ten', 'x-oss-copy-source-if-match': '"0"' },
      },
      412,
      'PreconditionFailed',
    ],
  ])('%s', async (_name, input, status, code) => {
    const answer = await oss(server, input);
    expect({ status: answer.status, code: answer.code }).toEqual({ status, code });
  });

  it.each(['a\x04b', 'a\0b', 'a\x7fb'])('a control character in a header (%j)', async (value) => {
    const { hostname, port } = new URL(server.oss.endpoint);
    const socket = connect(Number(port), hostname);
    socket.end(
      `PUT /bucket/k HTTP/1.1\r\nHost: ${hostname}:${port}\r\nx-oss-meta-a: ${value}\r\ncontent-length: 0\r\n\r\n`,
    );
    expect(await text(socket)).toMatch(/^HTTP\/1.1 400 /);
  });

  it('a deletion of many without Content-MD5', async () => {
    const body = '<Delete><Object><Key>k</Key></Object></Delete>';
    const post = { method: 'POST', bucket, query: { delete: null }, body };
    expect(await oss(server, post)).toMatchObject({ status: 400, code: 'MissingArgument' });
    expect(await oss(server, { ...post, headers: { 'content-md5': md5(body) } })).toMatchObject({ status: 200 });
  });

  it('to complete an upload with parts too small, out of order, unknown or mistaken', async () => {
    const { id, etags } = await upload('bad', [
      [1, Buffer.alloc(5)],
      [9, Buffer.alloc(6)],
    ]);
    const [first = '', second = ''] = etags;
    expect(
      await complete('bad', id, [
        [1, first],
        [9, second],
      ]),
    ).toMatchObject({ status: 400, code: 'EntityTooSmall' });
    expect(
      await complete('bad', id, [
        [9, second],
        [1, first],
      ]),
    ).toMatchObject({ code: 'InvalidPartOrder' });
    expect(await complete('bad', id, [[2, second]])).toMatchObject({ code: 'InvalidPart' });
    expect(await complete('bad', id, [[9, second]])).toMatchObject({ status: 200 });
    expect(await complete('bad', id, [[9, second]])).toMatchObject({ status: 404, code: 'NoSuchUpload' });
  });
});

describe('OSS answers as Alibaba Cloud does', () => {
  it('a HEAD error with its XML in a header, since there is no body', async () => {
    const answer = await oss(server, { method: 'HEAD', bucket, key: 'none' });
    const xml = Buffer.from(String(answer.headers['x-oss-err']), 'base64').toString();
    expect(answer).toMatchObject({ status: 404, text: '' });
    expect(xml).toContain('<Code>NoSuchKey</Code>');
  });

  it('the right endpoint for a bucket of another region', async () => {
    const answer = await oss(server, { bucket: 'elsewhere' });
    expect(answer.text).toContain('<Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint>');
  });

  it('all of an object to a range that reaches beyond its end', async () => {
    const range = (value: string) => oss(server, { bucket, key: 'ten', headers: { range: value } });
    expect(await range('bytes=2-4')).toMatchObject({ status: 206, text: '234' });
    expect(await range('bytes=8-100')).toMatchObject({ status: 200, text: '0123456789' });
    expect(await range('bytes=10-')).toMatchObject({ status: 200, text: '0123456789' });
  });

  it("the whole object's CRC to a ranged read", async () => {
    const answer = await oss(server, { bucket, key: 'ten', headers: { range: 'bytes=0-0' } });
    expect(answer.headers['x-oss-hash-crc64ecma']).toBe(server.core.oss.get(bucket, 'ten')?.crc64ecma);
  });

  it('parts in pages, each with its CRC', async () => {
    const { id } = await upload('paged', [
      [1, Buffer.from('123456789')],
      [4, Buffer.from('a')],
      [5, Buffer.from('b')],
    ]);
    const page = async (marker: string) =>
      (
        await oss(server, {
          bucket,
          key: 'paged',
          query: { uploadId: id, 'max-parts': '2', 'part-number-marker': marker },
        })
      ).text;
    expect(await page('0')).toContain('<HashCrc64ecma>11051210869376104954</HashCrc64ecma>');
    expect(await page('0')).toContain('<NextPartNumberMarker>4</NextPartNumberMarker>');
    expect(await page('4')).toContain('<IsTruncated>false</IsTruncated>');
    const uploads = await oss(server, { bucket, query: { uploads: null, prefix: 'pag' } });
    expect(uploads.text).toContain(`<UploadId>${id}</UploadId>`);
  });

  it('a body of unknown length', async () => {
    const message = ossMessage(server, { method: 'PUT', bucket, key: 'chunked', body: 'in chunks' });
    delete message.headers['content-length'];
    message.headers['transfer-encoding'] = 'chunked';
    expect(await send(server.oss.endpoint, message)).toMatchObject({ status: 200 });
    expect(String(server.core.oss.read(bucket, 'chunked'))).toBe('in chunks');
  });

  it('overwrites in a bucket with versions, whatever forbid-overwrite says', async () => {
    const put = { method: 'PUT', bucket: 'versions', key: 'k', headers: { 'x-oss-forbid-overwrite': 'true' } };
    expect(await oss(server, { ...put, body: 'one' })).toMatchObject({ status: 200 });
    const second = await oss(server, { ...put, body: 'two' });
    expect(second.status).toBe(200);
    expect(second.headers['x-oss-version-id']).toMatch(/./);
  });

  it('versions and delete markers, the newest first', async () => {
    const { oss: store } = server.core;
    store.put('versions', 'marked', 'old');
    const gone = await oss(server, { method: 'DELETE', bucket: 'versions', key: 'marked' });
    expect(gone.headers['x-oss-delete-marker']).toBe('true');
    const query = { versions: null, prefix: 'marked' };
    const { text } = await oss(server, { bucket: 'versions', query });
    expect(text.match(/<(Version|DeleteMarker|IsLatest)>[a-z]*/g)).toEqual([
      '<DeleteMarker>',
      '<IsLatest>true',
      '<Version>',
      '<IsLatest>false',
    ]);
  });

  it('appends and symlinks under their own types', async () => {
    const append = (position: string, body: string) =>
      oss(server, { method: 'POST', bucket, key: 'log', query: { append: null, position }, body });
    expect((await append('0', 'one')).headers['x-oss-next-append-position']).toBe('3');
    expect(await append('0', 'two')).toMatchObject({ status: 409, code: 'PositionNotEqualToLength' });
    await append('3', 'two');
    const log = await oss(server, { bucket, key: 'log' });
    expect([log.text, log.headers['x-oss-object-type']]).toEqual(['onetwo', 'Appendable']);
    const headers = { 'x-oss-symlink-target': 'ten' };
    await oss(server, { method: 'PUT', bucket, key: 'link', query: { symlink: null }, headers });
    const link = await oss(server, { bucket, key: 'link' });
    expect([link.text, link.headers['x-oss-object-type']]).toEqual(['0123456789', 'Symlink']);
  });

  it('the region and the owner of a bucket', async () => {
    expect((await oss(server, { bucket, query: { bucketInfo: null } })).text).toContain('<Location>oss-cn-hangzhou<');
    expect((await oss(server, { bucket, query: { location: null } })).text).toContain('oss-cn-hangzhou');
  });

  it('copies with their CRC, and the same ETag as a plain source', async () => {
    const headers = { 'x-oss-copy-source': '/bucket/ten' };
    const copied = await oss(server, { method: 'PUT', bucket, key: 'copy', headers });
    expect(copied.text).toContain('781E5E245D69B566979B86E28D23F2C7');
    expect(server.core.oss.get(bucket, 'copy')?.crc64ecma).toBe(server.core.oss.get(bucket, 'ten')?.crc64ecma);
  });
});
