import { type AddressInfo, createServer } from 'node:net';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { XsyncError } from '../../../src/model/error.js';
import { s3ConfigSchema } from '../../../src/store/s3/config.js';
import { ChainSource } from '../../../src/store/s3/credentials.js';
import { createS3SdkStore, openS3SdkStore, type S3SdkDeps, type S3SdkStore } from '../../../src/store/s3/sdk.js';
import { startServer } from '../../support/server/index.js';

const server = await startServer();
afterAll(() => server.close());
let store: S3SdkStore;
let buckets = 0;

function on(bucket: string, more: Record<string, unknown> = {}, deps: S3SdkDeps = {}): S3SdkStore {
  const { endpoint, region, accessKeyId, secretAccessKey } = server.s3;
  const keys = { access_key_id: accessKeyId, secret_access_key: secretAccessKey };
  const config = s3ConfigSchema.parse({ type: 's3', provider: 'aws', endpoint, region, ...keys, ...more });
  return createS3SdkStore(config, bucket, { idleTimeoutMs: 60_000, ...deps });
}

beforeEach(async () => {
  store = on(`bucket-${++buckets}`);
  await store.createBucket();
  server.requests.reset();
});

afterEach(async () => {
  server.faults.clear();
  server.clockOffsetMs = 0;
  await store.close();
});

const body = Buffer.from('some bytes');

