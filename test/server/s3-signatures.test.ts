import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../support/server/index.js';
import { s3, s3Message, s3Presigned, send, tamper } from './wire.js';

const KEY = "a b/ü+(1)'*~/é&=?#%.txt";
const MiB = 1024 * 1024;

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
  server.core.s3.createBucket('bucket');
  server.core.s3.put('bucket', 'plain.txt', 'plain');
});

afterAll(async () => {
  expect(server.bugs).toEqual([]);
  await server.close();
});

describe.each([
  ['default settings', {}],
  [
    'checksums when required',
    { requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' },
  ],
] as const)('the AWS SDK with %s', (_name, settings) => {
  const client = () =>
    new S3Client({ ...server.s3, credentials: server.s3, forcePathStyle: true, maxAttempts: 1, ...settings });

  it('can put, read, list and delete a key with every awkward character', async () => {
    const Bucket = 'bucket';
    const sdk = client();
    const put = await sdk.send(
      new PutObjectCommand({
        Bucket,
        Key: KEY,
        Body: Buffer.from('hello'),
        Metadata: { who: 'me' },
        ContentType: 'x/y',
      }),
    );
    expect(put.ETag).toBe('"5d41402abc4b2a76b9719d911017c592"');
    const got = await sdk.send(new GetObjectCommand({ Bucket, Key: KEY }));
    expect(await got.Body?.transformToString()).toBe('hello');
    expect(got).toMatchObject({ Metadata: { who: 'me' }, ContentType: 'x/y', ContentLength: 5 });
    const listed = await sdk.send(new ListObjectsV2Command({ Bucket, Prefix: 'a b/' }));
    expect(listed.Contents?.map((object) => object.Key)).toEqual([KEY]);
    const deleted = await sdk.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: KEY }] } }));
    expect(deleted.Deleted).toEqual([{ Key: KEY }]);
    await expect(sdk.send(new HeadObjectCommand({ Bucket, Key: KEY }))).rejects.toMatchObject({ name: 'NotFound' });
  });

  it('can upload in parts and sees an ETag of the documented form', async () => {
    const address = { Bucket: 'bucket', Key: 'parts' };
    const sdk = client();
    const { UploadId } = await sdk.send(new CreateMultipartUploadCommand(address));
    const bodies = [Buffer.alloc(5 * MiB, 1), Buffer.from('tail')];
    const parts = [];
    for (const [i, Body] of bodies.entries()) {
      const part = await sdk.send(new UploadPartCommand({ ...address, UploadId, PartNumber: i + 1, Body }));
      parts.push({ PartNumber: i + 1, ETag: part.ETag });
    }
    const listed = await sdk.send(new ListPartsCommand({ ...address, UploadId }));
    expect(listed.Parts?.map((part) => part.Size)).toEqual([5 * MiB, 4]);
    const done = await sdk.send(
      new CompleteMultipartUploadCommand({ ...address, UploadId, MultipartUpload: { Parts: parts } }),
    );
    expect(done.ETag).toMatch(/^"[0-9a-f]{32}-2"$/);
    expect(server.core.s3.read('bucket', 'parts').equals(Buffer.concat(bodies))).toBe(true);
  });

  it('can stream a body through aws-chunked with its checksum in the trailer', async () => {
    const { Readable } = await import('node:stream');
    const Body = Readable.from([Buffer.alloc(100_000, 7), Buffer.alloc(50_000, 8)]);
    await client().send(
      new PutObjectCommand({
        Bucket: 'bucket',
        Key: 'streamed',
        Body,
        ContentLength: 150_000,
        ChecksumAlgorithm: 'CRC32C',
      }),
    );
    expect(server.core.s3.get('bucket', 'streamed')).toMatchObject({ checksum: { name: 'crc32c' } });
    expect(server.core.s3.read('bucket', 'streamed')).toHaveLength(150_000);
  });
});

