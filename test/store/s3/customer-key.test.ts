import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand, S3Client, UploadPartCopyCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { XsyncError } from '../../../src/model/error.js';
import { HttpTransport } from '../../../src/store/http/transport.js';
import type { ObjectStore } from '../../../src/store/port.js';
import { s3ConfigSchema } from '../../../src/store/s3/config.js';
import { type CustomerKey, customerKeyOf, keyIn, readCustomerKey, textOf } from '../../../src/store/s3/customer-key.js';
import { createS3SdkStore } from '../../../src/store/s3/sdk.js';
import { createS3Store } from '../../../src/store/s3/store.js';
import { startServer, type TestServer } from '../../support/server/index.js';

const KEY = Buffer.from('\n0123456789abcdef0123456789abcd\n');
const hex = KEY.toString('hex');
const base64 = KEY.toString('base64');

describe('a file has the key', () => {
  it.each([
    ['as 32 bytes, whatever they are', KEY],
    ['in base64', Buffer.from(base64)],
    ['in base64 as echo writes it', Buffer.from(`${base64}\n`)],
    ['in hexadecimal digits', Buffer.from(hex)],
    ['in capitals, with a line end of Windows', Buffer.from(`${hex.toUpperCase()}\r\n`)],
  ])('%s', (_name, bytes) => {
    expect(keyIn(bytes)).toEqual(KEY);
  });

  it('as 32 characters with a line end, as rclone has it', () => {
    expect(keyIn(Buffer.from('0123456789abcdef0123456789abcdef\n'))?.toString()).toBe(
      '0123456789abcdef0123456789abcdef',
    );
  });

  it.each([
    ['nothing', ''],
    ['16 bytes', 'x'.repeat(16)],
    ['16 bytes in hexadecimal digits, which are 32 characters and more', `${'ab'.repeat(16)}cd`],
    ['a passphrase', 'correct horse battery staple'],
    ['48 bytes in base64', Buffer.alloc(48, 'z').toString('base64')],
  ])('but not with %s', (_name, text) => {
    expect(keyIn(Buffer.from(text))).toBeUndefined();
  });
});

describe('the settings of the key', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'xsync-key-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('name a file, also below the home folder, or the key itself', async () => {
    await writeFile(join(folder, 'key'), hex);
    const from = async (settings: object) => {
      const key = await readCustomerKey(settings, { HOME: folder });
      return key && textOf(key);
    };
    expect(await from({ sse_c_key_file: join(folder, 'key') })).toBe(base64);
    expect(await from({ sse_c_key_file: '~/key' })).toBe(base64);
    expect(await from({ sse_customer_key_base64: base64 })).toBe(base64);
    expect(await from({ sse_customer_key: 'k'.repeat(32) })).toBe(Buffer.alloc(32, 'k').toString('base64'));
    expect(await from({})).toBeUndefined();
  });

  it('are refused without a word of what the file has', async () => {
    await writeFile(join(folder, 'bad'), 'my passphrase');
    const fault = async (settings: object) => {
      const error = await readCustomerKey(settings, {}).catch((caught: unknown) => caught);
      if (!(error instanceof XsyncError)) throw new Error('no XsyncError');
      return `${error.code}: ${error.message} → ${error.remedy}`.replaceAll(folder, '');
    };
    expect(await fault({ sse_c_key_file: join(folder, 'bad') })).toBe(
      'config: sse_c_key_file: /bad holds no key of 32 bytes → Write the key into it as 32 bytes, in base64 or in hexadecimal digits: openssl rand -base64 32.',
    );
    expect(await fault({ sse_c_key_file: join(folder, 'none') })).toBe(
      'config: cannot read sse_c_key_file /none: no such file or directory → Check the path and its permissions.',
    );
    expect(await fault({ sse_customer_key: 'short' })).toBe(
      'config: sse_customer_key is no key of 32 bytes → undefined',
    );
  });

  it.each([
    [{ sse_c_key_file: 'k', sse_customer_key: 'k' }, 'must not be set together with sse_c_key_file'],
    [{ sse_c_key_file: 'k', server_side_encryption: 'AES256' }, 'must not be set together with sse_c_key_file'],
    [{ sse_c_key_file: 'k', etag_is_md5: true }, 'ETags of objects with a key are no MD5s'],
    [{ sse_c_key_file: 'k', provider: 'oss' }, 'OSS has no encryption with keys of its customers'],
  ])('contradict %j', (more, expected) => {
    const { error } = s3ConfigSchema.safeParse({ type: 's3', env_auth: true, ...more });
    expect(error?.issues.map(({ message }) => message).join()).toContain(expected);
  });
});

