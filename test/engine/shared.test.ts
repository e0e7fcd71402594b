/** Runs that go on beside each other over one open pair. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { RunEvent } from '../../src/engine/events.js';
import { runKeys, runPair } from '../../src/engine/run.js';
import { Shared } from '../../src/engine/shared.js';
import { Pilot } from '../../src/engine/tune/pilot.js';
import { XsyncError } from '../../src/model/error.js';
import { bytesOf, OPTIONS, Pair } from './support.js';

/** Room for all at once. */
const WIDE = { ...OPTIONS, transfers: 64 };
const TUNED = { ...OPTIONS, transfers: undefined, partConcurrency: undefined };

afterEach(() => {
  vi.restoreAllMocks();
});

/** Throttles the first PUT of every key below `a/`, and holds PUTs until `open` is called. */
async function throttledPair(): Promise<{ pair: Pair; open(): void }> {
  const pair = new Pair();
  for (let i = 0; i < 37; i++) await pair.source.put(`a/${i}`, bytesOf(`a/${i}`, 10));
  await pair.source.put('b', bytesOf('b', 10));
  const seen = new Set<string>();
  pair.faults.dest.before('put', ({ key = '' }) => {
    if (!key.startsWith('a/') || seen.has(key)) return;
    seen.add(key);
    throw new XsyncError('throttled', 'slow down', { status: 503 });
  });
  const open = pair.faults.dest.hold('put', ({ key }) => key?.startsWith('a/') ?? false);
  return { pair, open };
}

describe('a run beside another one', () => {
  test('counts its own retries and requests, and no others', async () => {
    const { pair, open } = await throttledPair();
    const sides = pair.open();
    const shared = new Shared(sides, WIDE, () => undefined);
    const filter = { test: (key: string) => ({ included: key !== 'b', reason: 'named' }) } as never;
    const pass = runPair(sides, { ...WIDE, filter }, () => undefined, shared);
    const beside = await runKeys(sides, [['b']], WIDE, () => undefined, shared);
    open();
    const { retries, copied, traffic } = await pass;
    expect({ retries, copied: copied.objects, puts: traffic.destination.requests.put }).toEqual({
      ...{ retries: 37, copied: 37 },
      puts: 74,
    });
    expect(beside).toMatchObject({ retries: 0, copied: { objects: 1 } });
    expect(beside.traffic.destination.requests).toEqual({ head: 1, put: 1 });
    // What both have cost is what the side has cost.
    expect(sides.dest.traffic().requests).toEqual({ list: 1, head: 1, put: 75 });
  });

  test('and the tuner hears what any of them meets', async () => {
    const heard = vi.spyOn(Pilot.prototype, 'hear');
    const { pair, open } = await throttledPair();
    open();
    const sides = pair.open();
    const shared = new Shared(sides, TUNED, () => undefined);
    await Promise.all([
      runPair(sides, TUNED, () => undefined, shared),
      runKeys(sides, [['b']], TUNED, () => undefined, shared),
    ]);
    expect(heard.mock.calls.filter(([{ type }]) => type === 'retry')).toHaveLength(37);
  });

  test('has no row in the list of runs when a watch makes it for changed keys', async () => {
    const { pair, open } = await throttledPair();
    open();
    const events: RunEvent[] = [];
    const report = (event: RunEvent): void => void events.push(event);
    const options = { ...OPTIONS, command: 'watch' };
    await runKeys(pair.open(), [['a/1'], ['b']], options, report);
    expect(pair.manifest.runs(10)).toEqual([]);
    expect(events.filter(({ type }) => type === 'start')).toMatchObject([{ kept: false }]);
    expect(events.findLast(({ type }) => type === 'end')).toMatchObject({
      summary: { copied: { objects: 2 }, listed: { source: 2, destination: 0 } },
    });
  });
});

describe('named keys', () => {
  test('leave the failed list when they do not fail, and are one run however many batches there are', async () => {
    const pair = new Pair();
    for (const key of ['a', 'b', 'c']) await pair.source.put(key, bytesOf(key, 10));
    const mend = pair.faults.dest.fail('put', new XsyncError('access-denied', 'no'));
    await pair.copy();
    expect(pair.manifest.failureCount()).toBe(3);
    mend();
    await pair.source.delete(['c']);
    const summary = await runKeys(
      pair.open(),
      [['a'], ['b'], ['c']],
      { ...OPTIONS, command: 'retry' },
      () => undefined,
    );
    expect(summary).toMatchObject({ copied: { objects: 2 }, listed: { source: 2 } });
    expect(pair.manifest.failureCount()).toBe(0);
    expect(pair.manifest.runs(10).map(({ command }) => command)).toEqual(['retry', 'copy']);
  });
});
