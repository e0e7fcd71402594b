/** A clock that was a year ahead for a while, and what it noted then, does no harm later. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { dueMs, heldBack, waitAfter } from '../../../src/engine/record/failed.js';
import { statusOf } from '../../../src/engine/record/status.js';
import type { FailureRow } from '../../../src/manifest/port.js';
import { XsyncError } from '../../../src/model/error.js';
import { bytesOf, keysOf, Pair } from '../support.js';
import { sync } from '../sync.js';

const NOW = Date.UTC(2026, 0, 2);
const YEAR_MS = 365 * 86_400_000;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** What `work` does, the clock being a year ahead. */
async function aYearAhead<T>(work: () => Promise<T>): Promise<T> {
  vi.setSystemTime(NOW + YEAR_MS);
  try {
    return await work();
  } finally {
    vi.setSystemTime(NOW);
  }
}

const FAILED: Pick<FailureRow, 'lastMs' | 'attempts'> = { lastMs: NOW, attempts: 3 };

test('no wait is longer than its own length, whatever time was stored', () => {
  for (const lastMs of [0, NOW - 1, NOW, NOW + 1, NOW + YEAR_MS, Number.MAX_SAFE_INTEGER]) {
    expect(dueMs({ ...FAILED, lastMs }, NOW) - NOW).toBeLessThanOrEqual(waitAfter(3));
  }
  const row = { ...FAILED, lastMs: NOW + YEAR_MS, sourceEtag: 'v', class: 'temporary', dropped: false, settings: '' };
  const now = { sourceEtag: 'v', settings: '', timeMs: NOW };
  expect(heldBack(row as FailureRow, now)).toBeUndefined();
  expect(heldBack({ ...row, lastMs: NOW } as FailureRow, now)).toMatchObject({ why: 'later' });
});

test('an object that failed then is copied by the next sync, and deletes are not held up', async () => {
  const pair = new Pair();
  await pair.source.put('a', bytesOf('a', 10));
  await sync(pair);
  await pair.source.put('b', bytesOf('b', 10));
  await pair.source.delete(['a']);
  const undo = pair.faults.dest.fail('put', new XsyncError('server-error', 'not now'));
  const ahead = await aYearAhead(() => sync(pair));
  expect(ahead.failed.objects).toBe(1);
  undo();
  vi.setSystemTime(NOW + 6000);
  await sync(pair);
  expect(await keysOf(pair.dest)).toEqual(['b']);
  expect(pair.manifest.failures()).toEqual([]);
});

test('a failure that is found to be settled leaves the list, whenever it was seen', async () => {
  const pair = new Pair();
  await pair.source.put('a', bytesOf('a', 10));
  await pair.copy();
  const [row] = pair.manifest.page(undefined, 1);
  const { etag: sourceEtag } = await pair.source.head('a');
  expect(row).toBeDefined();
  const what = {
    key: 'a',
    size: 10,
    sourceEtag,
    sourceMtimeMs: 0,
    arrivedMs: 0,
    class: 'temporary',
    code: 'network',
  } as const;
  pair.manifest.fail({ ...what, message: 'reset', settings: 'first', lastMs: NOW + YEAR_MS });
  vi.setSystemTime(NOW + 1000);
  await pair.copy();
  expect(pair.manifest.failures()).toEqual([]);
});

test('nothing is called synchronized up to a time that has not come, and lags go on being measured', async () => {
  const pair = new Pair();
  await pair.source.put('a', bytesOf('a', 10));
  await aYearAhead(() => sync(pair));
  expect(statusOf(pair.manifest, NOW).synchronised).toBeUndefined();
  vi.setSystemTime(NOW + 1000);
  await sync(pair);
  const status = statusOf(pair.manifest, NOW + 2000);
  expect(status.synchronised?.untilMs).toBe(NOW + 1000);
  expect(status.lastRun?.startedMs).toBe(NOW + 1000);
  vi.setSystemTime(NOW + 3000);
  await pair.source.put('b', bytesOf('b', 10));
  await sync(pair);
  expect(statusOf(pair.manifest, NOW + 4000).lag.hour?.objects).toBe(1);
});

test('a clock that is set back during a run does not claim more than the run has seen', async () => {
  const pair = new Pair();
  await pair.source.put('a', bytesOf('a', 10));
  vi.setSystemTime(NOW + YEAR_MS);
  pair.faults.source.before('read', () => vi.setSystemTime(NOW));
  await pair.copy();
  const until = statusOf(pair.manifest, NOW).synchronised?.untilMs;
  expect(until).toBeLessThanOrEqual(NOW);
  expect(until).toBeGreaterThan(NOW - 60_000);
});

test('a pass that was saved then is not continued, and keys found gone then are looked at again', async () => {
  const pair = new Pair();
  await pair.source.put('a', bytesOf('a', 10));
  await pair.source.put('b', bytesOf('b', 10));
  await sync(pair);
  const { etag: destEtag } = await pair.dest.head('a');
  pair.manifest.doom([{ key: 'a', size: 10, destEtag, foundMs: NOW + YEAR_MS }]);
  await sync(pair);
  expect(await keysOf(pair.dest)).toEqual(['a', 'b']);
});

test('lags of a time that has not come are not counted, and are dropped with the next', async () => {
  const { manifest } = new Pair();
  manifest.addLags([{ minuteMs: NOW + YEAR_MS, bin: 90, objects: 3, maxMs: YEAR_MS }]);
  expect(manifest.lags(NOW - YEAR_MS, NOW)).toEqual([]);
  manifest.addLags([{ minuteMs: NOW, bin: 1, objects: 1, maxMs: 1 }]);
  expect(manifest.lags(0, Number.MAX_SAFE_INTEGER)).toMatchObject([{ bin: 1, objects: 1 }]);
});
