import { afterEach, describe, expect, test, vi } from 'vitest';
import { Settling } from '../../../src/engine/decide/settling.js';
import { heldBack, waitAfter } from '../../../src/engine/record/failed.js';
import { runPair } from '../../../src/engine/run.js';
import type { FailureRow } from '../../../src/manifest/port.js';
import { type ErrorCode, XsyncError } from '../../../src/model/error.js';
import { bytesOf, keysOf, OPTIONS, Pair } from '../support.js';
import { sync, syncOptions } from '../sync.js';

const SECOND = 1000;
const NOW = Date.UTC(2026, 0, 2);

afterEach(() => {
  vi.useRealTimers();
});

describe('the wait after a failure', () => {
  test('doubles from five seconds to six hours, and stays there', () => {
    expect([0, 1, 2, 3, 12, 13, 14, 15, 5000].map((attempts) => waitAfter(attempts) / SECOND)).toEqual([
      5, 5, 10, 20, 10_240, 20_480, 21_600, 21_600, 21_600,
    ]);
  });
});

const ROW: FailureRow = {
  key: 'a',
  size: 1,
  sourceEtag: 'v1',
  sourceMtimeMs: 0,
  arrivedMs: 0,
  class: 'temporary',
  code: 'network',
  message: 'reset',
  settings: 'first',
  attempts: 3,
  firstMs: 0,
  lastMs: NOW,
  seenMs: NOW,
  dropped: false,
};

describe('what is held back', () => {
  const UNTIL = NOW + 20 * SECOND;
  const later = { why: 'later', untilMs: UNTIL } as const;
  const unchanged = { why: 'unchanged' } as const;
  const dropped = { why: 'dropped' } as const;
  type Now = Parameters<typeof heldBack>[1];
  test.each<[Partial<FailureRow>, Partial<Now>, ReturnType<typeof heldBack>]>([
    [{}, {}, later],
    [{}, { timeMs: UNTIL - 1 }, later],
    [{}, { timeMs: UNTIL }, undefined],
    [{}, { settings: 'second' }, later],
    [{}, { sourceEtag: 'v2' }, undefined],
    [{ class: 'person' }, { timeMs: NOW + 1e12 }, unchanged],
    [{ class: 'person' }, { settings: 'second' }, undefined],
    [{ class: 'person' }, { sourceEtag: 'v2' }, undefined],
    [{ class: 'permanent' }, { timeMs: NOW + 1e12 }, unchanged],
    [{ class: 'permanent' }, { settings: 'second' }, undefined],
    [{ class: 'permanent' }, { sourceEtag: 'v2' }, undefined],
    [{ dropped: true }, { timeMs: NOW + 1e12 }, dropped],
    [{ dropped: true, class: 'person' }, { settings: 'second' }, dropped],
    [{ dropped: true }, { sourceEtag: 'v2' }, undefined],
  ])('%o, now %o → %o', (row, now, expected) => {
    const at = { sourceEtag: 'v1', settings: 'first', timeMs: NOW, ...now };
    expect(heldBack({ ...ROW, ...row }, at)).toEqual(expected);
  });
});

/** A destination that refuses one key, as often as it is asked. */
async function refusing(
  code: ErrorCode,
  keys = ['a', 'bad', 'c'],
): Promise<{ pair: Pair; mend(): void; tries(): number }> {
  const pair = new Pair();
  for (const key of keys) await pair.source.put(key, bytesOf(key, 10));
  let tries = 0;
  const mend = pair.faults.dest.before('put', ({ key }) => {
    if (key !== 'bad') return;
    tries++;
    throw new XsyncError(code, `${key}: no`);
  });
  return { pair, mend, tries: () => tries };
}

describe('a sync', () => {
  test('does not try again what a person has to mend, until the source or the settings change', async () => {
    const { pair, tries } = await refusing('access-denied');
    expect((await sync(pair)).failed.objects).toBe(1);
    expect(tries()).toBe(1);
    const second = await sync(pair);
    expect(second).toMatchObject({ failed: { objects: 0 }, held: { objects: 1, byClass: { person: 1 } } });
    expect(tries()).toBe(1);

    const elsewhere = { ...pair.open(), settings: 'second' };
    await runPair(elsewhere, { ...OPTIONS, ...syncOptions() }, () => undefined);
    expect(tries()).toBe(2);
    expect((await sync(pair)).failed.objects).toBe(1);
    expect(tries()).toBe(3);

    await pair.source.put('bad', bytesOf('another version', 10));
    await sync(pair);
    expect(tries()).toBe(4);
  });

  test('tries what is temporary when its time has come and not before, each time a wait twice as long', async () => {
    const { pair } = await refusing('unsupported-object');
    // Temporary for the list, without the retries of a request.
    pair.faults.dest.fail('put', new XsyncError('unsupported-object', 'no', { class: 'temporary' }));
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    const options = { objectAttempts: 1 };
    expect((await sync(pair, options)).failed.objects).toBe(3);
    const heldAfter = async (ms: number): Promise<number> => {
      vi.setSystemTime(NOW + ms);
      return (await sync(pair, options)).held.objects;
    };
    expect(await heldAfter(5 * SECOND - 1)).toBe(3);
    expect(await heldAfter(5 * SECOND)).toBe(0);
    expect(await heldAfter(15 * SECOND - 1)).toBe(3);
    expect(await heldAfter(15 * SECOND)).toBe(0);
    expect(await heldAfter(35 * SECOND - 1)).toBe(3);
  });

  test('keeps on its list what it holds back, and forgets what is gone from the source', async () => {
    const { pair } = await refusing('access-denied');
    await sync(pair);
    for (let run = 0; run < 3; run++) await sync(pair);
    expect(pair.manifest.failures().map(({ key, attempts }) => [key, attempts])).toEqual([['bad', 1]]);
    pair.manifest.dropFailures(['bad']);
    const held = await sync(pair);
    expect(held.held).toMatchObject({ objects: 1, dropped: 1 });
    expect(pair.manifest.failures()).toHaveLength(1);
    await pair.source.delete(['bad']);
    await sync(pair);
    expect(pair.manifest.failures()).toEqual([]);
  });

  test('of some keys only forgets no failure that it has not looked at', async () => {
    const { pair } = await refusing('access-denied');
    await sync(pair);
    await pair.source.delete(['bad']);
    await sync(pair, { bounds: { after: 'c' } });
    await sync(pair, { only: ['a'] });
    expect(pair.manifest.failureCount()).toBe(1);
  });

  test('takes off the list what has arrived', async () => {
    const { pair, mend } = await refusing('access-denied');
    await sync(pair);
    mend();
    await pair.copy();
    expect(pair.manifest.failureCount()).toBe(0);
    expect(await keysOf(pair.dest)).toEqual(['a', 'bad', 'c']);
  });
});

test('an object that failed and is being rewritten by now has failed as long as it has not arrived', async () => {
  const pair = new Pair();
  await pair.source.put('k', bytesOf('old', 5));
  const mend = pair.faults.source.fail('read', new XsyncError('access-denied', 'not yours to read'));
  await sync(pair);
  mend();
  await new Promise((resolve) => setTimeout(resolve, 5));
  await pair.source.put('k', bytesOf('new', 6));
  await sync(pair, { settling: new Settling(60_000) });
  expect(pair.manifest.failure('k')).toBeDefined();
});
