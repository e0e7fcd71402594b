import { describe, expect, test } from 'vitest';
import type { Summary } from '../../../src/engine/events.js';
import { statusOf } from '../../../src/engine/record/status.js';
import { XsyncError } from '../../../src/model/error.js';
import type { FaultyStore } from '../../support/faults.js';
import { bytesOf, Pair, POLICY } from '../support.js';

async function pairOf(keys: readonly string[], size = 10): Promise<Pair> {
  const pair = new Pair();
  for (const key of keys) await pair.source.put(key, bytesOf(key, size));
  return pair;
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `k${String(i).padStart(4, '0')}`);

/** Lists in three pages, of which the last two are exchanged. */
function listLateOutOfOrder(store: FaultyStore): void {
  store.around('list', async ({ options }, run) => {
    const at = Number(options.token ?? '0');
    options.token = undefined;
    const all = (await run()).entries;
    const third = Math.ceil(all.length / 3);
    const pages = [all.slice(0, third), all.slice(2 * third), all.slice(third, 2 * third)];
    return { entries: pages[at] ?? [], prefixes: [], ...(at < 2 ? { nextToken: `${at + 1}` } : {}) };
  });
}

function total({ copied, skipped, failed, unfinished }: Summary): number {
  return copied.objects + skipped.objects + failed.objects + unfinished.objects;
}

describe('every object that was looked at is in the summary, once', () => {
  test('as left for the next run when a stop came before it', async () => {
    const pair = await pairOf(names(50));
    const stop = new AbortController();
    pair.faults.dest.before('put', ({ n }) => n === 10 && stop.abort());
    const run = await pair.copy({ stop: stop.signal, transfers: 1 });
    expect(run.copied.objects).toBe(10);
    // Those that were listed and not compared yet count too.
    expect(run.unfinished).toEqual({ objects: 40, atLeast: true });
    const { history } = statusOf(pair.manifest, Date.now());
    expect(history).toMatchObject({ objects: 10, ofObjects: 50, percent: 20, total: false });
    expect((await pair.copy()).copied.objects).toBe(40);
  });

  test('as left for the next run when credentials expired on the way', async () => {
    const pair = await pairOf(names(8));
    const expired = new XsyncError('expired-credentials', 'the token has expired');
    pair.faults.dest.fail('put', expired, ({ key }) => key === 'k0003');
    const events: Summary[] = [];
    await expect(
      pair.copy({ transfers: 1 }, (event) => event.type === 'end' && events.push(event.summary)),
    ).rejects.toThrow();
    expect(events[0]).toMatchObject({ copied: { objects: 3 }, unfinished: { objects: 5 } });
  });

  test('as copied, skipped or failed in a run that was carried through', async () => {
    const pair = await pairOf(names(30));
    await pair.dest.put('k0001', bytesOf('k0001', 10));
    pair.faults.source.fail('read', new XsyncError('access-denied', 'no'), ({ key }) => key === 'k0002');
    const run = await pair.copy();
    expect(run).toMatchObject({ copied: { objects: 28 }, failed: { objects: 1 }, skipped: { objects: 1 } });
    expect(run.unfinished.objects).toBe(0);
  });
});

describe('a listing that is found out of order late', () => {
  test('counts no object twice, neither what was copied before nor what failed', async () => {
    const pair = await pairOf(names(30));
    pair.faults.source.fail('read', new XsyncError('access-denied', 'no'), ({ key }) => key === 'k0002');
    listLateOutOfOrder(pair.faults.source);
    const run = await pair.copy();
    expect(run.copied.objects).toBe(29);
    expect(run.failed).toMatchObject({ objects: 1 });
    expect(run.failed.list).toHaveLength(1);
    expect(run.skipped).toEqual({ objects: 0, bytes: 0, byReason: {} });
    expect(total(run)).toBe(30);
  });

  test('does not send twice what --ignore-times had sent before', async () => {
    const pair = await pairOf(names(30));
    listLateOutOfOrder(pair.faults.source);
    const run = await pair.copy({ policy: { ...POLICY, compare: 'ignore-times' } });
    expect(run.traffic.destination.requests.put).toBe(30);
  });

  test('keeps to --max-transfer over both looks', async () => {
    const pair = await pairOf(names(30), 100);
    listLateOutOfOrder(pair.faults.source);
    const run = await pair.copy({ maxTransfer: 1500, cutoffMode: 'cautious' });
    expect(run.copied.bytes).toBe(1500);
    const planned = await pair.copy({ maxTransfer: 1000, cutoffMode: 'cautious', dryRun: true });
    expect(planned.copied.bytes).toBe(1000);
  });
});

describe('the failed list', () => {
  async function failedOnce(): Promise<Pair> {
    const pair = await pairOf(['a', 'b']);
    await pair.copy();
    await pair.source.put('a', bytesOf('new', 10));
    const mend = pair.faults.source.fail('read', new XsyncError('access-denied', 'no'));
    await pair.copy();
    mend();
    expect(pair.manifest.failureCount()).toBe(1);
    // Of this run or of an earlier one is told apart by the millisecond.
    await new Promise((resolve) => setTimeout(resolve, 3));
    return pair;
  }

  test('forgets an object whose source became what it was', async () => {
    const pair = await failedOnce();
    await pair.source.put('a', bytesOf('a', 10));
    await pair.copy();
    expect(pair.manifest.failures()).toEqual([]);
  });

  test('forgets an object that left the source', async () => {
    const pair = await failedOnce();
    await pair.source.delete(['a']);
    await pair.copy();
    expect(pair.manifest.failures()).toEqual([]);
  });

  test('is not changed by a dry run', async () => {
    const pair = await failedOnce();
    await pair.dest.put('c', bytesOf('theirs', 10));
    await pair.source.put('c', bytesOf('ours', 10));
    const before = pair.manifest.failures();
    const run = await pair.copy({ dryRun: true, policy: { ...POLICY, immutable: true } });
    expect(run.failed.objects).toBe(2);
    expect(pair.manifest.failures()).toEqual(before);
  });
});

describe('what a run knows when a fault ends it', () => {
  test('is kept: every confirmed object has its row, however few there are', async () => {
    const pair = await pairOf(names(1007));
    pair.faults.source.before('list', ({ options }) => {
      if (options.token !== undefined) throw new XsyncError('access-denied', 'page 2 is forbidden');
      options.maxKeys = 7;
    });
    await expect(pair.copy()).rejects.toThrow('page 2 is forbidden');
    expect(pair.manifest.count()).toBe(7);
  });

  test('expired credentials met by a closer look end the run as well, instead of failing every object', async () => {
    const pair = await pairOf(names(100));
    let heads = 0;
    pair.faults.dest.fail('head', new XsyncError('expired-credentials', 'the token has expired'), () => ++heads > 0);
    await expect(pair.copy({ noTraverse: true, checkers: 1 })).rejects.toThrow('the token has expired');
    expect(heads).toBe(1);
    expect(pair.manifest.failures()).toEqual([]);
  });

  test('and no page of a listing is asked for any more', async () => {
    const pair = await pairOf(names(20));
    let aborted = 0;
    pair.faults.source.around('list', async ({ options, signal }, run) => {
      if (options.token === undefined) return { ...(await run()), nextToken: 'more' };
      signal?.addEventListener('abort', () => aborted++);
      return new Promise(() => undefined);
    });
    await pair.copy({ maxTransfer: 50, cutoffMode: 'soft' });
    expect(aborted).toBe(1);
  });
});