it("the headers are those of Amazon's SDK", async () => {
  const seen: Record<string, string>[] = [];
  const client = new S3Client({
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    requestHandler: {
      handle: async (request: { headers: Record<string, string> }) => {
        seen.push(request.headers);
        throw new Error('enough');
      },
    },
    maxAttempts: 1,
  });
  const key = Buffer.alloc(32, 'k');
  // The SDK's type is text, which it encodes.
  const own = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: key.toString() };
  const source = { CopySourceSSECustomerAlgorithm: 'AES256', CopySourceSSECustomerKey: key.toString() };
  await client.send(new PutObjectCommand({ Bucket: 'b', Key: 'k', Body: '', ...own })).catch(() => undefined);
  const part = { Bucket: 'b', Key: 'k', UploadId: 'u', PartNumber: 1, CopySource: 'b/k' };
  await client.send(new UploadPartCopyCommand({ ...part, ...own, ...source })).catch(() => undefined);
  const lower = seen.map((headers) =>
    Object.fromEntries(Object.entries(headers).map(([n, v]) => [n.toLowerCase(), v])),
  );
  const ours = customerKeyOf(key);
  expect(lower[0]).toMatchObject(ours.own);
  expect(lower[1]).toMatchObject({ ...ours.own, ...ours.source });
});

let server: TestServer;
let transport: HttpTransport;
beforeAll(async () => {
  server = await startServer();
  transport = new HttpTransport({ userAgent: 'xsync-test' });
});
afterAll(async () => {
  await transport.close();
  await server.close();
});

const ONE = customerKeyOf(randomBytes(32));
const OTHER = customerKeyOf(randomBytes(32));
const body = new TextEncoder().encode('hello');

function configOf(more: object = {}) {
  const { endpoint, region, accessKeyId, secretAccessKey } = server.s3;
  const keys = { access_key_id: accessKeyId, secret_access_key: secretAccessKey };
  return s3ConfigSchema.parse({
    type: 's3',
    provider: 'aws',
    force_path_style: true,
    endpoint,
    region,
    ...keys,
    ...more,
  });
}

let buckets = 0;