describe('a request in the header form is refused when', () => {
  const put = () =>
    s3Message(server, { method: 'PUT', path: '/bucket/k', body: 'body', headers: { 'x-amz-meta-a': 'b' }, query: {} });

  it('nothing of it changed it passes, so that the refusals below mean something', async () => {
    expect(await send(server.s3.endpoint, await put())).toMatchObject({ status: 200 });
  });

  it('a byte of its signature changed', async () => {
    const message = await put();
    message.headers.authorization = tamper(message.headers.authorization ?? '', -1);
    expect(await send(server.s3.endpoint, message)).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
  });

  it('its key changed', async () => {
    const message = await put();
    expect(await send(server.s3.endpoint, { ...message, target: '/bucket/j' })).toMatchObject({
      code: 'SignatureDoesNotMatch',
    });
  });

  it('its query changed', async () => {
    const message = await s3Message(server, { path: '/bucket/', query: { 'list-type': '2', prefix: 'a' } });
    const target = message.target.replace('prefix=a', 'prefix=b');
    expect(await send(server.s3.endpoint, { ...message, target })).toMatchObject({ code: 'SignatureDoesNotMatch' });
  });

  it('a signed header changed', async () => {
    const message = await put();
    message.headers['x-amz-meta-a'] = 'c';
    expect(await send(server.s3.endpoint, message)).toMatchObject({ code: 'SignatureDoesNotMatch' });
  });

  it('an x-amz header was added without a signature', async () => {
    const message = await put();
    message.headers['x-amz-acl'] = 'public-read';
    const answer = await send(server.s3.endpoint, message);
    expect(answer).toMatchObject({ status: 403, code: 'AccessDenied' });
    expect(answer.text).toContain('<HeadersNotSigned>x-amz-acl</HeadersNotSigned>');
  });

  it('its body changed', async () => {
    const message = await put();
    expect(await send(server.s3.endpoint, { ...message, body: 'bodY' })).toMatchObject({
      status: 400,
      code: 'XAmzContentSHA256Mismatch',
    });
  });

  it('it has no signature, or says nothing of its payload', async () => {
    const { headers, ...message } = await put();
    const { authorization: _a, ...unsigned } = headers;
    expect(await send(server.s3.endpoint, { ...message, headers: unsigned })).toMatchObject({ code: 'AccessDenied' });
    const { 'x-amz-content-sha256': _h, ...silent } = headers;
    expect(await send(server.s3.endpoint, { ...message, headers: silent })).toMatchObject({ code: 'InvalidRequest' });
  });

  it.each([
    ['its key id is unknown', { accessKeyId: 'AKIANOBODY' }, 403, 'InvalidAccessKeyId'],
    ['its secret is wrong', { secretAccessKey: 'wrong' }, 403, 'SignatureDoesNotMatch'],
    ['its region is wrong', { region: 'eu-west-1' }, 400, 'AuthorizationHeaderMalformed'],
    ['it brings a token that nobody gave out', { sessionToken: 'made-up' }, 400, 'InvalidToken'],
    ['it is 16 minutes old', { date: new Date(Date.now() - 16 * 60_000) }, 403, 'RequestTimeTooSkewed'],
    ['it comes from 16 minutes ahead', { date: new Date(Date.now() + 16 * 60_000) }, 403, 'RequestTimeTooSkewed'],
  ])('%s', async (_name, signer, status, code) => {
    expect(await s3(server, { path: '/bucket/plain.txt', signer })).toMatchObject({ status, code });
  });

  it('its region is wrong, and the right one is named so that a client can follow', async () => {
    const answer = await s3(server, { path: '/bucket/plain.txt', signer: { region: 'eu-west-1' } });
    expect(answer.text).toContain('<Region>us-east-1</Region>');
  });
});

describe('a presigned URL', () => {
  it('reads and writes without further credentials', async () => {
    const put = await s3Presigned(server, { method: 'PUT', path: '/bucket/signed' });
    put.headers['content-length'] = '4';
    expect(await send(server.s3.endpoint, { ...put, body: 'body' })).toMatchObject({ status: 200 });
    const get = await s3Presigned(server, { path: '/bucket/signed' });
    expect(await send(server.s3.endpoint, get)).toMatchObject({ status: 200, text: 'body' });
  });

  it('is refused once a byte of its query changed', async () => {
    const get = await s3Presigned(server, { path: '/bucket/plain.txt' });
    const forged = get.target.replace('X-Amz-Expires=60', 'X-Amz-Expires=61');
    expect(await send(server.s3.endpoint, { ...get, target: forged })).toMatchObject({ code: 'SignatureDoesNotMatch' });
    expect(await send(server.s3.endpoint, { ...get, method: 'DELETE' })).toMatchObject({
      code: 'SignatureDoesNotMatch',
    });
  });

  it('dies when its time is over, and cannot be made for more than a week', async () => {
    const old = { date: new Date(Date.now() - 120_000) };
    const expired = await s3Presigned(server, { path: '/bucket/plain.txt', signer: old });
    expect(await send(server.s3.endpoint, expired)).toMatchObject({ status: 403, code: 'AccessDenied' });
    const get = await s3Presigned(server, { path: '/bucket/plain.txt' });
    const long = { ...get, target: get.target.replace('X-Amz-Expires=60', 'X-Amz-Expires=604801') };
    expect(await send(server.s3.endpoint, long)).toMatchObject({ code: 'AuthorizationQueryParametersError' });
  });
});

it('temporary credentials work with their token, not without it, and not after their end', async () => {
  const expiresAtMs = Date.now() + 60_000;
  const temporary = await startServer({ s3: { sessionToken: 'token', expiresAtMs } });
  temporary.core.s3.createBucket('bucket');
  const path = '/bucket/';
  expect(await s3(temporary, { path })).toMatchObject({ status: 200 });
  expect(await s3(temporary, { path, signer: { sessionToken: 'other' } })).toMatchObject({ code: 'InvalidToken' });
  const { accessKeyId, secretAccessKey, endpoint, region } = temporary.s3;
  const tokenless = { ...temporary, s3: { accessKeyId, secretAccessKey, endpoint, region } };
  expect(await s3(tokenless, { path })).toMatchObject({ code: 'InvalidAccessKeyId' });
  temporary.clockOffsetMs = 120_000;
  expect(await s3(temporary, { path })).toMatchObject({ status: 400, code: 'ExpiredToken' });
  await temporary.close();
});

it('a server with a skewed clock tells its own time, so that a client can correct its', async () => {
  server.clockOffsetMs = -3_600_000;
  const answer = await s3(server, { path: '/bucket/plain.txt' });
  server.clockOffsetMs = 0;
  expect(answer).toMatchObject({ status: 403, code: 'RequestTimeTooSkewed' });
  expect(Date.now() - Date.parse(String(answer.headers.date))).toBeGreaterThan(3_500_000);
});
