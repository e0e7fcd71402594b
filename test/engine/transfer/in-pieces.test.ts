/** Objects in one request whose bodies are sent while they arrive, between two stores over HTTP with faults. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunEvent } from '../../../src/engine/events.js';
import type { RunOptions } from '../../../src/engine/options.js';
import { runPair } from '../../../src/engine/run.js';
import { Shared } from '../../../src/engine/shared.js';
import { PIPE_BYTES } from '../../../src/engine/transfer/pipe.js';
import { IN_MEMORY, openManifest } from '../../../src/manifest/sqlite/open.js';
import { HttpTransport } from '../../../src/store/http/transport.js';
import type { ObjectStore } from '../../../src/store/port.js';
import { s3ConfigSchema } from '../../../src/store/s3/config.js';
import { createS3Store } from '../../../src/store/s3/store.js';
import { type Fault, type FaultMatch, startServer, type TestServer } from '../../support/server/index.js';
import { bytesOf, OPTIONS, side } from '../support.js';

const SIZE = 1024 * 1024 + 7;
const HALF = SIZE >> 1;
const BODY = bytesOf('body', SIZE);
const OLD = bytesOf('old', 1000);

let server: TestServer;
let transports: HttpTransport[];

beforeEach(async () => {
  server = await startServer({ s3: { defaultChecksum: false } });
  for (const bucket of ['src', 'dst']) server.core.s3.createBucket(bucket);
  server.core.s3.put('src', 'a', BODY, {});
  transports = [];
});

afterEach(async () => {
  for (const transport of transports) await transport.close();
  await server.close();
  expect(server.bugs).toEqual([]);
});

function open(bucket: string, settings: object = {}, idleTimeoutMs = 60_000): ObjectStore {
  const { endpoint, region, accessKeyId: access_key_id, secretAccessKey: secret_access_key } = server.s3;
  const config = s3ConfigSchema.parse({
    ...{ type: 's3', provider: 'minio', endpoint, region, access_key_id, secret_access_key, ...settings },
  });
  const transport = new HttpTransport({ userAgent: 'xsync-test', idleTimeoutMs });
  transports.push(transport);
  const store = createS3Store(config, bucket, { transport });
  // The service could copy; the client is to.
  store.copyableFrom = () => false;
  return store;
}

interface Stores {
  source?: object;
  dest?: object;
  idleTimeoutMs?: number;
}

async function copy(options: Partial<RunOptions> = {}, { source, dest, idleTimeoutMs }: Stores = {}) {
  const manifest = openManifest(IN_MEMORY, {
    source: { kind: 's3', endpoint: 'a', bucket: 'src', prefix: '' },
    dest: { kind: 's3', endpoint: 'b', bucket: 'dst', prefix: '' },
  });
  const pair = {
    source: side(open('src', source, idleTimeoutMs), '', 't:src'),
    dest: side(open('dst', dest, idleTimeoutMs), '', 't:dst'),
    ...{ manifest, settings: 'first', single: false },
  };
  const all = { ...OPTIONS, transfers: 2, partConcurrency: 1, ...options };
  const events: RunEvent[] = [];
  const shared = new Shared(pair, all, () => undefined);
  const summary = await runPair(pair, all, (event) => events.push(event), shared);
  expect(shared.budget.used).toBe(0);
  return { ...summary, events };
}

function fault(kind: FaultMatch['kind'], fault: Fault, match: FaultMatch = { nth: 1 }): void {
  server.faults.add({ match: { kind, ...match }, fault });
}

const reads = () => server.requests.find('GetObject', { bucket: 'src' });
const writes = () => server.requests.find('PutObject', { bucket: 'dst' });
const counts = () => ({ reads: reads().length, writes: writes().length });
const there = (key = 'a') => server.core.s3.get('dst', key)?.bytes.buffer();

function expectWhole(): void {
  expect(there()?.equals(BODY)).toBe(true);
}

describe('a body whose MD5 its source knows', () => {
  test('costs one read and one write, and only the memory of the pipe', async () => {
    const run = await copy({ maxMemory: PIPE_BYTES });
    expect(run).toMatchObject({ verified: { md5: 1 }, failed: { objects: 0 } });
    expect(counts()).toEqual({ reads: 1, writes: 1 });
    expect(run.traffic).toMatchObject({ source: { bytesIn: SIZE }, destination: { bytesOut: SIZE } });
    expect(run.events.filter(({ type }) => type === 'begin')).toHaveLength(1);
    expectWhole();
  });

  test('is on its way before it was read', async () => {
    fault('GetObject', { kind: 'stall', at: 'response', afterBytes: HALF });
    const run = await copy({}, { idleTimeoutMs: 2000 });
    // The write stayed open while the read stalled, and the destination was not blamed for it.
    expect(counts()).toEqual({ reads: 2, writes: 1 });
    expect(reads()[1]?.bytesOut).toBe(SIZE - HALF);
    const retries = run.events.flatMap((event) => (event.type === 'retry' ? [[event.side, event.code]] : []));
    expect(retries).toEqual([['source', 'timeout']]);
    expectWhole();
  });

  test('is read on where the response broke', async () => {
    fault('GetObject', { kind: 'truncate', bytes: 700_000 });
    await copy();
    expect(counts()).toEqual({ reads: 2, writes: 1 });
    expect(reads()[1]?.bytesOut).toBe(SIZE - 700_000);
    expectWhole();
  });

  test('is read on however often it breaks, as long as it gets on', async () => {
    fault('GetObject', { kind: 'truncate', bytes: 100_000 }, {});
    await copy();
    expect(counts()).toEqual({ reads: 11, writes: 1 });
    expectWhole();
  });

  test('is read again from its start when the write breaks', async () => {
    fault('PutObject', { kind: 'reset', at: 'request' });
    const run = await copy();
    expect(counts()).toEqual({ reads: 2, writes: 2 });
    expect(reads()[1]?.bytesOut).toBe(SIZE);
    expect(run).toMatchObject({ verified: { md5: 1 }, copied: { objects: 1, bytes: SIZE } });
    expectWhole();
  });

  test('is read again after an early refusal', async () => {
    fault('PutObject', { kind: 'status', status: 503, code: 'SlowDown' });
    await copy();
    expect(counts()).toEqual({ reads: 2, writes: 2 });
    expectWhole();
  });

  test('is sent again after a wrong clock and a lost answer', async () => {
    fault('PutObject', { kind: 'clock-skew', ms: 3_600_000 });
    fault('PutObject', { kind: 'reset', at: 'after' }, { nth: 2 });
    await copy();
    expect(counts()).toEqual({ reads: 3, writes: 3 });
    expectWhole();
  });

  test('never replaces a good object when its bytes are damaged on the way', async () => {
    server.core.s3.put('dst', 'a', OLD, {});
    fault('GetObject', { kind: 'flip-bit', where: 'response' }, {});
    const run = await copy();
    expect(run).toMatchObject({ failed: { objects: 1 }, verified: {} });
    expect(counts()).toEqual({ reads: 3, writes: 3 });
    expect(there()?.equals(OLD)).toBe(true);
  });

  test('is not completed with wrong bytes where the destination may not look', async () => {
    server.core.s3.put('dst', 'a', OLD, {});
    fault('GetObject', { kind: 'flip-bit', where: 'response' });
    // It promises nothing of its ETags, so that nobody knows yet whether it obeys Content-MD5.
    await copy({}, { dest: { etag_is_md5: false } });
    expect(counts()).toEqual({ reads: 2, writes: 2 });
    expect(writes().map(({ status, bytesIn }) => [status, bytesIn < SIZE])).toEqual([
      [0, true],
      [200, false],
    ]);
    expectWhole();
  });

  test('is the new version when the source changes halfway', async () => {
    const changed = bytesOf('changed', SIZE);
    fault('GetObject', { kind: 'truncate', bytes: HALF });
    fault('GetObject', { kind: 'change', bytes: changed }, { nth: 2 });
    const run = await copy();
    expect(run).toMatchObject({ verified: { md5: 1 }, failed: { objects: 0 } });
    expect(reads().map(({ status }) => status)).toEqual([206, 412, 206]);
    expect(writes().map(({ status }) => status)).toEqual([0, 200]);
    expect(there()?.equals(changed)).toBe(true);
  });

  test('is skipped when the source vanishes halfway', async () => {
    fault('GetObject', { kind: 'truncate', bytes: HALF });
    fault('GetObject', { kind: 'vanish' }, { nth: 2 });
    const run = await copy();
    expect(run.skipped.byReason).toEqual({ vanished: 1 });
    expect(there()).toBeUndefined();
  });

  test('fails as its source does, and is not written', async () => {
    fault('GetObject', { kind: 'truncate', bytes: HALF });
    fault('GetObject', { kind: 'status', status: 403, code: 'AccessDenied' }, { nth: 2, times: 99 });
    const run = await copy();
    expect(run.failed.objects).toBe(1);
    const failed = run.events.flatMap((event) => (event.type === 'failed' ? [event.code] : []));
    expect(failed).toEqual(['access-denied']);
    expect(there()).toBeUndefined();
  });

  test('arrives where either side is far slower than the other', async () => {
    const large = bytesOf('large', 6 * 1024 * 1024);
    server.core.s3.put('src', 'large', large, {});
    fault('GetObject', { kind: 'slow', bytesPerSecond: 700_000 }, { key: 'a' });
    fault('PutObject', { kind: 'slow', bytesPerSecond: 4_000_000 }, { key: 'large' });
    const run = await copy();
    expect(run.failed.objects).toBe(0);
    expect(counts()).toEqual({ reads: 2, writes: 2 });
    expectWhole();
    expect(there('large')?.equals(large)).toBe(true);
  });

  test('ends with a hard stop, and leaves nothing behind', async () => {
    fault('GetObject', { kind: 'slow', bytesPerSecond: 2_000_000 }, {});
    const run = await copy({ maxTransfer: HALF, cutoffMode: 'hard' });
    expect(run.stopped).toBe('max-transfer');
    expect(there()).toBeUndefined();
    expect(counts()).toEqual({ reads: 1, writes: 1 });
  });

  test('loses the race against another writer', async () => {
    fault('PutObject', {
      kind: 'call',
      run: (core) => void core.s3.put('dst', 'a', OLD, {}),
    });
    const run = await copy({}, { dest: { provider: 'aws', force_path_style: true } });
    expect(run.failed.objects).toBe(1);
    expect(there()?.equals(OLD)).toBe(true);
  });
});

describe('a body whose MD5 its source does not know', () => {
  test('is held, and costs one read and one write', async () => {
    const source = open('src');
    const upload = await source.createUpload('a');
    const { etag } = await source.uploadPart(upload, 1, BODY);
    await source.completeUpload(upload, [{ partNumber: 1, etag }]);
    server.requests.reset();
    const run = await copy();
    expect(run).toMatchObject({ verified: { 'md5-of-parts': 1 } });
    expect(counts()).toEqual({ reads: 1, writes: 1 });
    expectWhole();
  });

  test('is read again where the memory does not hold it beside the pipe', async () => {
    const source = open('src');
    const upload = await source.createUpload('a');
    const { etag } = await source.uploadPart(upload, 1, BODY);
    await source.completeUpload(upload, [{ partNumber: 1, etag }]);
    server.requests.reset();
    await copy({ maxMemory: PIPE_BYTES });
    expect(counts()).toEqual({ reads: 2, writes: 1 });
    expectWhole();
  });

  test('is passed on once an ETag of the source was seen to be one', async () => {
    server.core.s3.put('src', 'b', BODY, {});
    const run = await copy({ transfers: 1, maxMemory: 4 * SIZE }, { source: { etag_is_md5: false } });
    expect(run).toMatchObject({ verified: { md5: 2 } });
    expect(counts()).toEqual({ reads: 2, writes: 2 });
    expect(there('b')?.equals(BODY)).toBe(true);
  });
});
