import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../support/server/index.js';
import { type S3Input, s3, s3Message, send } from './wire.js';

const MiB = 1024 * 1024;

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ s3: { maxPutSize: 6 * MiB } });
  const { s3: store } = server.core;
  store.createBucket('bucket');
  store.createBucket('elsewhere', { region: 'eu-west-1' });
  store.createBucket('foreign', { owner: 'somebody' });
  store.createBucket('versions', { versioning: 'Enabled' });
  store.put('bucket', 'ten', '0123456789', { mtimeMs: Date.UTC(2024, 0, 1) });
  store.put('bucket', 'frozen', 'ice', { storageClass: 'GLACIER' });
});

afterAll(async () => {
  expect(server.bugs).toEqual([]);
  await server.close();
});

const md5 = (text: string) => createHash('md5').update(text).digest('base64');
const ETAG = '"781e5e245d69b566979b86e28d23f2c7"';

async function upload(key: string, sizes: number[]): Promise<{ id: string; etags: string[] }> {
  const created = await s3(server, { method: 'POST', path: `/bucket/${key}`, query: { uploads: '' } });
  const id = /<UploadId>(.*?)</.exec(created.text)?.[1] ?? '';
  const etags: string[] = [];
  for (const [i, size] of sizes.entries()) {
    const query = { partNumber: String(i + 1), uploadId: id };
    const part = await s3(server, { method: 'PUT', path: `/bucket/${key}`, query, body: Buffer.alloc(size, i) });
    etags.push(String(part.headers.etag));
  }
  return { id, etags };
}

function complete(key: string, uploadId: string, parts: [number, string][]) {
  const xml = parts.map(([n, etag]) => `<Part><PartNumber>${n}</PartNumber><ETag>${etag}</ETag></Part>`).join('');
  const body = `<CompleteMultipartUpload>${xml}</CompleteMultipartUpload>`;
  return s3(server, { method: 'POST', path: `/bucket/${key}`, query: { uploadId }, body });
}

