import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { s3ConfigSchema } from '../../../src/store/s3/config.js';
import { createS3SdkStore } from '../../../src/store/s3/sdk.js';
import { createS3Store } from '../../../src/store/s3/store.js';

/** Answers every call of S3 well enough, and keeps the headers of each. */
let server: Server;
let endpoint: string;
let seen: Record<string, IncomingHttpHeaders>;

const BODIES: Readonly<Record<string, string>> = {
  list: '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>',
  create: '<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>',
  copy: '<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>',
  'part copy': '<CopyPartResult><ETag>"e"</ETag></CopyPartResult>',
  complete: '<CompleteMultipartUploadResult><ETag>"e-1"</ETag></CompleteMultipartUploadResult>',
  parts: '<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>',
  'delete many': '<DeleteResult/>',
};

function kindOf(method: string, { pathname, searchParams }: URL, headers: IncomingHttpHeaders): string {
  const has = (name: string) => searchParams.has(name);
  const copies = headers['x-amz-copy-source'] !== undefined;
  if (method === 'POST') return has('uploads') ? 'create' : has('delete') ? 'delete many' : 'complete';
  if (method === 'PUT' && has('partNumber')) return copies ? 'part copy' : 'part';
  if (method === 'PUT') return copies ? 'copy' : 'put';
  if (method === 'GET') return has('uploadId') ? 'parts' : /^\/b\/?$/.test(pathname) ? 'list' : 'get';
  return method === 'HEAD' ? 'head' : has('uploadId') ? 'abort' : 'delete';
}

beforeAll(async () => {
  server = createServer((request, response) => {
    const kind = kindOf(request.method ?? '', new URL(request.url ?? '', 'http://x'), request.headers);
    seen[kind] = request.headers;
    request.resume().on('end', () => {
      const body = kind === 'get' ? 'x' : (BODIES[kind] ?? '');
      const range = kind === 'get' ? { 'content-range': 'bytes 0-0/1' } : {};
      const about = { etag: '"e"', 'last-modified': 'Sat, 21 Nov 2026 00:00:00 GMT', ...range };
      response.writeHead(kind === 'get' ? 206 : 200, { ...about, 'content-length': body.length }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

beforeEach(() => {
  seen = {};
});

const SETTINGS = {
  acl: 'bucket-owner-full-control',
  server_side_encryption: 'aws:kms',
  sse_kms_key_id: 'arn:aws:kms:us-east-1:123456789012:key/1',
  requester_pays: true,
  storage_class: 'STANDARD_IA',
};
const SENT = {
  'x-amz-acl': 'bucket-owner-full-control',
  'x-amz-server-side-encryption': 'aws:kms',
  'x-amz-server-side-encryption-aws-kms-key-id': 'arn:aws:kms:us-east-1:123456789012:key/1',
  'x-amz-storage-class': 'STANDARD_IA',
};

describe.each(['lean', 'sdk'] as const)('headers that bucket policies demand (%s)', (client) => {
  const open = (more: object) => {
    const keys = { access_key_id: 'A', secret_access_key: 's' };
    const config = s3ConfigSchema.parse({ type: 's3', provider: 'minio', endpoint, ...keys, ...more });
    const transport = new HttpTransport({ userAgent: 'test' });
    const store = client === 'lean' ? createS3Store(config, 'b', { transport }) : createS3SdkStore(config, 'b');
    const close = async () => {
      await store.close();
      await transport.close();
    };
    return { store, close };
  };

  async function everyCall(more: object): Promise<string[]> {
    const { store, close } = open(more);
    await store.put('k', new Uint8Array(1));
    await store.copy(store, 'a', 'k');
    const upload = await store.createUpload('k');
    await store.uploadPart(upload, 1, new Uint8Array(1));
    await store.uploadPartCopy(upload, 1, store, 'a', { offset: 0, size: 1 });
    await store.completeUpload(upload, [{ partNumber: 1, etag: 'e' }]);
    await store.abortUpload(upload);
    await store.listParts(upload);
    await store.list({});
    await store.head('k');
    await store.read('k', new Uint8Array(1));
    await store.delete(['k']);
    await close();
    return Object.keys(seen);
  }

  it('go with every request that creates an object, and with no other', async () => {
    const kinds = await everyCall(SETTINGS);
    expect(kinds).toHaveLength(12);
    const headersOf = (kind: string) =>
      Object.fromEntries(Object.keys(SENT).flatMap((name) => (seen[kind]?.[name] ? [[name, seen[kind][name]]] : [])));
    for (const kind of kinds) {
      expect([kind, headersOf(kind)]).toEqual([kind, ['put', 'copy', 'create'].includes(kind) ? SENT : {}]);
    }
  });

  it('are signed', async () => {
    await everyCall(SETTINGS);
    for (const name of Object.keys(SENT)) expect(seen.put?.authorization).toContain(name);
  });

  it('say with every request that the requester pays', async () => {
    const kinds = await everyCall({ requester_pays: true });
    expect(kinds.map((kind) => seen[kind]?.['x-amz-request-payer'])).toEqual(kinds.map(() => 'requester'));
  });

  it('are absent when nothing is set', async () => {
    await everyCall({});
    const names = Object.keys(seen.put ?? {});
    expect(names.filter((name) => /acl|encryption|payer|storage-class/.test(name))).toEqual([]);
  });

  it('of KMS mean that ETags are no MD5s', async () => {
    const md5 = async (more: object) => {
      const { store, close } = open(more);
      await close();
      return store.capabilities.partEtagIsMd5;
    };
    expect(await md5({})).toBe(true);
    expect(await md5({ server_side_encryption: 'AES256' })).toBe(true);
    expect(await md5({ server_side_encryption: 'aws:kms' })).toBe(false);
  });
});

it.each([
  [{ sse_kms_key_id: 'key' }],
  [{ sse_kms_key_id: 'key', server_side_encryption: 'AES256' }],
  [{ acl: 'two words' }],
  [{ acl: '' }],
  [{ server_side_encryption: 'AES256\r\nx-evil: 1' }],
])('are refused in the config: %j', (more) => {
  const keys = { access_key_id: 'A', secret_access_key: 's' };
  expect(s3ConfigSchema.safeParse({ type: 's3', ...keys, ...more }).success).toBe(false);
});
