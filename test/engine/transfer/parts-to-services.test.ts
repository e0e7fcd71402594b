/** Parts that are passed on from one store to another while memory is short. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunEvent } from '../../../src/engine/events.js';
import type { RunOptions } from '../../../src/engine/options.js';
import { runPair } from '../../../src/engine/run.js';
import { Shared } from '../../../src/engine/shared.js';
import { PIPE_BYTES } from '../../../src/engine/transfer/pipe.js';
import { IN_MEMORY, openManifest } from '../../../src/manifest/sqlite/open.js';
import { HttpTransport } from '../../../src/store/http/transport.js';
import type { ObjectStore } from '../../../src/store/port.js';
import { InterceptedStore } from '../../../src/store/wrap/intercept.js';
import { type Fault, type FaultMatch, startServer, type TestServer } from '../../support/server/index.js';
import { ossOver, putInParts, s3Over } from '../over-http.js';
import { bytesOf, contentOf, keysOf, OPTIONS, side } from '../support.js';

const PART = 5 * 1024 * 1024;
const PARTS = 6;
const SIZE = (PARTS - 1) * PART + 7;
const BODY = bytesOf('body', SIZE);
/** Room for one part: with it, memory is short. */
const MEMORY = 8 * 1024 * 1024;

let server: TestServer;
/** Another one, so that the first cannot copy to it. */
let there: TestServer;
let transport: HttpTransport;

beforeEach(async () => {
  server = await startServer({ s3: { defaultChecksum: false } });
  there = await startServer();
  server.core.s3.createBucket('src');
  there.core.s3.createBucket('dst');
  there.core.oss.createBucket('dst');
  transport = new HttpTransport({ userAgent: 'xsync-test', idleTimeoutMs: 120_000 });
  seed('a');
});

afterEach(async () => {
  await transport.close();
  await server.close();
  await there.close();
  expect([server.bugs, there.bugs]).toEqual([[], []]);
});

/** An object in parts. */
function seed(key: string, body = BODY): void {
  putInParts(server, 'src', key, body, PART);
}

const s3 = (more: object = {}): ObjectStore => s3Over(transport, there, 'dst', more);
const oss = (): ObjectStore => ossOver(transport, there, 'dst');

async function copy(dest: ObjectStore, options: Partial<RunOptions> = {}) {
  const manifest = openManifest(IN_MEMORY, {
    source: { kind: 's3', endpoint: 'a', bucket: 'src', prefix: '' },
    dest: { kind: 's3', endpoint: 'b', bucket: 'dst', prefix: '' },
  });
  const pair = {
    ...{ source: side(s3Over(transport, server, 'src'), '', 'here'), dest: side(dest, '', 'there') },
    ...{ manifest, settings: 'first', single: false },
  };
  const all = { ...OPTIONS, partSize: PART, partConcurrency: PARTS, transfers: 1, maxMemory: MEMORY, ...options };
  const shared = new Shared(pair, all, () => undefined);
  const events: RunEvent[] = [];
  let used = 0;
  const listen = (event: RunEvent): void => {
    events.push(event);
    used = Math.max(used, shared.budget.used);
  };
  const summary = await runPair(pair, all, listen, shared);
  expect(shared.budget.used).toBe(0);
  return { ...summary, events, used };
}

function fault(fault: Fault, match: FaultMatch = {}): void {
  there.faults.add({ match: { kind: 'UploadPart', ...match }, fault });
}

function progressOf(events: RunEvent[]): number {
  return events.reduce((sum, event) => sum + (event.type === 'progress' ? event.bytes : 0), 0);
}

const reads = () => server.requests.find('GetObject', { bucket: 'src' });
const writes = () => there.requests.find('UploadPart', { bucket: 'dst' });

async function expectWhole(dest: ObjectStore): Promise<void> {
  expect((await contentOf(dest, 'a')).equals(BODY)).toBe(true);
  expect((await dest.listUploads({})).uploads).toEqual([]);
}

