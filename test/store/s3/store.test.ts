import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { md5 } from '../../../src/hash/index.js';
import { HttpTransport } from '../../../src/store/http/transport.js';
import { s3ConfigSchema } from '../../../src/store/s3/config.js';
import { ChainSource } from '../../../src/store/s3/credentials.js';
import { createS3Store, type S3Deps, type S3Store } from '../../../src/store/s3/store.js';
import { expiryOf } from '../../../src/store/urls/expiry.js';
import { startServer } from '../../support/server/index.js';

const server = await startServer();
afterAll(() => server.close());
let transport: HttpTransport;
let store: S3Store;
let buckets = 0;

function on(bucket: string, more: Record<string, unknown> = {}, deps: Partial<S3Deps> = {}): S3Store {
  const { endpoint, region, accessKeyId, secretAccessKey } = server.s3;
  const keys = { access_key_id: accessKeyId, secret_access_key: secretAccessKey };
  const config = s3ConfigSchema.parse({ type: 's3', provider: 'aws', endpoint, region, ...keys, ...more });
  return createS3Store(config, bucket, { transport, ...deps });
}

beforeEach(async () => {
  transport = new HttpTransport({ userAgent: 'xsync-test', idleTimeoutMs: 60_000 });
  store = on(`bucket-${++buckets}`);
  await store.createBucket();
  server.requests.reset();
});

afterEach(async () => {
  server.faults.clear();
  server.clockOffsetMs = 0;
  await transport.close();
});

const body = Buffer.from('some bytes');

describe('what a call costs', () => {
  it('is one request each, since every request is billed', async () => {
    const { etag } = await store.put('a', body, { contentMd5: md5(body) });
    await store.read('a', new Uint8Array(body.length), { ifMatch: etag });
    await store.put('empty', new Uint8Array());
    await store.read('empty', new Uint8Array());
    await store.list({});
    await store.copy(store, 'a', 'b', { ifMatch: etag });
    await store.delete(['a', 'b', 'empty']);
    expect(server.requests.counts()).toEqual({
      PutObject: 2,
      GetObject: 1,
      HeadObject: 1,
      ListObjects: 1,
      CopyObject: 1,
      DeleteObjects: 1,
    });
  });

  it('is never multiplied by hidden retries', async () => {
    server.faults.add({ fault: { kind: 'status', status: 503, code: 'SlowDown', retryAfter: 2 } });
    await expect(store.head('a')).rejects.toMatchObject({ code: 'throttled', retryAfterMs: 2000 });
    await expect(store.list({})).rejects.toMatchObject({ code: 'throttled', serviceCode: 'SlowDown' });
    expect(server.requests.count()).toBe(2);
  });
});

describe('a wrong clock', () => {
  it.each([
    ['list', () => store.list({})],
    ['a HEAD, whose refusal has no body', () => store.head('a')],
  ])('is corrected once and for all by the first refusal: %s', async (_name, call) => {
    await store.put('a', body);
    server.clockOffsetMs = 3_600_000;
    server.requests.reset();
    await call();
    expect(server.requests.count()).toBe(2);
    await call();
    expect(server.requests.count()).toBe(3);
  });

  it('is not chased for ever', async () => {
    server.faults.add({ fault: { kind: 'status', status: 403, code: 'RequestTimeTooSkewed' } });
    await expect(store.list({})).rejects.toMatchObject({ code: 'clock-skew' });
    expect(server.requests.count()).toBe(1);
  });
});

