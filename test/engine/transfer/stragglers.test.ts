/** Parts that are far slower than their siblings, on a clock that the test moves. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunEvent } from '../../../src/engine/events.js';
import type { RunOptions } from '../../../src/engine/options.js';
import { XsyncError } from '../../../src/model/error.js';
import { HttpTransport } from '../../../src/store/http/transport.js';
import type { MemoryStoreOptions } from '../../../src/store/memory/store.js';
import { ossConfigSchema } from '../../../src/store/oss/config.js';
import { createOssStore } from '../../../src/store/oss/store.js';
import type { Pace } from '../../../src/store/port.js';
import { startServer } from '../../support/server/index.js';
import { bytesOf, contentOf, Pair, side } from '../support.js';

const KiB = 1024;
const PART = 64 * KiB;
const PARTS = 40;
const SIZE = PARTS * PART;
const CUT: Partial<RunOptions> = { partSize: PART, partConcurrency: 8, transfers: 1 };

type RaceEvent = Extract<RunEvent, { type: 'race' }>;

interface Run {
  races: RaceEvent[];
  waste: { parts: number; bytes: number };
  failed: number;
  /** Of the test's clock. */
  tookMs: number;
}

/** What a request that hangs does. */
interface Hang {
  /** Bytes that go before it hangs. */
  moved: number;
  /** It goes on after so long; never when absent. */
  ms?: number;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

async function pairOf(stores?: ConstructorParameters<typeof Pair>[0]): Promise<Pair> {
  const pair = new Pair(stores);
  await pair.source.put('big', bytesOf('big', SIZE));
  return pair;
}

/** Copies, while the clock goes on by a tenth of a second whenever nothing else happens. */
async function copy(pair: Pair, options: Partial<RunOptions> = {}, mostMs = 600_000): Promise<Run> {
  const started = performance.now();
  let done = false;
  const running = pair.copy({ ...CUT, ...options }).finally(() => {
    done = true;
  });
  while (!done && performance.now() - started < mostMs) {
    for (let i = 0; i < 20 && !done; i++) await new Promise(setImmediate);
    if (!done) await vi.advanceTimersByTimeAsync(100);
  }
  const run = await running;
  const races = run.events.filter((event): event is RaceEvent => event.type === 'race');
  return { races, waste: run.waste, failed: run.failed.objects, tookMs: performance.now() - started };
}

async function hang({ moved, ms }: Hang, { signal, pace }: { signal?: AbortSignal; pace?: Pace }): Promise<void> {
  await pace?.(moved);
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => reject(new XsyncError('aborted', 'aborted'));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    if (ms !== undefined) setTimeout(resolve, ms);
  });
}

/** The paces of the rest, where the first bytes have been told. */
function rest(pace: Pace | undefined, moved: number): Pace {
  return (bytes) => pace?.(bytes - moved);
}

interface Calls {
  /** Part numbers in the order of their requests. */
  parts: number[];
  running: number;
  runningAtCompletion: number | undefined;
}

/** Part `n`'s `times`-th request to the destination hangs as told. */
function hangWrites(pair: Pair, hangs: (part: number, time: number) => Hang | undefined): Calls {
  const calls: Calls = { parts: [], running: 0, runningAtCompletion: undefined };
  pair.faults.dest.around('uploadPart', async (call, run) => {
    const time = calls.parts.filter((n) => n === call.part).length + 1;
    calls.parts.push(call.part);
    calls.running++;
    try {
      const how = hangs(call.part, time);
      if (!how) return await run();
      await hang(how, call);
      return await run(rest(call.pace, how.moved));
    } finally {
      calls.running--;
    }
  });
  pair.faults.dest.before('completeUpload', () => {
    calls.runningAtCompletion = calls.running;
  });
  return calls;
}