describe.each([
  ['S3', s3],
  ['OSS', oss],
])('to %s, parts for which there is no memory', (_, open) => {
  test('are passed on while they arrive: all are in flight, each is read once, and the ETag proves them', async () => {
    const dest = open();
    const run = await copy(dest);
    expect(run).toMatchObject({ verified: { 'md5-of-parts': 1 }, failed: { objects: 0 } });
    expect([reads().length, writes().length]).toEqual([PARTS, PARTS]);
    expect(run.traffic.source.bytesIn).toBe(SIZE);
    expect(run.used).toBeLessThanOrEqual(MEMORY);
    // One is held, and the last one, which is small.
    expect(run.used).toBeGreaterThanOrEqual(PART + PIPE_BYTES);
    await expectWhole(dest);
  });

  test('are read again from their start when the connection to the destination breaks', async () => {
    const dest = open();
    fault({ kind: 'reset', at: 'request', afterBytes: PART / 2 }, { partNumber: 3, times: 1 });
    const run = await copy(dest);
    expect(run.failed.objects).toBe(0);
    expect(run.retries).toBeGreaterThan(0);
    expect(writes()).toHaveLength(PARTS + 1);
    expect(reads()).toHaveLength(PARTS + 1);
    expect(progressOf(run.events)).toBe(SIZE);
    await expectWhole(dest);
  });

  test('are read on where the connection to the source breaks', async () => {
    const dest = open();
    server.faults.add({ match: { kind: 'GetObject', nth: 4 }, fault: { kind: 'truncate', bytes: 1_000_000 } });
    const run = await copy(dest);
    expect(run.failed.objects).toBe(0);
    expect(writes()).toHaveLength(PARTS);
    expect(run.traffic.source.bytesIn).toBe(SIZE);
    await expectWhole(dest);
  });

  test('are held and sent again, with their checksum, when other bytes arrived', async () => {
    const dest = open();
    fault({ kind: 'flip-bit', where: 'stored' }, { partNumber: 3, times: 1 });
    const run = await copy(dest, { objectAttempts: 1 });
    expect(run).toMatchObject({ verified: { 'md5-of-parts': 1 }, failed: { objects: 0 } });
    expect(writes().filter(({ partNumber }) => partNumber === 3)).toHaveLength(2);
    expect(progressOf(run.events)).toBe(SIZE);
    await expectWhole(dest);
  });

  test('are held by an object whose destination refuses one that comes without its checksum', async () => {
    const dest = open();
    fault({ kind: 'status', status: 400, code: 'InvalidRequest' }, { partNumber: 2, times: 1 });
    const run = await copy(dest, { objectAttempts: 1 });
    expect(run.failed.objects).toBe(0);
    expect(writes().filter(({ partNumber }) => partNumber === 2)).toHaveLength(2);
    await expectWhole(dest);
  });

  test('fail with what the destination says when it refuses the part from memory, too', async () => {
    fault({ kind: 'status', status: 403, code: 'AccessDenied' }, { partNumber: 2 });
    const dest = open();
    const run = await copy(dest, { objectAttempts: 1 });
    expect(run.events.filter(({ type }) => type === 'failed')).toMatchObject([{ code: 'access-denied' }]);
    expect(await keysOf(dest)).toEqual([]);
  });

  test('are not read when the upload is refused', async () => {
    there.faults.add({
      match: { kind: 'CreateMultipartUpload' },
      fault: { kind: 'status', status: 403, code: 'AccessDenied' },
    });
    const run = await copy(open(), { objectAttempts: 1 });
    expect(run.events.filter(({ type }) => type === 'failed')).toMatchObject([{ code: 'access-denied' }]);
    expect(reads()).toHaveLength(1);
  });

  test('are not read again when the source refuses them', async () => {
    server.faults.add({
      match: { kind: 'GetObject', nth: 3, times: 99 },
      fault: { kind: 'status', status: 403, code: 'AccessDenied' },
    });
    const run = await copy(open(), { objectAttempts: 1 });
    expect(run.failed.objects).toBe(1);
    expect(reads().length).toBeLessThanOrEqual(PARTS);
  });

  test('start again when the source has changed', async () => {
    const dest = open();
    const other = bytesOf('other', SIZE);
    server.faults.add({ match: { kind: 'GetObject', nth: 4 }, fault: { kind: 'change', bytes: other } });
    const run = await copy(dest);
    expect(run.copied.objects).toBe(1);
    expect((await contentOf(dest, 'a')).equals(other)).toBe(true);
  });
});

test.each([
  ['there is memory', {}, { maxMemory: 1024 ** 3 }],
  ['the ETag of a part promises nothing', { etag_is_md5: false }, {}],
  ['checksums are ignored', {}, { ignoreChecksum: true }],
] as [string, object, Partial<RunOptions>][])('parts are held while %s', async (_, config, options) => {
  const dest = s3(config);
  const run = await copy(dest, options);
  expect(run.failed.objects).toBe(0);
  // No pipe is in use, only whole parts and the last one.
  expect(run.used % PART).toBeLessThanOrEqual(7);
  await expectWhole(dest);
});

test('a destination whose answers lack what it promises gets the parts of later objects from memory', async () => {
  for (const key of ['b', 'c', 'd']) seed(key);
  const dest = new InterceptedStore(s3(), async (call, run) => {
    const answer = await run(call.pace, call.onRequest);
    if (call.kind === 'uploadPart') Object.assign(answer as object, { checksums: {} });
    return answer;
  });
  const run = await copy(dest as ObjectStore);
  expect(run.failed.objects).toBe(0);
  // At most those of the first object that were on their way.
  expect(writes().length).toBeLessThanOrEqual(4 * PARTS + PARTS);
});

test('parts are not read a second time because their writes take longer than the reads of others', async () => {
  // A twentieth of them may be wasted: enough for a whole part.
  const parts = 26;
  const body = bytesOf('long', parts * PART);
  seed('a', body);
  fault({ kind: 'slow', bytesPerSecond: 1.4 * 1024 * 1024 });
  const run = await copy(s3(), { partConcurrency: 12, maxMemory: 64 * 1024 * 1024 });
  expect(run.events.filter(({ type }) => type === 'race')).toEqual([]);
  expect([reads().length, writes().length, progressOf(run.events)]).toEqual([parts, parts, body.byteLength]);
});