describe.each(['lean', 'sdk'])('over the %s transport', (kind) => {
  const open = (bucket: string, customerKey?: CustomerKey): ObjectStore =>
    kind === 'lean'
      ? createS3Store({ ...configOf(), customerKey }, bucket, { transport })
      : createS3SdkStore({ ...configOf(), customerKey }, bucket);

  function bucket(): string {
    const name = `b-${++buckets}`;
    server.core.s3.createBucket(name);
    return name;
  }

  const refusal = async (work: Promise<unknown>) => {
    const error = await work.catch((caught: unknown) => caught);
    if (!(error instanceof XsyncError)) throw new Error(`no XsyncError: ${String(error)}`);
    return error;
  };

  it('an ETag is never taken for an MD5, in no response and no listing', async () => {
    const name = bucket();
    const store = open(name, ONE);
    expect(store.capabilities.partEtagIsMd5).toBe(false);
    const noMd5 = (checksums: object) => Object.keys(checksums).filter((sum) => /md5|etag/i.test(sum));
    expect(noMd5((await store.put('a', body)).checksums)).toEqual([]);
    expect(noMd5((await store.head('a')).checksums)).toEqual([]);
    expect(noMd5((await store.read('a', new Uint8Array(5))).checksums)).toEqual([]);
    expect(noMd5((await store.copy(store, 'a', 'b')).checksums)).toEqual([]);
    const upload = await store.createUpload('m');
    const { etag, checksums } = await store.uploadPart(upload, 1, body);
    expect(noMd5(checksums)).toEqual([]);
    expect(noMd5((await store.completeUpload(upload, [{ partNumber: 1, etag }])).checksums)).toEqual([]);
    const { entries } = await store.list({});
    expect(entries.flatMap((entry) => noMd5(entry.checksums ?? {}))).toEqual([]);
  });

  it('an object without the key, or with another one, says what to set', async () => {
    const name = bucket();
    await open(name, ONE).put('a', body);
    for (const work of [
      (store: ObjectStore) => store.head('a'),
      (store: ObjectStore) => store.read('a', new Uint8Array(5)),
    ]) {
      const without = await refusal(work(open(name)));
      expect([without.code, without.class]).toEqual(['unsupported-object', 'permanent']);
      expect(without.remedy).toContain('Set sse_c_key_file of the remote');
      const wrong = await refusal(work(open(name, OTHER)));
      expect([wrong.code, wrong.class]).toEqual(['access-denied', 'person']);
      expect(wrong.remedy).toContain('Check that sse_c_key_file has the key that the object was written with');
    }
  });

  it('an object that was written without a key is read, with one request more', async () => {
    const name = bucket();
    server.core.s3.put(name, 'plain', 'hello');
    const store = open(name, ONE);
    expect((await store.head('plain')).size).toBe(5);
    const target = new Uint8Array(5);
    server.requests.reset();
    await store.read('plain', target);
    expect(target).toEqual(body);
    expect(server.requests.counts({ bucket: name })).toEqual({ GetObject: 2 });
    await store.copy(store, 'plain', 'sealed');
    expect((await refusal(open(name).head('sealed'))).code).toBe('unsupported-object');
  });

  it('is copied by the service from one key to another, to none and from none', async () => {
    const name = bucket();
    const [one, other, none] = [open(name, ONE), open(name, OTHER), open(name)];
    await one.put('a', body);
    const target = new Uint8Array(5);
    for (const [from, to] of [
      [one, other],
      [one, none],
      [none, one],
    ] as const) {
      if (from === none) await none.put('a', body);
      await to.copy(from, 'a', 'copy');
      await to.read('copy', target);
      expect(target).toEqual(body);
    }
  });

  it('is not sent over http to another host', () => {
    const make = (endpoint: string) => () =>
      kind === 'lean'
        ? createS3Store({ ...configOf({ endpoint }), customerKey: ONE }, 'b', { transport })
        : createS3SdkStore({ ...configOf({ endpoint }), customerKey: ONE }, 'b');
    for (const endpoint of [
      'http://s3.example.com',
      'http://127.0.0.1.example.com',
      'http://10.0.0.1:9000',
      'http://localhost.com',
    ]) {
      expect(make(endpoint), endpoint).toThrow(/would be sent to http:.* without encryption/);
    }
    for (const endpoint of [
      'https://s3.example.com',
      'http://127.0.0.1:9000',
      'http://localhost:1',
      'http://[::1]:9000',
    ]) {
      expect(make(endpoint), endpoint).not.toThrow();
    }
  });
});

it('a link cannot carry the key', async () => {
  const store = createS3Store({ ...configOf(), customerKey: ONE }, 'b', { transport });
  await expect(store.signedUrl('a', { expiresS: 60 })).rejects.toMatchObject({
    code: 'unsupported',
    message: 'a: a URL cannot carry the key that the object is encrypted with (SSE-C)',
  });
});
