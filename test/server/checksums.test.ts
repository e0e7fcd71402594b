import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { combineCrc, crc, crcFromBase64, loadServerHashes, s3Checksum } from '../support/server/hashes.js';
import { startServer, type TestServer } from '../support/server/index.js';
import { type Message, s3, s3Message, send } from './wire.js';

const CHECK = Buffer.from('123456789');
const MiB = 1024 * 1024;
const CRCS = ['crc32', 'crc32c', 'crc64nvme', 'crc64ecma'] as const;

let server: TestServer;

beforeAll(async () => {
  await loadServerHashes();
  server = await startServer({ oss: { pathStyle: true } });
  server.core.s3.createBucket('bucket');
});

afterAll(async () => {
  expect(server.bugs).toEqual([]);
  await server.close();
});

/** Check values of the CRC catalogue: CRC-32/ISO-HDLC, CRC-32/ISCSI, CRC-64/NVME, CRC-64/XZ. */
it.each([
  ['crc32', 0xcbf43926n],
  ['crc32c', 0xe3069283n],
  ['crc64nvme', 0xae8b14860a799888n],
  ['crc64ecma', 0x995dc9bbdf1939fan],
] as const)('%s agrees with the catalogue, so that a right client is not refused', (name, value) => {
  expect(crc(name, [CHECK])).toBe(value);
  expect(crc(name, [CHECK.subarray(0, 4), CHECK.subarray(4)])).toBe(value);
  expect(crc(name, [])).toBe(0n);
});

it.each(CRCS)('the %s of parts combines to that of the whole', (name) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (a, b) => {
      expect(combineCrc(name, crc(name, [a]), crc(name, [b]), b.byteLength)).toBe(crc(name, [a, b]));
    }),
  );
});

async function uploadInParts(key: string, headers: Record<string, string>, partHeaders = (_: Buffer) => ({})) {
  const path = `/bucket/${key}`;
  const created = await s3(server, { method: 'POST', path, query: { uploads: '' }, headers });
  const uploadId = /<UploadId>(.*?)</.exec(created.text)?.[1] ?? '';
  const bodies = [Buffer.alloc(5 * MiB, 'a'), CHECK];
  let xml = '';
  for (const [i, body] of bodies.entries()) {
    const query = { partNumber: String(i + 1), uploadId };
    const part = await s3(server, { method: 'PUT', path, query, body, headers: partHeaders(body) });
    xml += `<Part><PartNumber>${i + 1}</PartNumber><ETag>${part.headers.etag}</ETag></Part>`;
  }
  const body = `<CompleteMultipartUpload>${xml}</CompleteMultipartUpload>`;
  const done = await s3(server, { method: 'POST', path, query: { uploadId }, body });
  return { done, bodies };
}

describe('a multipart object at S3', () => {
  it('is named md5(md5s)-N', async () => {
    const { done, bodies } = await uploadInParts('etag', {});
    const md5s = bodies.map((body) => createHash('md5').update(body).digest());
    const etag = `${createHash('md5').update(Buffer.concat(md5s)).digest('hex')}-2`;
    expect(done.text).toContain(`<ETag>&quot;${etag}&quot;</ETag>`);
  });

  it('has the CRC64NVME of all its bytes, told to those who ask', async () => {
    const headers = { 'x-amz-checksum-algorithm': 'CRC64NVME', 'x-amz-checksum-type': 'FULL_OBJECT' };
    const sums = (body: Buffer) => ({ 'x-amz-checksum-crc64nvme': s3Checksum('crc64nvme', [body]) });
    const { done, bodies } = await uploadInParts('nvme', headers, sums);
    const whole = s3Checksum('crc64nvme', [Buffer.concat(bodies)]);
    expect(done.text).toContain(`<ChecksumCRC64NVME>${whole}</ChecksumCRC64NVME>`);
    const asked = await s3(server, {
      method: 'HEAD',
      path: '/bucket/nvme',
      headers: { 'x-amz-checksum-mode': 'ENABLED' },
    });
    expect(asked.headers).toMatchObject({ 'x-amz-checksum-crc64nvme': whole, 'x-amz-checksum-type': 'FULL_OBJECT' });
    const silent = await s3(server, { method: 'HEAD', path: '/bucket/nvme' });
    expect(silent.headers['x-amz-checksum-crc64nvme']).toBeUndefined();
  });

  it('has a checksum of checksums when it is composite', async () => {
    const headers = { 'x-amz-checksum-algorithm': 'SHA256' };
    const sums = (body: Buffer) => ({ 'x-amz-checksum-sha256': s3Checksum('sha256', [body]) });
    const { done, bodies } = await uploadInParts('composite', headers, sums);
    const parts = bodies.map((body) => createHash('sha256').update(body).digest());
    const value = `${createHash('sha256').update(Buffer.concat(parts)).digest('base64')}-2`;
    expect(done.text).toContain(`<ChecksumSHA256>${value}</ChecksumSHA256>`);
  });
});

