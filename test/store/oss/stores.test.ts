/** What both OSS stores put on the wire and make of answers, with answers as the vendor's documentation shows them. */
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../src/model/error.js';
import { SignerV4 } from '../../../src/store/oss/sign.js';
import { type Reply, type Script, type Seen, STORES, script } from './scripted.js';

const ETAG = '"5B3C1A2E053D763E1B002CC607C5A0FE"';
const OBJECT = {
  etag: ETAG,
  'last-modified': 'Fri, 24 Feb 2012 06:07:48 GMT',
  'x-oss-object-type': 'Normal',
  'x-oss-storage-class': 'Standard',
  'x-oss-hash-crc64ecma': '3231342946509354535',
};
const refused = (code: string, status = 400): Reply => ({
  status,
  body: `<Error><Code>${code}</Code><Message>No.</Message></Error>`,
});

let current: Script | undefined;
afterEach(async () => {
  await current?.close();
  current = undefined;
});

describe.each(STORES)('the %s store', (kind) => {
  async function open(reply: (seen: Seen, index: number) => Reply, config = {}, idleTimeoutMs?: number) {
    current = await script(kind, reply, config, idleTimeoutMs);
    return current;
  }
  const fails = (work: Promise<unknown>, code: ErrorCode) => expect(work).rejects.toMatchObject({ code });

  it('lists keys that XML and URLs mangle, and tells special objects and ETags that may be MD5s apart', async () => {
    const item = (key: string, type: string, storage: string, more = '') =>
      `<Contents><Key>${key}</Key><TransitionTime>x</TransitionTime><LastModified>2012-02-24T08:42:32.000Z</LastModified>
       <ETag>&quot;5B3C1A2E053D763E1B002CC607C5A0FE&quot;</ETag><Type>${type}</Type><Size>344606</Size>
       <StorageClass>${storage}</StorageClass>${more}<Owner><ID>00220120222</ID><DisplayName>u</DisplayName></Owner></Contents>`;
    const restored = '<RestoreInfo>ongoing-request="false", expiry-date="Thu, 24 Sep 2026 12:40:33 GMT"</RestoreInfo>';
    const { store, seen } = await open(() => ({
      body: `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://doc.oss-cn-hangzhou.aliyuncs.com">
        <Name>photos</Name><Prefix>a%2F</Prefix><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>
        <IsTruncated>true</IsTruncated>${item('a%2F%01+%2B%F0%9F%8E%89%26', 'Normal', 'Standard')}
        ${item('m', 'Multipart', 'IA')}${item('s', 'Symlink', 'Standard')}${item('p', 'Appendable', 'Standard')}
        ${item('c', 'Normal', 'coldarchive')}${item('r', 'Normal', 'Archive', restored)}
        <CommonPrefixes><Prefix>a%2F+b%2F</Prefix></CommonPrefixes>
        <NextContinuationToken>CgJiYw--%2B</NextContinuationToken><KeyCount>7</KeyCount></ListBucketResult>`,
    }));
    const page = await store.list({ prefix: 'a/', delimiter: '/', startAfter: 'a/ +' });
    const md5 = '5b3c1a2e053d763e1b002cc607c5a0fe';
    expect(
      page.entries.map(({ key, special, checksums, storageClass }) => [key, special, checksums, storageClass]),
    ).toEqual([
      ['a/\u0001 +🎉&', undefined, { etagHint: md5 }, undefined],
      ['m', undefined, undefined, 'IA'],
      ['s', 'symlink', undefined, undefined],
      ['p', 'appendable', undefined, undefined],
      ['c', 'archived', { etagHint: md5 }, 'coldarchive'],
      ['r', undefined, { etagHint: md5 }, 'Archive'],
    ]);
    expect(page.entries[0]).toMatchObject({ size: 344606, mtimeMs: 1330072952000, etag: md5.toUpperCase() });
    expect(page).toMatchObject({ prefixes: ['a/ b/'], nextToken: 'CgJiYw--+' });
    const query = Object.fromEntries(new URLSearchParams(seen[0]?.url.split('?')[1]));
    expect(query).toMatchObject({
      'list-type': '2',
      'max-keys': '1000',
      'encoding-type': 'url',
      'start-after': 'a/ +',
    });
  });

  it('never takes a listing that was cut short for a whole one', async () => {
    const body = '<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key>';
    const { store } = await open(() => ({ body }));
    await fails(store.list({}), 'invalid-response');
    const { store: other } = await open(() => ({
      body: '<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>',
    }));
    await fails(other.list({}), 'invalid-response');
  });

  it('sends every key verbatim, dot segments and all, and signs what it sends', async () => {
    const { store, seen } = await open(() => ({ headers: { ...OBJECT, 'content-length': '0' } }));
    for (const key of ['a/../b/./c', '..', 'a//b', '%41 +?#&', "!'()*", '中/🎉', '\u0001']) {
      await store.head(key);
      const last = seen.at(-1);
      if (!last) throw new Error('nothing was sent');
      const { url, headers, method } = last;
      expect(decodeURIComponent(url)).toBe(`/photos/${key}`);
      const { authorization, ...rest } = headers;
      const date = headers['x-oss-date'] ?? '';
      const at = Date.parse(date.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'));
      const signer = new SignerV4({ accessKeyId: 'test-id', accessKeySecret: 'test-secret' }, 'cn-hangzhou');
      const signed = signer.sign({ method, bucket: 'photos', key, query: {}, headers: rest }, at);
      expect(authorization).toBe(signed.authorization);
    }
    for (const key of ['', '/a', '\\a', 'a'.repeat(1024), '\ud800'])
      await fails(store.head(key), 'key-not-representable');
    expect(seen).toHaveLength(7);
  });

  it('pins reads to a version and knows the size of the whole from a part', async () => {
    const { store, seen } = await open(() => ({
      status: 206,
      headers: { ...OBJECT, 'content-range': 'bytes 3-7/344606' },
      body: '34567',
    }));
    const target = new Uint8Array(5);
    const info = await store.read('k', target, { offset: 3, ifMatch: 'E-2' });
    expect(Buffer.from(target).toString()).toBe('34567');
    expect(info).toMatchObject({ size: 344606, checksums: { crc64ecma: '3231342946509354535' } });
    expect(seen[0]?.headers).toMatchObject({
      range: 'bytes=3-7',
      'if-match': '"E-2"',
      'x-oss-range-behavior': 'standard',
    });
    await fails(store.read('k', new Uint8Array(6), { offset: 3 }), 'truncated');
    await fails(store.read('k', new Uint8Array(4), { offset: 3 }), 'invalid-response');
  });

  it('puts exactly what it is given: no guessed type, the MD5 for the service to check', async () => {
    const { store, seen } = await open(() => ({ headers: OBJECT }));
    for (const body of [Buffer.from('hello'), Buffer.alloc(0), Buffer.alloc(200_000, 'x')]) {
      const written = await store.put('photo.jpg', body, { metadata: { my_key: 'ü' } });
      expect(written).toMatchObject({
        etag: '5B3C1A2E053D763E1B002CC607C5A0FE',
        checksums: { crc64ecma: '3231342946509354535' },
      });
      expect(seen.at(-1)?.body.equals(body)).toBe(true);
      expect(seen.at(-1)?.headers).toMatchObject({
        'content-length': String(body.length),
        'x-oss-meta-my-x5f-key': '=?UTF-8?B?w7w=?=',
      });
      expect(seen.at(-1)?.headers).not.toHaveProperty('content-type');
      expect(seen.at(-1)?.headers).not.toHaveProperty('transfer-encoding');
    }
    const headers = { contentType: 'image/png', contentDisposition: 'attachment; filename="中"' };
    const contentMd5 = '5d41402abc4b2a76b9719d911017c592';
    await store.put('photo.jpg', Buffer.from('hello'), { headers, contentMd5 });
    const sent = seen.at(-1)?.headers ?? {};
    expect(sent).toMatchObject({ 'content-type': 'image/png', 'content-md5': 'XUFAKrxLKna5cZ2REBfFkg==' });
    expect(Buffer.from(sent['content-disposition'] ?? '', 'latin1').toString()).toBe(headers.contentDisposition);
  });

  it('takes a complete or a copy that fails after its 200 for a failure', async () => {
    const { store } = await open(() => ({ ...refused('InternalError'), status: 200 }));
    await fails(store.completeUpload({ key: 'k', uploadId: 'u' }, [{ partNumber: 1, etag: 'E' }]), 'server-error');
    await fails(store.copy(store, 'a', 'b'), 'server-error');
  });

  it('corrects a clock that OSS refuses, once, and keeps the correction', async () => {
    const theirs = Date.now() - 3_600_000;
    const { store, seen } = await open((_seen, index) =>
      index === 0
        ? { ...refused('RequestTimeTooSkewed', 403), headers: { date: new Date(theirs).toUTCString() } }
        : { headers: OBJECT },
    );
    await store.put('k', Buffer.from('x'));
    await store.put('k', Buffer.from('x'));
    const hour = (ms: number) => new Date(ms).toISOString().slice(0, 13).replaceAll('-', '');
    expect(seen.map(({ headers }) => headers['x-oss-date']?.slice(0, 11))).toEqual(
      [Date.now(), theirs, theirs].map(hour),
    );
  });

  it('does not repeat for ever when the clock is not at fault', async () => {
    const { store, seen } = await open(() => refused('RequestTimeTooSkewed', 403));
    await fails(store.put('k', Buffer.from('x')), 'clock-skew');
    expect(seen).toHaveLength(1);
  });

  it('makes one attempt a call and leaves retries to those who count them', async () => {
    const { store, seen } = await open(() => refused('InternalError', 500));
    await fails(store.list({}), 'server-error');
    await fails(store.put('k', Buffer.from('x')), 'server-error');
    expect(seen).toHaveLength(2);
  });

  it('reports each key of a batch that was not deleted, also one that the answer forgets', async () => {
    const { store, seen } = await open(() => ({
      body: `<DeleteResult><EncodingType>url</EncodingType><Deleted><Key>a%26+b</Key></Deleted>
        <Error><Key>locked</Key><Code>FileImmutable</Code><Message>Locked.</Message></Error></DeleteResult>`,
    }));
    const failures = await store.delete(['a& b', 'locked', 'forgotten', '/impossible']);
    expect(failures.map(({ key, error }) => [key, (error as { code?: string }).code])).toEqual([
      ['/impossible', 'key-not-representable'],
      ['locked', 'access-denied'],
      ['forgotten', 'invalid-response'],
    ]);
    expect(seen[0]?.body.toString()).toContain('<Key>a&#x26; b</Key>');
    expect(seen[0]?.headers['content-md5']).toBeDefined();
  });

  it('lists parts of every page, a lone one too', async () => {
    const part = (n: number) =>
      `<Part><PartNumber>${n}</PartNumber><LastModified>2012-02-23T07:01:34.000Z</LastModified><ETag>"3349DC700140D7F86A0784842780****"</ETag>
       <HashCrc64ecma>12741590655037800748</HashCrc64ecma><Size>6291456</Size></Part>`;
    const { store } = await open((_seen, index) => ({
      body: `<ListPartsResult><Bucket>b</Bucket><NextPartNumberMarker>1</NextPartNumberMarker>
        <IsTruncated>${index === 0}</IsTruncated>${part(index + 1)}</ListPartsResult>`,
    }));
    const parts = await store.listParts({ key: 'k', uploadId: 'u' });
    expect(parts.map(({ partNumber }) => partNumber)).toEqual([1, 2]);
    expect(parts[0]).toMatchObject({ size: 6291456, crc64ecma: '12741590655037800748' });
  });

  it('gives up on a server that stalls, and not on a slow one', async () => {
    const drop = (response: ServerResponse) => {
      response.writeHead(206, { ...OBJECT, 'content-length': '10000', 'content-range': 'bytes 0-9999/10000' });
      // In all longer than the idle timeout.
      let left = 40;
      const timer = setInterval(() => {
        response.write(Buffer.alloc(250));
        if (--left === 0) response.end(() => clearInterval(timer));
      }, 80);
      response.on('close', () => clearInterval(timer));
    };
    const slow = await open(() => ({ raw: drop }), {}, 3000);
    await slow.store.read('k', new Uint8Array(10_000));
    await slow.close();
    const stalled = await open(() => ({ raw: () => {} }), {}, 300);
    await fails(stalled.store.read('k', new Uint8Array(10)), 'timeout');
    await fails(stalled.store.list({}), 'timeout');
  });

  it('takes a body that ends early for truncated', async () => {
    const { store } = await open(() => ({
      raw: (response) => {
        response.writeHead(206, { ...OBJECT, 'content-length': '10', 'content-range': 'bytes 0-9/10' });
        response.write('12345', () => response.socket?.destroy());
      },
    }));
    await fails(store.read('k', new Uint8Array(10)), 'truncated');
    await fails(store.list({}), 'truncated');
  });

  it('aborts promptly, before and during a call', async () => {
    const { store, seen } = await open(() => ({ raw: () => {} }));
    await fails(store.head('k', { signal: AbortSignal.abort() }), 'aborted');
    expect(seen).toHaveLength(0);
    const controller = new AbortController();
    const work = store.put('k', Buffer.alloc(1000), { signal: controller.signal });
    setTimeout(() => controller.abort(), 30);
    await fails(work, 'aborted');
  });

  it('signs for old accounts with V1 when told to', async () => {
    const { store, seen } = await open(() => ({ headers: OBJECT }), { signature_version: 'v1', session_token: 'tok' });
    await store.put('a b', Buffer.from('x'));
    expect(seen[0]?.headers.authorization).toMatch(/^OSS test-id:/);
    expect(seen[0]?.headers['x-oss-security-token']).toBe('tok');
  });
});