describe('what a call costs', () => {
  it('is one request each, since every request is billed', async () => {
    const { etag } = await store.put('a', body);
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
    ['a body, which is sent anew', () => store.put('b', new Uint8Array(200_000))],
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

  it('is told as timeout, reset or cut, which a retry can mend', async () => {
    await store.put('a', body);
    for (const [fault, code] of [
      [{ kind: 'stall', at: 'response' }, 'timeout'],
      [{ kind: 'stall', at: 'before' }, 'timeout'],
      [{ kind: 'reset', at: 'before' }, 'network'],
      [{ kind: 'reset', at: 'response' }, 'truncated'],
    ] as const) {
      const remove = server.faults.add({ match: { kind: 'GetObject' }, fault: fault });
      const hasty = on(store.identity.bucket, {}, { idleTimeoutMs: 300 });
      const read = (fault.kind === 'stall' ? hasty : store).read('a', new Uint8Array(body.length));
      await expect(read).rejects.toMatchObject({ code, class: 'temporary' });
      remove();
      await hasty.close();
    }
  });

  it('is told by the error alone: the SDK writes nothing over the progress display', async () => {
    const said = vi.spyOn(console, 'warn');
    server.faults.add({ match: { kind: 'PutObject' }, fault: { kind: 'reset', at: 'request' } });
    await expect(store.put('a', new Uint8Array(100_000))).rejects.toMatchObject({ code: 'network' });
    server.faults.add({ match: { kind: 'ListObjects' }, fault: { kind: 'truncated-xml' } });
    await expect(store.list({})).rejects.toMatchObject({ code: 'invalid-response' });
    expect(said).not.toHaveBeenCalled();
  });

  it('is told where no server listens', async () => {
    const nobody = on('bucket', { endpoint: 'http://127.0.0.1:1' });
    await expect(nobody.list({})).rejects.toMatchObject({ code: 'unreachable', subject: '127.0.0.1:1' });
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

describe('a slow line', () => {
  it('never ends a call that moves, in either direction', async () => {
    const patient = on(`bucket-${buckets}`, {}, { idleTimeoutMs: 4_000 });
    // More than the socket buffers of a loopback connection swallow.
    const large = new Uint8Array(40_000_000);
    await patient.put('a', large);
    server.faults.add({ fault: { kind: 'slow', bytesPerSecond: 7_000_000 } });
    await Promise.all([patient.put('b', large), patient.read('a', new Uint8Array(large.length))]);
    await patient.close();
  });

  it('is not what a pace makes that holds a transfer longer than the idle timeout', async () => {
    const quick = on(`bucket-${buckets}`, {}, { idleTimeoutMs: 1_200 });
    const once = () => {
      let held = false;
      return () => {
        if (held) return undefined;
        held = true;
        return new Promise<void>((resolve) => setTimeout(resolve, 1_500));
      };
    };
    await quick.put('a', new Uint8Array(100_000), { pace: once() });
    await quick.read('a', new Uint8Array(100_000), { pace: once() });
    await quick.close();
  });
});

describe('a pace that fails', () => {
  it('ends its call with that fault and nothing else', async () => {
    const pace = () => Promise.reject(new XsyncError('limit', 'no more'));
    await store.put('a', body);
    await expect(store.put('b', new Uint8Array(100_000), { pace })).rejects.toThrow('no more');
    await expect(store.read('a', new Uint8Array(body.length), { pace })).rejects.toThrow('no more');
    await store.put('b', body);
  });
});

describe('an answer before the body was sent', () => {
  it('ends the sending: the caller may use its memory for something else by then', async () => {
    const large = new Uint8Array(32 * 1024 * 1024);
    let taken = 0;
    let over = () => {};
    const settled = new Promise<void>((resolve) => (over = resolve));
    const early = createServer((socket) => {
      socket.once('data', () => {
        socket.pause().write('HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\n\r\n');
        setTimeout(() => socket.resume(), 200);
      });
      socket.on('data', (data) => {
        taken += data.length;
        if (taken >= large.length) over();
      });
      socket.on('error', over).on('close', over);
    });
    await new Promise<void>((resolve) => early.listen(0, '127.0.0.1', resolve));
    const hasty = on('bucket', { endpoint: `http://127.0.0.1:${(early.address() as AddressInfo).port}` });
    await expect(hasty.put('a', large)).rejects.toMatchObject({ code: 'throttled' });
    await settled;
    expect(taken).toBeLessThan(large.length);
    await hasty.close();
    await new Promise((resolve) => early.close(resolve));
  });
});

describe('what a request carries', () => {
  it('is what compatible stores know: no CRC32, no waiting for 100-continue', async () => {
    const seen: string[] = [];
    const spy = createServer((socket) => {
      socket.on('data', (data) => seen.push(data.toString('latin1')));
      socket.on('data', () => socket.end('HTTP/1.1 503 Slow Down\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => spy.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(spy.address() as AddressInfo).port}`;
    const watched = on('bucket', { endpoint, requester_pays: true });
    for (const call of [
      () => watched.put('a/../b//c', body),
      () => watched.put('b', new Uint8Array(3_000_000)),
      () => watched.delete(['a']),
      () => watched.createUpload('a'),
    ]) {
      await expect(call()).rejects.toMatchObject({ class: 'temporary' });
    }
    const text = seen.join('');
    expect(text).toContain('PUT /bucket/a/../b//c?');
    expect(text).toMatch(/^content-md5:/im);
    expect(text).not.toMatch(/crc32|expect:|content-type: application\/octet-stream/i);
    expect(text.match(/^x-amz-request-payer: requester/gm)).toHaveLength(4);
    await watched.close();
    await new Promise((resolve) => spy.close(resolve));
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
    await chained.close();
  });

  it('that cannot be had are told as such', async () => {
    const fetch = () => Promise.reject(new Error('no role'));
    const chained = on(`bucket-${buckets}`, {}, { credentials: new ChainSource(fetch, 'role') });
    await expect(chained.list({})).rejects.toMatchObject({ code: 'bad-credentials' });
  });
});

describe('acceleration', () => {
  const keys = { type: 's3', access_key_id: 'A', secret_access_key: 's' };

  it('is refused in China with the reason, before anything is paid for', () => {
    const config = s3ConfigSchema.parse({ ...keys, region: 'cn-north-1', accelerate: 'on' });
    expect(() => createS3SdkStore(config, 'bucket')).toThrow(/no transfer acceleration in its China regions/);
  });

  it('is not paid for unmeasured', async () => {
    const config = s3ConfigSchema.parse({ ...keys, region: 'us-west-2', accelerate: 'auto' });
    expect(await openS3SdkStore(config, 'bucket')).toMatchObject({ acceleration: expect.stringMatching(/^off/) });
  });
});
