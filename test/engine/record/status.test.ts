import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createFilter, parseRawKeyFile } from '../../../src/engine/filter/filter.js';
import type { RunOptions } from '../../../src/engine/options.js';
import { outcomeOf, statusOf } from '../../../src/engine/record/status.js';
import { runPair } from '../../../src/engine/run.js';
import type { LockHolder } from '../../../src/manifest/port.js';
import { XsyncError } from '../../../src/model/error.js';
import { bytesOf, listUpsideDown, OPTIONS, Pair, POLICY } from '../support.js';
import { sync } from '../sync.js';

const NOW = Date.UTC(2026, 0, 2);
const MINUTE = 60_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Objects whose times are the instants at which they are put. */
async function pairOf(...keys: string[]): Promise<Pair> {
  const pair = new Pair({ source: { clock: Date.now } });
  for (const key of keys) await pair.source.put(key, bytesOf(key, 100));
  return pair;
}

/** Each key that `bad` names fails, for a person to mend. */
function refuse(pair: Pair, ...bad: string[]): () => void {
  return pair.faults.dest.before('put', ({ key = '' }) => {
    // Copying takes its time.
    vi.setSystemTime(Date.now() + MINUTE);
    if (bad.includes(key)) throw new XsyncError('access-denied', `${key}: no`);
  });
}

const statusNow = (pair: Pair, atWork?: LockHolder) => statusOf(pair.manifest, Date.now(), atWork);

describe('synchronised up to', () => {
  test('the beginning of the pass, not its end: what was written meanwhile may not have been listed', async () => {
    const pair = await pairOf('a', 'b');
    refuse(pair);
    vi.setSystemTime(NOW + MINUTE);
    await pair.copy();
    expect(Date.now()).toBe(NOW + 3 * MINUTE);
    expect(statusNow(pair).synchronised).toEqual({
      untilMs: NOW + MINUTE,
      withoutFailedMs: NOW + MINUTE,
      behind: 0,
    });
  });

  describe('the last pass, when an event names a key that the source does not answer for', () => {
    const deny = (pair: Pair): (() => void) =>
      pair.faults.source.fail('head', new XsyncError('access-denied', 'no'), ({ key }) => key === 'b');

    test('and never 1970, also after the next pass, which cannot copy it either', async () => {
      const pair = await pairOf('a');
      vi.setSystemTime(NOW + MINUTE);
      await pair.copy();
      vi.setSystemTime(NOW + 2 * MINUTE);
      await pair.source.put('b', bytesOf('b', 100));
      deny(pair);
      vi.setSystemTime(NOW + 3 * MINUTE);
      expect((await pair.copy({ only: ['b'] })).failed.objects).toBe(1);
      expect(statusNow(pair)).toMatchObject({ synchronised: { untilMs: NOW + MINUTE }, failed: { objects: 1 } });
      refuse(pair, 'b');
      await pair.copy();
      expect(statusNow(pair).synchronised?.untilMs).toBe(NOW + MINUTE);
    });

    test('before the first pass has ended, which then knows its change', async () => {
      const pair = await pairOf('a', 'b');
      const mend = deny(pair);
      await pair.copy({ only: ['b'] });
      mend();
      refuse(pair, 'b');
      vi.setSystemTime(NOW + MINUTE);
      await pair.copy();
      expect(statusNow(pair).synchronised).toMatchObject({ untilMs: NOW, withoutFailedMs: NOW + MINUTE, behind: 1 });
    });

    test('of a manifest that noted no time for it', async () => {
      const pair = await pairOf('a');
      vi.setSystemTime(NOW + MINUTE);
      await pair.copy();
      const unknown = {
        key: 'b',
        size: 0,
        sourceEtag: '',
        sourceMtimeMs: 0,
        arrivedMs: Number.MAX_SAFE_INTEGER,
        class: 'person' as const,
      };
      pair.manifest.fail({ ...unknown, code: 'access-denied', message: 'no', settings: 'first', lastMs: Date.now() });
      expect(statusNow(pair).synchronised).toMatchObject({ untilMs: NOW + MINUTE, behind: 0 });
    });
  });

  test('never beyond the change of an object that failed, which is named', async () => {
    const pair = await pairOf('old');
    vi.setSystemTime(NOW + MINUTE);
    await pair.source.put('bad', bytesOf('bad', 100));
    vi.setSystemTime(NOW + 2 * MINUTE);
    await pair.source.put('worse', bytesOf('worse', 100));
    vi.setSystemTime(NOW + 10 * MINUTE);
    refuse(pair, 'bad', 'worse');
    await pair.copy();
    const { synchronised, failed } = statusNow(pair);
    expect(synchronised).toEqual({ untilMs: NOW + MINUTE, withoutFailedMs: NOW + 10 * MINUTE, behind: 2 });
    expect(failed).toMatchObject({ objects: 2, bytes: 200, byClass: { person: 2 }, dropped: 0 });
    expect(failed.oldest.map(({ key }) => key)).toEqual(['bad', 'worse']);
    // Held back by the next passes, it holds the watermark back as well.
    await sync(pair);
    expect(statusNow(pair).synchronised?.untilMs).toBe(NOW + MINUTE);
  });

  test('what was given up is counted, and holds nothing back', async () => {
    const pair = await pairOf('bad');
    vi.setSystemTime(NOW + MINUTE);
    refuse(pair, 'bad');
    await pair.copy();
    pair.manifest.dropFailures(['bad']);
    expect(statusNow(pair)).toMatchObject({
      synchronised: { untilMs: NOW + MINUTE, behind: 0 },
      failed: { objects: 0, dropped: 1, oldest: [] },
    });
  });

  test.each<[string, Partial<RunOptions>]>([
    ['over some keys', { only: ['a'] }],
    ['over named keys', { filter: createFilter({ filesFromRaw: [parseRawKeyFile('a', 'list')] }) }],
    ['over a part', { bounds: { until: 'a' } }],
    ['that changes nothing', { dryRun: true }],
    ['that is stopped', { stop: AbortSignal.abort() }],
    ['that ends at a limit', { maxTransfer: 50 }],
  ])('a run %s claims nothing', async (_, options) => {
    const pair = await pairOf('a', 'b');
    await pair.copy(options).catch(() => undefined);
    expect(statusNow(pair).synchronised).toBeUndefined();
  });

  test('a pass that is broken off does not move what an earlier one has claimed', async () => {
    const pair = await pairOf('a');
    await pair.copy();
    vi.setSystemTime(NOW + MINUTE);
    pair.faults.source.fail('list', new XsyncError('bad-credentials', 'no'));
    await expect(pair.copy()).rejects.toThrow();
    const { synchronised, lastRun } = statusNow(pair);
    expect(synchronised?.untilMs).toBe(NOW);
    expect(lastRun).toMatchObject({ outcome: 'broken', error: { code: 'bad-credentials' } });
  });
});

