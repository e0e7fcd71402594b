import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../support/server/index.js';
import { oss, ossMessage, s3 } from './wire.js';

const bucket = 'bucket';
const BODY = Buffer.alloc(100_000, 'x');

let server: TestServer;

beforeEach(async () => {
  server = await startServer({ oss: { pathStyle: true } });
  for (const store of [server.core.s3, server.core.oss]) {
    store.createBucket(bucket);
    store.put(bucket, 'k', BODY);
  }
});

afterEach(async () => {
  expect(server.bugs).toEqual([]);
  await server.close();
});

const get = () => oss(server, { bucket, key: 'k' });
const put = (key = 'new') => oss(server, { method: 'PUT', bucket, key, body: BODY });
const stored = (key = 'new') => server.core.oss.get(bucket, key);

describe('a reset', () => {
  it('before anything is done leaves nothing behind', async () => {
    server.faults.add({ match: { kind: 'PutObject' }, fault: { kind: 'reset', at: 'before' } });
    await expect(put()).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(stored()).toBeUndefined();
  });

  it('in the middle of a body leaves nothing behind', async () => {
    server.faults.add({ match: { kind: 'PutObject' }, fault: { kind: 'reset', at: 'request' } });
    await expect(put()).rejects.toMatchObject({ code: expect.stringMatching(/ECONNRESET|EPIPE/) });
    expect(stored()).toBeUndefined();
  });

  it('after the effect leaves the object there, and the client in the dark', async () => {
    server.faults.add({ match: { kind: 'PutObject' }, fault: { kind: 'reset', at: 'after' } });
    await expect(put()).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(stored()?.bytes.size).toBe(BODY.byteLength);
    expect(server.requests.entries[0]).toMatchObject({ acknowledged: false, faulted: true, status: 0 });
  });

  it('in the middle of an answer is an error, not a short object', async () => {
    server.faults.add({ match: { kind: 'GetObject' }, fault: { kind: 'reset', at: 'response', afterBytes: 10 } });
    await expect(get()).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(server.requests.entries[0]).toMatchObject({ bytesOut: 10, acknowledged: false });
  });
});

describe('a stall', () => {
  it.each([
    ['before', 'GetObject', undefined],
    ['response', 'GetObject', 5],
    ['request', 'PutObject', undefined],
    ['after', 'PutObject', undefined],
  ] as const)('%s the effect never ends by itself', async (at, kind, bytes) => {
    server.faults.add({ match: { kind }, fault: { kind: 'stall', at, ...(bytes ? { afterBytes: bytes } : {}) } });
    const message = ossMessage(server, { method: kind === 'PutObject' ? 'PUT' : 'GET', bucket, key: 'k', body: BODY });
    const { hostname, port } = new URL(server.oss.endpoint);
    const { method, target: path, headers } = message;
    let received = 0;
    const ended = await new Promise<boolean>((resolve) => {
      const req = request({ hostname, port, method, path, headers }, (res) => {
        res.on('data', (chunk: Buffer) => {
          received += chunk.byteLength;
        });
        res.on('end', () => resolve(true));
        res.on('error', () => resolve(false));
      });
      req.on('error', () => resolve(false));
      req.setTimeout(150, () => req.destroy());
      req.end(method === 'PUT' ? message.body : undefined);
    });
    expect({ ended, received }).toEqual({ ended: false, received: bytes ?? 0 });
  });
});