describe('damage on the way', () => {
  it('never makes a short listing of a page that was cut', async () => {
    await store.put('a', body);
    server.faults.add({ match: { kind: 'ListObjects' }, fault: { kind: 'truncated-xml' } });
    await expect(store.list({})).rejects.toMatchObject({ code: 'invalid-response' });
  });

  it('never passes a short body for a whole one, even when HTTP looks right', async () => {
    await store.put('a', body);
    for (const clean of [false, true]) {
      server.faults.add({ match: { kind: 'GetObject', times: 1 }, fault: { kind: 'truncate', clean } });
      await expect(store.read('a', new Uint8Array(body.length))).rejects.toMatchObject({ code: 'truncated' });
    }
  });

  it('lets the store refuse a body that differs from its MD5', async () => {
    const wrong = store.put('a', body, { contentMd5: md5(Buffer.from('other')) });
    await expect(wrong).rejects.toMatchObject({ code: 'checksum-mismatch' });
    await expect(store.head('a')).rejects.toMatchObject({ code: 'object-not-found' });
  });

  it('is told as timeout, reset or cut, which a retry can mend', async () => {
    await store.put('a', body);
    const hasty = new HttpTransport({ userAgent: 'xsync-test', idleTimeoutMs: 300 });
    for (const [fault, code] of [
      [{ kind: 'stall', at: 'response' }, 'timeout'],
      [{ kind: 'reset', at: 'before' }, 'network'],
      [{ kind: 'reset', at: 'response' }, 'network'],
    ] as const) {
      const remove = server.faults.add({ match: { kind: 'GetObject' }, fault: fault });
      const from = fault.kind === 'stall' ? on(store.identity.bucket, {}, { transport: hasty }) : store;
      const read = from.read('a', new Uint8Array(body.length));
      await expect(read).rejects.toMatchObject({ code, class: 'temporary' });
      remove();
    }
    await hasty.close();
  });

  it('does not take a 200 with an error inside for a finished copy or upload', async () => {
    await store.put('a', body);
    const upload = await store.createUpload('m');
    const { etag } = await store.uploadPart(upload, 1, body);
    server.faults.add({ fault: { kind: 'status', status: 200, code: 'InternalError' } });
    await expect(store.copy(store, 'a', 'b')).rejects.toMatchObject({ code: 'server-error' });
    const complete = store.completeUpload(upload, [{ partNumber: 1, etag }]);
    await expect(complete).rejects.toMatchObject({ code: 'server-error' });
  });
});

describe('credentials', () => {
  it('never show in an error', async () => {
    const secret = 'very-secret-value';
    const error = await on('bucket-1', { secret_access_key: secret })
      .list({})
      .then(
        () => undefined,
        (reason: Error) => reason,
      );
    expect(error).toMatchObject({ code: 'bad-credentials' });
    expect(JSON.stringify(error) + error?.stack).not.toContain(secret);
  });

  it('that the store calls expired are fetched anew, so that a long run goes on', async () => {
    const { accessKeyId, secretAccessKey } = server.s3;
    let fetched = 0;
    const fetch = async () => {
      fetched++;
      return { accessKeyId, secretAccessKey };
    };
    const chained = on(`bucket-${buckets}`, {}, { credentials: new ChainSource(fetch, 'role') });
    server.faults.add({ match: { times: 1 }, fault: { kind: 'expired-credentials' } });
    await expect(chained.list({})).rejects.toMatchObject({ code: 'expired-credentials', class: 'temporary' });
    await chained.list({});
    expect(fetched).toBe(2);
  });
});

describe('a presigned URL', () => {
  it('reads the object without credentials, whatever its key', async () => {
    await store.put("a/../b +é'.txt", body);
    const url = await store.presign('GET', "a/../b +é'.txt", 60);
    const { origin } = new URL(url);
    const path = url.slice(origin.length);
    const answer = await transport.request({ method: 'GET', origin, path, headers: {} });
    expect([answer.status, answer.body.toString()]).toEqual([200, 'some bytes']);
  });

  it('ends with its own time or with the credentials that signed it, whichever is earlier', async () => {
    const { accessKeyId, secretAccessKey } = server.s3;
    const endMs = Date.now() + 3_000_000;
    const fetch = async () => ({ accessKeyId, secretAccessKey, expiresMs: endMs });
    const chained = on(`bucket-${buckets}`, {}, { credentials: new ChainSource(fetch, 'role') });
    expect((await chained.signedUrl('a', { expiresS: 3_600 })).expiresMs).toBe(endMs);
    expect((await chained.signedUrl('a', { expiresS: 60 })).expiresMs).toBeLessThan(endMs);
    const { url, expiresMs } = await store.signedUrl('a', { expiresS: 3_600 });
    expect(Math.floor(expiresMs / 1000) * 1000).toBe(expiryOf(url));
  });
});