it('a store that keeps no checksums of its own answers none', async () => {
  const plain = await startServer({ s3: { defaultChecksum: false } });
  plain.core.s3.createBucket('bucket');
  const put = await s3(plain, { method: 'PUT', path: '/bucket/k', body: 'a' });
  expect(Object.keys(put.headers).filter((name) => name.startsWith('x-amz-checksum'))).toEqual([]);
  await plain.close();
});

it('base64 checksums are big-endian', () => {
  expect(crcFromBase64(s3Checksum('crc32', [CHECK]))).toBe(0xcbf43926n);
});

/** aws-chunked with a signature for each chunk, made here from the documented string to sign. */
async function signedChunks(options: {
  trailer: boolean;
  declared?: number;
  spoil?: (body: Buffer) => Buffer;
}): Promise<Message> {
  const chunks = [Buffer.alloc(8192, 'x'), CHECK, Buffer.alloc(0)];
  const mode = `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${options.trailer ? '-TRAILER' : ''}`;
  const headers: Record<string, string> = {
    'x-amz-content-sha256': mode,
    'x-amz-decoded-content-length': String(options.declared ?? 8192 + CHECK.byteLength),
    'content-encoding': 'aws-chunked',
    ...(options.trailer ? { 'x-amz-trailer': 'x-amz-checksum-crc32' } : {}),
  };
  const message = await s3Message(server, { method: 'PUT', path: '/bucket/chunked', headers });
  const date = message.headers['x-amz-date'] ?? '';
  const scope = `${date.slice(0, 8)}/${server.s3.region}/s3/aws4_request`;
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${server.s3.secretAccessKey}`);
  const sha = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
  let previous = /Signature=([0-9a-f]{64})/.exec(message.headers.authorization ?? '')?.[1] ?? '';
  const pieces: Buffer[] = [];
  for (const chunk of chunks) {
    previous = hmac(key, ['AWS4-HMAC-SHA256-PAYLOAD', date, scope, previous, sha(''), sha(chunk)].join('\n')).toString(
      'hex',
    );
    const head = Buffer.from(`${chunk.byteLength.toString(16)};chunk-signature=${previous}\r\n`);
    pieces.push(head, chunk, Buffer.from(chunk.byteLength > 0 ? '\r\n' : ''));
  }
  if (options.trailer) {
    const line = `x-amz-checksum-crc32:${s3Checksum('crc32', chunks)}`;
    const signature = hmac(key, ['AWS4-HMAC-SHA256-TRAILER', date, scope, previous, sha(`${line}\n`)].join('\n'));
    pieces.push(Buffer.from(`${line}\r\nx-amz-trailer-signature:${signature.toString('hex')}\r\n`));
  }
  const body = Buffer.concat([...pieces, Buffer.from('\r\n')]);
  const spoilt = options.spoil?.(Buffer.from(body)) ?? body;
  return { ...message, headers: { ...message.headers, 'content-length': String(spoilt.byteLength) }, body: spoilt };
}

describe.each([
  ['without trailers', false],
  ['with a trailer', true],
])('signed chunks %s', (_name, trailer) => {
  it('are put together', async () => {
    const answer = await send(server.s3.endpoint, await signedChunks({ trailer }));
    expect(answer).toMatchObject({ status: 200 });
    const stored = server.core.s3.get('bucket', 'chunked');
    expect(stored?.bytes.buffer().equals(Buffer.concat([Buffer.alloc(8192, 'x'), CHECK]))).toBe(true);
    expect(stored?.headers['content-encoding']).toBeUndefined();
  });

  it('are refused when a byte of one changed', async () => {
    const spoil = (body: Buffer) => {
      body[body.indexOf('123456789')] = 0x30;
      return body;
    };
    const answer = await send(server.s3.endpoint, await signedChunks({ trailer, spoil }));
    expect(answer).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
  });

  it('are refused when they are more or fewer bytes than declared', async () => {
    for (const declared of [8192, 9000]) {
      const answer = await send(server.s3.endpoint, await signedChunks({ trailer, declared }));
      expect(answer).toMatchObject({ status: 400, code: 'IncompleteBody' });
    }
  });

  it('are refused when the last of them is missing', async () => {
    const spoil = (body: Buffer) => body.subarray(0, body.lastIndexOf('\r\n0;'));
    const answer = await send(server.s3.endpoint, await signedChunks({ trailer, spoil }));
    expect(answer).toMatchObject({ status: 400, code: 'IncompleteBody' });
  });
});

it('a signed trailer that was changed is refused', async () => {
  const spoil = (body: Buffer) => {
    const at = body.indexOf('x-amz-checksum-crc32:') + 'x-amz-checksum-crc32:'.length;
    body[at] = body[at] === 0x41 ? 0x42 : 0x41;
    return body;
  };
  const answer = await send(server.s3.endpoint, await signedChunks({ trailer: true, spoil }));
  expect(answer).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
});