describe('a truncated body', () => {
  it('breaks the connection when Content-Length promised more', async () => {
    server.faults.add({ match: { kind: 'GetObject' }, fault: { kind: 'truncate', bytes: 7 } });
    await expect(get()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('looks right to HTTP when it is clean, so that only the size or the checksum tells', async () => {
    server.faults.add({ match: { kind: 'GetObject' }, fault: { kind: 'truncate', bytes: 7, clean: true } });
    const answer = await get();
    expect(answer.headers['content-length']).toBe('7');
    expect(answer.headers['x-oss-hash-crc64ecma']).toBe(stored('k')?.crc64ecma);
  });
});

describe('corruption', () => {
  it('of an answer leaves its checksums as they were', async () => {
    server.faults.add({ match: { kind: 'GetObject' }, fault: { kind: 'flip-bit', where: 'response' } });
    const answer = await get();
    expect(answer.body.equals(BODY)).toBe(false);
    expect(answer.body).toHaveLength(BODY.byteLength);
    expect(answer.headers.etag).toBe(`"${stored('k')?.etag}"`);
    expect(server.core.oss.read(bucket, 'k').equals(BODY)).toBe(true);
  });

  it('of what is stored shows in the ETag and CRC that the write answers', async () => {
    const clean = await put('clean');
    server.faults.add({ match: { kind: 'PutObject' }, fault: { kind: 'flip-bit', where: 'stored' } });
    const answer = await put();
    expect(answer.headers.etag).not.toBe(clean.headers.etag);
    expect(answer.headers['x-oss-hash-crc64ecma']).not.toBe(clean.headers['x-oss-hash-crc64ecma']);
    expect(server.core.oss.read(bucket, 'new').equals(BODY)).toBe(false);
  });

  it('of a checksum alone leaves the bytes', async () => {
    server.faults.add({ fault: { kind: 'wrong-checksum' } });
    expect((await put()).headers['x-oss-hash-crc64ecma']).not.toBe(stored()?.crc64ecma);
    expect(server.core.oss.read(bucket, 'new').equals(BODY)).toBe(true);
  });
});

describe('an error status', () => {
  it('comes without the effect, and says how long to wait', async () => {
    const fault = { kind: 'status', status: 503, retryAfter: 2, qosDelayMs: 300 } as const;
    server.faults.add({ match: { kind: 'PutObject', times: 1 }, fault });
    const answer = await put();
    expect(answer).toMatchObject({ status: 503, code: 'ServiceUnavailable' });
    expect(answer.headers).toMatchObject({ 'retry-after': '2', 'x-oss-qos-delay-time': '300' });
    expect(stored()).toBeUndefined();
    expect(await put()).toMatchObject({ status: 200 });
  });

  it('can come although the effect is done', async () => {
    server.faults.add({ fault: { kind: 'status', status: 500, effect: true } });
    expect(await put()).toMatchObject({ status: 500, code: 'InternalError' });
    expect(stored()).toBeDefined();
  });

  it('speaks the words of its protocol', async () => {
    server.faults.add({ match: { protocol: 's3' }, fault: { kind: 'status', status: 503, code: 'SlowDown' } });
    expect(await s3(server, { path: '/bucket/k' })).toMatchObject({ status: 503, code: 'SlowDown' });
    expect(await get()).toMatchObject({ status: 200 });
  });
});

describe('a rule hits', () => {
  const statuses = async (n: number) => {
    const seen: number[] = [];
    for (let i = 0; i < n; i++) seen.push((await get()).status);
    return seen;
  };
  const fault = { kind: 'status', status: 500 } as const;

  it('the nth request alone, so that a listing can fail half-way', async () => {
    server.faults.add({ match: { kind: 'GetObject', nth: 2 }, fault });
    expect(await statuses(4)).toEqual([200, 500, 200, 200]);
  });

  it('so many from the nth on', async () => {
    server.faults.add({ match: { nth: 2, times: 2 }, fault });
    expect(await statuses(4)).toEqual([200, 500, 500, 200]);
  });

  it('only the key, bucket and kind that it names', async () => {
    server.faults.add({ match: { key: /^other/ }, fault });
    server.faults.add({ match: { bucket: 'other' }, fault });
    server.faults.add({ match: { kind: ['PutObject', 'HeadObject'] }, fault });
    expect(await statuses(1)).toEqual([200]);
    expect((await put()).status).toBe(500);
  });

  it('the same requests again for the same seed', async () => {
    const run = async (seed: number) => {
      server.faults.clear();
      server.faults.add({ match: { probability: 0.5, seed }, fault });
      return statuses(20);
    };
    const first = await run(7);
    expect(await run(7)).toEqual(first);
    expect(await run(8)).not.toEqual(first);
    expect(new Set(first)).toEqual(new Set([200, 500]));
  });

  it('nothing once it is taken out', async () => {
    const remove = server.faults.add({ fault });
    remove();
    expect(await statuses(1)).toEqual([200]);
  });
});

describe('the world changes', () => {
  it('between two ranged reads, and If-Match sees it', async () => {
    const etag = String((await get()).headers.etag);
    server.faults.add({ match: { kind: 'GetObject', nth: 2 }, fault: { kind: 'change' } });
    const read = () => oss(server, { bucket, key: 'k', headers: { 'if-match': etag, range: 'bytes=0-9' } });
    expect(await read()).toMatchObject({ status: 206 });
    expect(await read()).toMatchObject({ status: 412 });
  });

  it('when an object vanishes under a read', async () => {
    server.faults.add({ match: { kind: 'GetObject' }, fault: { kind: 'vanish' } });
    expect(await get()).toMatchObject({ status: 404, code: 'NoSuchKey' });
  });

  it('in any way that a test can write down', async () => {
    const run = (core: TestServer['core']) => {
      core.oss.put(bucket, 'beside', 'new');
    };
    server.faults.add({ match: { kind: 'GetObject', nth: 1 }, fault: { kind: 'call', run } });
    await get();
    expect(stored('beside')).toBeDefined();
  });
});

it('credentials that expire are told apart from wrong ones', async () => {
  server.faults.add({ fault: { kind: 'expired-credentials' } });
  expect(await get()).toMatchObject({ status: 403, code: 'SecurityTokenExpired' });
  expect(await s3(server, { path: '/bucket/k' })).toMatchObject({ status: 400, code: 'ExpiredToken' });
});

it('a clock that is off for one request is right again for the next', async () => {
  server.faults.add({ match: { nth: 1 }, fault: { kind: 'clock-skew', ms: 3_600_000 } });
  expect(await get()).toMatchObject({ status: 403, code: 'RequestTimeTooSkewed' });
  expect(await get()).toMatchObject({ status: 200 });
});

describe('a listing', () => {
  const list = () => oss(server, { bucket, query: { 'list-type': '2' } });

  it('can come out of order', async () => {
    server.core.oss.put(bucket, 'a', '');
    server.faults.add({ match: { kind: 'ListObjects' }, fault: { kind: 'unordered-list' } });
    expect([...(await list()).text.matchAll(/<Key>(.*?)</g)].map((match) => match[1])).toEqual(['k', 'a']);
  });

  it('can end in the middle of its XML although HTTP says that it is whole', async () => {
    const whole = (await list()).text;
    server.faults.add({ match: { kind: 'ListObjects' }, fault: { kind: 'truncated-xml' } });
    const cut = (await list()).text;
    expect(whole.startsWith(cut)).toBe(true);
    expect(cut).not.toContain('</ListBucketResult>');
    expect(server.requests.find('ListObjects').map((entry) => entry.acknowledged)).toEqual([true, false]);
  });
});

it('a slow answer takes its time and is whole', async () => {
  server.faults.add({ fault: { kind: 'slow', delayMs: 50, bytesPerSecond: 500_000 } });
  const before = Date.now();
  const answer = await get();
  // 100,000 bytes at 500,000 bytes/s and 50 ms: 250 ms; timers may be a little early.
  expect(Date.now() - before).toBeGreaterThan(200);
  expect(answer.body.equals(BODY)).toBe(true);
});

describe('the log', () => {
  it('counts every request by kind, refused ones too', async () => {
    await put();
    await get();
    await oss(server, { bucket, key: 'none' });
    await s3(server, { path: '/bucket/', query: { 'list-type': '2' } });
    expect(server.requests.counts()).toEqual({ PutObject: 1, GetObject: 2, ListObjects: 1 });
    expect(server.requests.counts({ protocol: 'oss' })).toEqual({ PutObject: 1, GetObject: 2 });
    expect(server.requests.find('PutObject')[0]).toMatchObject({
      bucket,
      key: 'new',
      status: 200,
      bytesIn: BODY.byteLength,
      acknowledged: true,
      faulted: false,
    });
    server.requests.reset();
    expect(server.requests.count()).toBe(0);
  });

  it('names part and upload', async () => {
    await oss(server, { method: 'PUT', bucket, key: 'p', query: { partNumber: '3', uploadId: 'U' }, body: 'x' });
    expect(server.requests.entries[0]).toMatchObject({ kind: 'UploadPart', partNumber: 3, uploadId: 'U', status: 404 });
  });
});

describe('a client that waits for 100 Continue', () => {
  /** Sends the body only once it is told to, or at once when it does not ask. */
  function putWaiting(to: string, expect: boolean): Promise<{ status: number | undefined; continued: boolean }> {
    const message = ossMessage(server, { method: 'PUT', bucket: to, key: 'waited', body: BODY });
    const { hostname, port } = new URL(server.oss.endpoint);
    const headers = { ...message.headers, ...(expect ? { expect: '100-continue' } : {}) };
    let continued = false;
    return new Promise((resolve, reject) => {
      const req = request({ hostname, port, method: 'PUT', path: message.target, headers, agent: false }, (res) => {
        res.resume();
        resolve({ status: res.statusCode, continued });
        req.destroy();
      });
      req.on('continue', () => {
        continued = true;
        if (expect) req.end(BODY);
      });
      req.on('error', reject);
      if (expect) req.flushHeaders();
      else req.end(BODY);
    });
  }

  it('gets its refusal before it sends the body', async () => {
    expect(await putWaiting('nowhere', true)).toEqual({ status: 404, continued: false });
  });

  it('is told to go on when the request is fine, and others are not bothered', async () => {
    expect(await putWaiting(bucket, true)).toEqual({ status: 200, continued: true });
    expect(server.core.oss.read(bucket, 'waited').equals(BODY)).toBe(true);
    expect(await putWaiting(bucket, false)).toEqual({ status: 200, continued: false });
  });
});