describe('S3 refuses, so that a client that would fail at AWS fails here', () => {
  it.each<[string, S3Input, number, string | undefined]>([
    ['a bucket that is not there', { path: '/nowhere/k' }, 404, 'NoSuchBucket'],
    ['a key that is not there', { path: '/bucket/none' }, 404, 'NoSuchKey'],
    ['a bucket of another region', { path: '/elsewhere/k' }, 301, 'PermanentRedirect'],
    ['a bucket of another owner', { path: '/foreign/k' }, 403, 'AccessDenied'],
    ['a key of 1025 bytes', { method: 'PUT', path: `/bucket/${'k'.repeat(1025)}` }, 400, 'KeyTooLongError'],
    [
      'a body over the limit',
      { method: 'PUT', path: '/bucket/k', body: Buffer.alloc(6 * MiB + 1) },
      400,
      'EntityTooLarge',
    ],
    [
      'a redirect to neither a path nor an address',
      { method: 'PUT', path: '/bucket/k', headers: { 'x-amz-website-redirect-location': 'elsewhere' } },
      400,
      'InvalidRedirectLocation',
    ],
    [
      'a redirect of more than 2,048 characters',
      { method: 'PUT', path: '/bucket/k', headers: { 'x-amz-website-redirect-location': `/${'x'.repeat(2048)}` } },
      400,
      'InvalidRedirectLocation',
    ],
    [
      'metadata over 2 KB',
      { method: 'PUT', path: '/bucket/k', headers: { 'x-amz-meta-a': 'm'.repeat(2048) } },
      400,
      'MetadataTooLarge',
    ],
    [
      'a storage class that is none',
      { method: 'PUT', path: '/bucket/k', headers: { 'x-amz-storage-class': 'Archive' } },
      400,
      'InvalidStorageClass',
    ],
    [
      'a Content-MD5 of other bytes',
      { method: 'PUT', path: '/bucket/k', body: 'a', headers: { 'content-md5': md5('b') } },
      400,
      'BadDigest',
    ],
    [
      'a Content-MD5 that is none',
      { method: 'PUT', path: '/bucket/k', body: 'a', headers: { 'content-md5': 'abc' } },
      400,
      'InvalidDigest',
    ],
    [
      'a checksum of other bytes',
      { method: 'PUT', path: '/bucket/k', body: 'a', headers: { 'x-amz-checksum-crc32': 'AAAAAA==' } },
      400,
      'BadDigest',
    ],
    [
      'an overwrite that If-None-Match forbids',
      { method: 'PUT', path: '/bucket/ten', body: 'a', headers: { 'if-none-match': '*' } },
      412,
      'PreconditionFailed',
    ],
    [
      'a read that If-Match forbids',
      { path: '/bucket/ten', headers: { 'if-match': '"0"' } },
      412,
      'PreconditionFailed',
    ],
    [
      'a read by an ETag in capitals, which is another one',
      { path: '/bucket/ten', headers: { 'if-match': ETAG.toUpperCase() } },
      412,
      'PreconditionFailed',
    ],
    [
      'two kinds of encryption at once',
      {
        method: 'PUT',
        path: '/bucket/k',
        headers: {
          'x-amz-server-side-encryption': 'AES256',
          'x-amz-server-side-encryption-customer-algorithm': 'AES256',
        },
      },
      400,
      'InvalidArgument',
    ],
    [
      'a KMS key for another kind of encryption',
      {
        method: 'PUT',
        path: '/bucket/k',
        headers: { 'x-amz-server-side-encryption': 'AES256', 'x-amz-server-side-encryption-aws-kms-key-id': 'k' },
      },
      400,
      'InvalidArgument',
    ],
    [
      'a read of what changed since',
      { path: '/bucket/ten', headers: { 'if-unmodified-since': 'Sun, 31 Dec 2023 00:00:00 GMT' } },
      412,
      'PreconditionFailed',
    ],
    [
      'sending what the client has, by ETag',
      { path: '/bucket/ten', headers: { 'if-none-match': ETAG } },
      304,
      undefined,
    ],
    [
      'sending what the client has, by time',
      { path: '/bucket/ten', headers: { 'if-modified-since': 'Mon, 01 Jan 2024 00:00:00 GMT' } },
      304,
      undefined,
    ],
    ['a range beyond the end', { path: '/bucket/ten', headers: { range: 'bytes=10-' } }, 416, 'InvalidRange'],
    ['reading an archived object', { path: '/bucket/frozen' }, 403, 'InvalidObjectState'],
    [
      'an upload that is not there',
      { method: 'PUT', path: '/bucket/k', query: { partNumber: '1', uploadId: 'X' } },
      404,
      'NoSuchUpload',
    ],
    [
      'a listing with a foreign token',
      { path: '/bucket/', query: { 'list-type': '2', 'continuation-token': '1abc' } },
      400,
      'InvalidArgument',
    ],
    [
      'copying an object onto itself',
      { method: 'PUT', path: '/bucket/ten', headers: { 'x-amz-copy-source': '/bucket/ten' } },
      400,
      'InvalidRequest',
    ],
    [
      'a copy whose source changed',
      {
        method: 'PUT',
        path: '/bucket/k',
        headers: { 'x-amz-copy-source': '/bucket/ten', 'x-amz-copy-source-if-match': '"0"' },
      },
      412,
      'PreconditionFailed',
    ],
    ['a version that is not there', { path: '/bucket/ten', query: { versionId: 'none' } }, 404, 'NoSuchVersion'],
    ['what it does not know', { path: '/bucket/', query: { policy: '' } }, 501, 'NotImplemented'],
  ])('%s', async (_name, input, status, code) => {
    const answer = await s3(server, input);
    expect({ status: answer.status, code: answer.code }).toEqual({ status, code });
  });

  it('a PUT without a length', async () => {
    const message = await s3Message(server, { method: 'PUT', path: '/bucket/k', body: 'a' });
    delete message.headers['content-length'];
    const chunked = { ...message, headers: { ...message.headers, 'transfer-encoding': 'chunked' } };
    expect(await send(server.s3.endpoint, chunked)).toMatchObject({ status: 411, code: 'MissingContentLength' });
  });

  it('DeleteObjects without a checksum, with more than 1000 keys, or with characters that XML lacks', async () => {
    const body = (n: number) => `<Delete>${'<Object><Key>k</Key></Object>'.repeat(n)}</Delete>`;
    const post = (text: string, headers: Record<string, string>) =>
      s3(server, { method: 'POST', path: '/bucket/', query: { delete: '' }, body: text, headers });
    expect(await post(body(1), {})).toMatchObject({ status: 400, code: 'InvalidRequest' });
    expect(await post(body(1), { 'content-md5': md5(body(1)) })).toMatchObject({ status: 200 });
    expect(await post(body(1001), { 'content-md5': md5(body(1001)) })).toMatchObject({ code: 'MalformedXML' });
    const control = '<Delete><Object><Key>&#x1;</Key></Object></Delete>';
    expect(await post(control, { 'content-md5': md5(control) })).toMatchObject({ code: 'MalformedXML' });
    expect(await post('<Delete>', { 'content-md5': md5('<Delete>') })).toMatchObject({ code: 'MalformedXML' });
  });

  it('to complete an upload with parts too small, out of order, unknown or mistaken', async () => {
    const { id, etags } = await upload('bad', [5, 6]);
    const [first = '', second = ''] = etags;
    expect(
      await complete('bad', id, [
        [1, first],
        [2, second],
      ]),
    ).toMatchObject({ status: 400, code: 'EntityTooSmall' });
    expect(
      await complete('bad', id, [
        [2, second],
        [1, first],
      ]),
    ).toMatchObject({ code: 'InvalidPartOrder' });
    expect(
      await complete('bad', id, [
        [1, first],
        [3, second],
      ]),
    ).toMatchObject({ code: 'InvalidPart' });
    expect(await complete('bad', id, [[1, second]])).toMatchObject({ code: 'InvalidPart' });
    expect(await complete('other', id, [[1, first]])).toMatchObject({ code: 'NoSuchUpload' });
    expect(await complete('bad', id, [])).toMatchObject({ code: 'MalformedXML' });
    expect(await complete('bad', id, [[1, first]])).toMatchObject({ status: 200 });
    expect(await complete('bad', id, [[1, '"0"']])).toMatchObject({ status: 404, code: 'NoSuchUpload' });
  });
});