describe('history', () => {
  test('counts what is at the destination of what the filters let through', async () => {
    const pair = await pairOf('a', 'b', 'bad', 'x.tmp');
    refuse(pair, 'bad');
    await pair.copy({ filter: createFilter({ exclude: ['*.tmp'] }) });
    expect(statusNow(pair).history).toMatchObject({
      ...{ objects: 2, ofObjects: 3, bytes: 200, ofBytes: 300, total: true },
      excluded: { objects: 1, bytes: 100 },
    });
  });

  test('one missing object is not rounded away', async () => {
    const pair = await pairOf('bad');
    await pair.source.put('big', bytesOf('big', 5_000_000));
    refuse(pair, 'bad');
    await pair.copy();
    const { percent = 0 } = statusNow(pair).history ?? {};
    expect(percent).toBeGreaterThan(99.9);
    expect(percent).toBeLessThanOrEqual(99.99);
  });

  test('is whole again once what failed has been retried alone', async () => {
    const pair = await pairOf('a', 'bad');
    const mend = refuse(pair, 'bad');
    await pair.copy();
    expect(statusNow(pair).history).toMatchObject({ objects: 1, percent: 50 });
    mend();
    await pair.copy({ command: 'retry', only: ['bad'] });
    expect(statusNow(pair).history).toMatchObject({ objects: 2, percent: 100 });
  });

  test('does not call whole what lacks objects that were given up', async () => {
    const pair = await pairOf('a', 'bad');
    refuse(pair, 'bad');
    await pair.copy();
    pair.manifest.dropFailures(['bad']);
    await sync(pair);
    expect(statusNow(pair)).toMatchObject({ history: { objects: 1, percent: 50 }, failed: { objects: 0, dropped: 1 } });
  });

  test('is not lost while the next pass looks again', async () => {
    const pair = await pairOf('a', 'b', 'c', 'd');
    await pair.copy();
    await pair.source.put('b', bytesOf('new', 100));
    const seen: unknown[] = [];
    pair.faults.dest.before('put', async () => {
      // A second has passed: what is known is written.
      await new Promise((resolve) => setTimeout(resolve, 1100));
      const { objects, ofObjects } = statusNow(pair).history ?? {};
      seen.push([objects, ofObjects]);
    });
    await pair.copy();
    expect(seen).toEqual([[3, 4]]);
    expect(statusNow(pair).history).toMatchObject({ objects: 4, percent: 100 });
  });

  test('of an empty source is all there is', async () => {
    const pair = await pairOf();
    await pair.copy();
    expect(statusNow(pair).history).toMatchObject({ objects: 0, ofObjects: 0, percent: 100 });
  });

  test('counts once what is told again because a side lists out of order', async () => {
    const pair = new Pair({ source: { clock: Date.now, capabilities: { orderedListing: 'unknown' } } });
    for (const key of ['a', 'b', 'c', 'd']) await pair.source.put(key, bytesOf(key, 100));
    await pair.copy();
    vi.setSystemTime(NOW + MINUTE);
    await pair.source.put('e', bytesOf('e', 100));
    listUpsideDown(pair.faults.source);
    const run = await pair.copy();
    expect(run.events.filter(({ type }) => type === 'again')).toHaveLength(1);
    expect(statusNow(pair)).toMatchObject({
      history: { objects: 5, ofObjects: 5 },
      pending: { objects: 0 },
    });
  });
});