function hangReads(pair: Pair, hangs: (part: number, time: number) => Hang | undefined): number[] {
  const parts: number[] = [];
  pair.faults.source.around('read', async (call, run) => {
    const part = call.offset / PART + 1;
    const time = parts.filter((n) => n === part).length + 1;
    parts.push(part);
    const how = hangs(part, time);
    if (!how) return run();
    await hang(how, call).catch((error: unknown) => {
      call.bytes.fill(0xee);
      throw error;
    });
    return run(rest(call.pace, how.moved));
  });
  return parts;
}

async function expectRight(pair: Pair): Promise<void> {
  expect(Buffer.compare(await contentOf(pair.dest, 'big'), Buffer.from(bytesOf('big', SIZE)))).toBe(0);
  expect((await pair.dest.listUploads({})).uploads).toEqual([]);
}

const first = (part: number, how: Hang) => (n: number, time: number) => (n === part && time === 1 ? how : undefined);

describe('a part that hangs on its way to the destination', () => {
  test('is sent a second time, once, and nothing of the first is in flight when the object is completed', async () => {
    const pair = await pairOf();
    const calls = hangWrites(pair, first(20, { moved: 1000 }));
    const run = await copy(pair);
    expect(calls.parts.filter((n) => n === 20)).toHaveLength(2);
    expect(calls.parts).toHaveLength(PARTS + 1);
    expect(calls.runningAtCompletion).toBe(0);
    expect(run.races).toEqual([{ type: 'race', key: 'big', part: 20, bytes: 1000, won: 'second' }]);
    expect(run.waste).toEqual({ parts: 1, bytes: 1000 });
    await expectRight(pair);
  });

  test('and arrives after all: what the second request had sent is the waste', async () => {
    const pair = await pairOf();
    hangWrites(pair, (n, time) => (n === 20 ? [{ moved: 2000, ms: 9000 }, { moved: 500 }][time - 1] : undefined));
    const run = await copy(pair);
    expect(run.races).toEqual([{ type: 'race', key: 'big', part: 20, bytes: 500, won: 'first' }]);
    await expectRight(pair);
  });

  test('progress counts each byte once', async () => {
    const pair = await pairOf();
    hangWrites(pair, (n, time) => (n === 20 ? [{ moved: 1000 }, { moved: 500, ms: 100 }][time - 1] : undefined));
    const told: number[] = [];
    const { copy: plain } = pair;
    pair.copy = (options) =>
      plain.call(pair, options, (event) => {
        if (event.type === 'progress') told.push(event.bytes);
      });
    await copy(pair);
    expect(Math.min(...told)).toBeGreaterThan(0);
    expect(told.reduce((a, b) => a + b, 0)).toBe(SIZE);
  });

  test.each([
    ['to a store whose ETags say nothing, where a late first one would change the part', { partEtagIsMd5: false }],
    ['to a disk, where both would write one file', { local: true }],
  ])('%s: it is waited for', async (_, capabilities: MemoryStoreOptions['capabilities']) => {
    const pair = await pairOf({ dest: { capabilities } });
    const calls = hangWrites(pair, first(20, { moved: 1000, ms: 30_000 }));
    const run = await copy(pair);
    expect(run.tookMs).toBeGreaterThan(29_000);
    expect(calls.parts).toHaveLength(PARTS);
    await expectRight(pair);
  });

  test('fails the object only when the second request fails too', async () => {
    const pair = await pairOf();
    const calls = hangWrites(pair, (n, time) => (n === 20 ? { moved: 10 * time, ms: 9000 } : undefined));
    let refused = 0;
    const denied = new XsyncError('access-denied', 'not now');
    pair.faults.dest.lose('uploadPart', denied, ({ part }) => part === 20 && refused++ === 0);
    const run = await copy(pair);
    expect(calls.parts.filter((n) => n === 20)).toHaveLength(2);
    expect([run.failed, run.races[0]?.won]).toEqual([0, 'second']);
    await expectRight(pair);
  });
});