describe('S3 answers as AWS does', () => {
  it('ranges and parts of an object', async () => {
    const range = (value: string) => s3(server, { path: '/bucket/ten', headers: { range: value } });
    expect(await range('bytes=2-4')).toMatchObject({ status: 206, text: '234' });
    expect((await range('bytes=2-4')).headers['content-range']).toBe('bytes 2-4/10');
    expect(await range('bytes=8-100')).toMatchObject({ status: 206, text: '89' });
    expect(await range('bytes=-3')).toMatchObject({ status: 206, text: '789' });
    const { id, etags } = await upload('two', [5 * MiB, 3]);
    await complete(
      'two',
      id,
      etags.map((etag, i) => [i + 1, etag]),
    );
    const part = await s3(server, { path: '/bucket/two', query: { partNumber: '2' } });
    expect(part.headers).toMatchObject({ 'x-amz-mp-parts-count': '2', 'content-length': '3' });
    expect(part.body).toEqual(Buffer.alloc(3, 1));
  });

  it('the right region in a redirect, also to HEAD, which has no body', async () => {
    const answer = await s3(server, { method: 'HEAD', path: '/elsewhere/' });
    expect(answer).toMatchObject({ status: 301, text: '' });
    expect(answer.headers['x-amz-bucket-region']).toBe('eu-west-1');
  });

  it('copies with metadata kept or replaced', async () => {
    await s3(server, {
      method: 'PUT',
      path: '/bucket/src',
      body: 'x',
      headers: { 'x-amz-meta-a': '1', 'content-type': 'x/y' },
    });
    const headers = { 'x-amz-copy-source': '/bucket/src' };
    await s3(server, { method: 'PUT', path: '/bucket/kept', headers });
    const replace = { ...headers, 'x-amz-metadata-directive': 'REPLACE', 'x-amz-meta-b': '2' };
    await s3(server, { method: 'PUT', path: '/bucket/replaced', headers: replace });
    expect(server.core.s3.get('bucket', 'kept')).toMatchObject({
      metadata: { a: '1' },
      headers: { 'content-type': 'x/y' },
    });
    expect(server.core.s3.get('bucket', 'replaced')?.metadata).toEqual({ b: '2' });
  });

  it('versions: each write has an id, a delete leaves a marker, and old bytes stay readable', async () => {
    const path = '/versions/k';
    const first = await s3(server, { method: 'PUT', path, body: 'one' });
    await s3(server, { method: 'PUT', path, body: 'two' });
    const gone = await s3(server, { method: 'DELETE', path });
    expect(gone.headers['x-amz-delete-marker']).toBe('true');
    expect((await s3(server, { path })).headers['x-amz-delete-marker']).toBe('true');
    const versionId = String(first.headers['x-amz-version-id']);
    expect(await s3(server, { path, query: { versionId } })).toMatchObject({ status: 200, text: 'one' });
    const listed = (await s3(server, { path: '/versions/', query: { versions: '' } })).text;
    expect(listed.match(/<(Version|DeleteMarker)>/g)).toEqual(['<DeleteMarker>', '<Version>', '<Version>']);
    expect(listed).toContain('<IsLatest>true</IsLatest>');
  });

  it('tags and ACLs that were put', async () => {
    const body = '<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>';
    const path = '/bucket/ten';
    const put = { method: 'PUT', path, query: { tagging: '' }, body, headers: { 'content-md5': md5(body) } };
    expect(await s3(server, put)).toMatchObject({ status: 200 });
    expect((await s3(server, { path, query: { tagging: '' } })).text).toContain('<Key>a</Key><Value>1</Value>');
    expect((await s3(server, { path })).headers['x-amz-tagging-count']).toBe('1');
    await s3(server, { method: 'PUT', path, query: { acl: '' }, headers: { 'x-amz-acl': 'public-read' } });
    expect((await s3(server, { path, query: { acl: '' } })).text).toContain('<Permission>READ</Permission>');
  });

  it('a completion once more, with the same parts alone', async () => {
    const path = '/bucket/parts';
    const started = await s3(server, { method: 'POST', path, query: { uploads: '' } });
    const uploadId = /<UploadId>([^<]*)/.exec(started.text)?.[1] ?? '';
    const part = await s3(server, { method: 'PUT', path, query: { partNumber: '1', uploadId }, body: 'a' });
    const complete = (etag: string) => {
      const list = `<Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part>`;
      const body = `<CompleteMultipartUpload>${list}</CompleteMultipartUpload>`;
      return s3(server, { method: 'POST', path, query: { uploadId }, body });
    };
    const first = await complete(String(part.headers.etag));
    expect(await complete(String(part.headers.etag))).toMatchObject({ status: 200, text: first.text });
    expect(await complete('"0"')).toMatchObject({ status: 404, code: 'NoSuchUpload' });
  });

  it('If-Match with and without quotes', async () => {
    for (const etag of [ETAG, ETAG.replaceAll('"', '')]) {
      expect(await s3(server, { path: '/bucket/ten', headers: { 'if-match': etag } })).toMatchObject({ status: 200 });
    }
  });

  it('a listing with the restored state of archived objects', async () => {
    const body = '<RestoreRequest><Days>1</Days></RestoreRequest>';
    const ask = async () =>
      (await s3(server, { method: 'POST', path: '/bucket/frozen', query: { restore: '' }, body })).status;
    expect([await ask(), await ask()]).toEqual([202, 409]);
    const headers = { 'x-amz-optional-object-attributes': 'RestoreStatus' };
    const list = (more: object) => s3(server, { path: '/bucket/', query: { 'list-type': '2' }, ...more });
    expect((await list({ headers })).text).toContain('<IsRestoreInProgress>true</IsRestoreInProgress>');
    Object.assign(server.core.s3.get('bucket', 'frozen') ?? {}, { restoring: false, restored: true });
    expect((await list({ headers })).text).toContain('<IsRestoreInProgress>false</IsRestoreInProgress>');
    expect(await ask()).toBe(200);
    expect((await list({})).text).not.toContain('RestoreStatus');
  });

  it('the making of a bucket: mine again is fine in us-east-1 alone, a foreign one never', async () => {
    const china = await startServer({ s3: { region: 'cn-north-1' } });
    const make = (at: TestServer, name: string, body = '') => s3(at, { method: 'PUT', path: `/${name}`, body });
    const location = '<LocationConstraint>cn-north-1</LocationConstraint>';
    const there = `<CreateBucketConfiguration>${location}</CreateBucketConfiguration>`;
    expect(await make(server, 'fresh')).toMatchObject({ status: 200 });
    expect(await make(server, 'fresh')).toMatchObject({ status: 200 });
    expect(await make(server, 'foreign')).toMatchObject({ status: 409, code: 'BucketAlreadyExists' });
    expect(await make(server, 'Not_A_Name')).toMatchObject({ status: 400, code: 'InvalidBucketName' });
    expect(await make(china, 'fresh')).toMatchObject({ code: 'IllegalLocationConstraintException' });
    expect(await make(china, 'fresh', there)).toMatchObject({ status: 200 });
    expect(await make(china, 'fresh', there)).toMatchObject({ status: 409, code: 'BucketAlreadyOwnedByYou' });
    await china.close();
  });

  it('to a virtual host as to a path', async () => {
    const headers = { host: 'bucket.localhost' };
    const message = await s3Message(server, { path: '/ten', headers });
    expect(await send(server.s3.endpoint, message)).toMatchObject({ status: 200, text: '0123456789' });
  });
});