describe('pending', () => {
  test('is what was planned and is not done; what could never be planned is not taken off it', async () => {
    const pair = await pairOf('a', 'b', `${'x'.repeat(900)}`, 'z');
    await pair.dest.put('a', bytesOf('other', 7));
    const stop = new AbortController();
    pair.dest.checkKey = (key) => {
      if (key.length > 100) throw new XsyncError('key-not-representable', 'too long');
    };
    pair.faults.dest.before('put', ({ key }) => key === 'z' && stop.abort());
    // `a` fails unplanned by --immutable, the long key because nobody can hold it.
    const run = await pair.copy({
      ...{ policy: { ...POLICY, immutable: true, compare: 'checksum' }, transfers: 1, stop: stop.signal },
    });
    expect(run.failed.objects).toBe(2);
    const { pending, history } = statusNow(pair);
    expect(history?.ofObjects).toBe(4);
    expect(pending.objects).toBe(history && history.ofObjects - history.objects - 2);
  });

  test('is nothing after a pass, however many objects failed without being planned', async () => {
    const pair = await pairOf('a', 'b', 'c');
    for (const key of ['a', 'b']) await pair.dest.put(key, bytesOf(`other ${key}`, 7));
    await pair.copy({ policy: { ...POLICY, immutable: true } });
    const { pending, history } = statusNow(pair);
    expect([pending, history?.objects, history?.ofObjects]).toEqual([{ objects: 0, bytes: 0 }, 1, 3]);
  });
});

describe('the last run', () => {
  const holder = (sinceMs: number): LockHolder => ({ pid: 1, host: 'here', sinceMs, command: 'xsync copy' });

  test('that did not live to say how it ended was killed, unless it holds the pair', () => {
    const row = { outcome: 'running', startedMs: NOW } as const;
    expect(outcomeOf(row, undefined)).toBe('killed');
    expect(outcomeOf(row, holder(NOW - 1))).toBe('running');
    // Whoever holds the pair now came later.
    expect(outcomeOf(row, holder(NOW + 1))).toBe('killed');
    expect(outcomeOf({ ...row, outcome: 'stopped' }, undefined)).toBe('stopped');
  });

  test('is written down before its first object, so that a kill in its first second shows', async () => {
    const pair = await pairOf('a');
    let seen: unknown;
    pair.faults.dest.before('put', () => {
      seen = [statusNow(pair).lastRun?.outcome, statusNow(pair, holder(NOW - 1)).lastRun?.outcome];
    });
    await pair.copy();
    expect(seen).toEqual(['killed', 'running']);
    expect(statusNow(pair).lastRun).toMatchObject({ outcome: 'complete', copied: { objects: 1, bytes: 100 } });
  });
});

describe('lags', () => {
  test('are those of changes since the first pass began: the age of history is none', async () => {
    const pair = await pairOf('ancient');
    vi.setSystemTime(NOW + 60 * MINUTE);
    await pair.copy();
    expect(statusNow(pair).lag).toEqual({});
    await pair.source.put('fresh', bytesOf('fresh', 100));
    vi.setSystemTime(NOW + 61 * MINUTE);
    await runPair(pair.open(), OPTIONS, () => undefined);
    expect(statusNow(pair).lag.hour).toMatchObject({ objects: 1, max: MINUTE });
    vi.setSystemTime(NOW + 200 * MINUTE);
    const later = statusNow(pair).lag;
    expect([later.hour, later.day?.objects]).toEqual([undefined, 1]);
  });
});