describe('a part that hangs on its way from the source', () => {
  test('is read a second time into memory of its own, so that the two never mix', async () => {
    const pair = await pairOf();
    const reads = hangReads(pair, first(20, { moved: 3000 }));
    const run = await copy(pair);
    expect(reads.filter((n) => n === 20)).toHaveLength(2);
    expect(run.races).toEqual([{ type: 'race', key: 'big', part: 20, bytes: 3000, won: 'second' }]);
    await expectRight(pair);
  });

  test('and holds up all others, which must be hashed after it, is read again although every slot is taken', async () => {
    const pair = await pairOf();
    const reads = hangReads(pair, first(20, { moved: 3000 }));
    const run = await copy(pair, { partConcurrency: 4 });
    expect(reads.filter((n) => n === 20)).toHaveLength(2);
    expect(run.races).toMatchObject([{ part: 20, won: 'second' }]);
    await expectRight(pair);
  });

  test('is waited for when there is no memory for another', async () => {
    const pair = await pairOf();
    const reads = hangReads(pair, first(20, { moved: 3000, ms: 30_000 }));
    const run = await copy(pair, { partConcurrency: 1, maxMemory: PART });
    expect(run.races).toEqual([]);
    expect(reads).toHaveLength(PARTS);
    await expectRight(pair);
  });
});

test('parts that all are slow are not raced: a slow line is no straggler', async () => {
  const pair = await pairOf();
  const calls = hangWrites(pair, () => ({ moved: 0, ms: 20_000 }));
  expect((await copy(pair)).races).toEqual([]);
  expect(calls.parts).toHaveLength(PARTS);
});

test('while other parts wait for the line, a slow one is left alone', async () => {
  const pair = await pairOf();
  const calls = hangWrites(pair, (n) => ({ moved: 0, ms: n === 3 ? 30_000 : 1000 }));
  const run = await copy(pair, { partConcurrency: 2 });
  expect(run.races).toEqual([]);
  expect(calls.parts).toHaveLength(PARTS);
});

test('many stragglers at once waste no more than a twentieth of what is moved', async () => {
  const pair = await pairOf({ source: { capabilities: { partEtagIsMd5: false } } });
  // The second requests are slower still: everything they send is for nothing.
  hangWrites(pair, (n, time) => {
    if (n <= PARTS / 2) return undefined;
    return time === 1 ? { moved: PART / 50, ms: 60_000 } : { moved: PART / 2, ms: 90_000 };
  });
  const run = await copy(pair, { partConcurrency: 40 });
  expect(run.races.length).toBeGreaterThan(1);
  expect(run.waste.bytes).toBe(run.races.reduce((sum, { bytes }) => sum + bytes, 0));
  expect(run.waste.bytes).toBeLessThanOrEqual(SIZE / 20);
  await expectRight(pair);
});

test('over HTTP, an object with one dead connection is whole long before the connection is given up', async () => {
  vi.useRealTimers();
  const server = await startServer();
  const { endpoint, region, accessKeyId, accessKeySecret } = server.oss;
  const credentials = { access_key_id: accessKeyId, secret_access_key: accessKeySecret };
  const config = ossConfigSchema.parse({ type: 'oss', endpoint, region, ...credentials });
  const transport = new HttpTransport({ userAgent: 'xsync-test', idleTimeoutMs: 120_000 });
  server.core.oss.createBucket('there');
  server.faults.add({ fault: { kind: 'stall', at: 'request' }, match: { kind: 'UploadPart', nth: 9 } });
  try {
    const part = 128 * KiB;
    const pair = new Pair();
    await pair.source.put('big', bytesOf('big', 20 * part));
    const dest = createOssStore(config, 'there', { transport });
    const opened = { ...pair.open(), dest: side(dest, '', 'oss:there') };
    pair.open = () => opened;
    const run = await pair.copy({ partSize: part, partConcurrency: 4, transfers: 1 });
    expect(run.traffic.destination.requests).toMatchObject({ uploadPart: 21, completeUpload: 1 });
    expect(run.waste.parts).toBe(1);
    expect(Buffer.compare(await contentOf(dest, 'big'), Buffer.from(bytesOf('big', 20 * part)))).toBe(0);
  } finally {
    await transport.close();
    await server.close();
  }
});
