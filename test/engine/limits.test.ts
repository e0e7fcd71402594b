import { describe, expect, test } from 'vitest';
import { createFilter } from '../../src/engine/filter/filter.js';
import type { RunPair } from '../../src/engine/pair.js';
import { statusOf } from '../../src/engine/record/status.js';
import { XsyncError } from '../../src/model/error.js';
import type { MaxCost, Prices } from '../../src/model/prices.js';
import { bytesOf, keysOf, Pair, POLICY } from './support.js';

async function pairOf(count: number, size: number): Promise<Pair> {
  const pair = new Pair();
  for (let i = 0; i < count; i++) await pair.source.put(`k${i}`, bytesOf(`k${i}`, size));
  return pair;
}

/** A GET costs 1. */
const PRICES = { get: 1000, list: 0, currency: 'CNY' };

class Priced extends Pair {
  readonly prices: { source?: Prices; dest?: Prices };

  constructor(prices: { source?: Prices; dest?: Prices }) {
    super();
    this.prices = prices;
  }

  override open(): RunPair {
    const { source, dest, ...pair } = super.open();
    return { ...pair, source: { ...source, prices: this.prices.source }, dest: { ...dest, prices: this.prices.dest } };
  }
}

/** Has a hundred objects. */
async function priced(prices: Priced['prices']): Promise<Priced> {
  const pair = new Priced(prices);
  for (let i = 0; i < 100; i++) await pair.source.put(`k${i}`, bytesOf(`k${i}`, 10));
  return pair;
}

describe('limits of a run', () => {
  test('--max-transfer, cautious: never beyond the bytes, and the run says why it stopped', async () => {
    const pair = await pairOf(10, 100);
    const run = await pair.copy({ maxTransfer: 350, cutoffMode: 'cautious' });
    expect(run.copied).toEqual({ objects: 3, bytes: 300 });
    expect(run.stopped).toBe('max-transfer');
  });

  test('--max-transfer, soft: what was started is finished', async () => {
    const pair = await pairOf(10, 100);
    const run = await pair.copy({ maxTransfer: 350, cutoffMode: 'soft', transfers: 1 });
    expect(run.copied).toEqual({ objects: 4, bytes: 400 });
    expect(run.stopped).toBe('max-transfer');
  });

  describe('--max-cost', () => {
    test.each(['hard', 'soft'] as const)('%s: the run ends once it has cost more', async (cutoffMode) => {
      const pair = await priced({ source: PRICES });
      const run = await pair.copy({ maxCost: { amount: 5, currency: 'cny' }, cutoffMode, transfers: 1 });
      expect(run.stopped).toBe('max-cost');
      expect(run.cost).toEqual([{ currency: 'CNY', amount: 6, acceleration: 0 }]);
      expect((await pair.copy({ maxCost: { amount: 500 } })).copied.objects).toBe(100 - run.copied.objects);
    });

    test('cautious, and in a dry run: no object that would exceed it is started', async () => {
      const pair = await priced({ source: PRICES });
      const limit = { maxCost: { amount: 5 }, cutoffMode: 'cautious' as const };
      const planned = await pair.copy({ ...limit, dryRun: true });
      expect([planned.stopped, planned.copied.objects]).toEqual(['max-cost', 5]);
      const run = await pair.copy(limit);
      expect([run.stopped, run.copied.objects]).toEqual(['max-cost', 5]);
      expect(run.cost).toEqual([{ currency: 'CNY', amount: 5, acceleration: 0 }]);
    });

    test('status adds up what runs have cost', async () => {
      const pair = await priced({ source: PRICES });
      await pair.copy({ maxCost: { amount: 40 }, cutoffMode: 'cautious' });
      await pair.copy();
      const { spent, lastRun } = statusOf(pair.manifest, Date.now());
      expect(spent?.cost).toEqual([{ currency: 'CNY', amount: 100 }]);
      expect(lastRun?.cost).toEqual([{ currency: 'CNY', amount: 60, acceleration: 0 }]);
    });

    test('a remote without prices is named', async () => {
      const { events } = await (await priced({ source: PRICES })).copy({ maxCost: { amount: 500 } });
      const message = 'memory:dst has no prices, so what it charges does not count for --max-cost';
      expect(events).toContainEqual({ type: 'notice', level: 'warn', message });
    });

    test.each<[string, Priced['prices'], MaxCost, RegExp]>([
      ['without prices', {}, { amount: 5 }, /no remote has prices/],
      ['in another currency', { source: PRICES }, { amount: 5, currency: 'USD' }, /are in CNY, not USD/],
      [
        'of two currencies',
        { source: PRICES, dest: {} },
        { amount: 5 },
        /src has prices in CNY, and memory:dst in USD/,
      ],
    ])('%s, nothing is run', async (_name, prices, maxCost, message) => {
      const pair = await priced(prices);
      await expect(pair.copy({ maxCost })).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringMatching(message),
      });
      expect(await keysOf(pair.dest)).toEqual([]);
    });
  });

  test('a stop before anything was done copies nothing and loses nothing', async () => {
    const pair = await pairOf(10, 100);
    const stop = new AbortController();
    stop.abort();
    const run = await pair.copy({ stop: stop.signal });
    expect(run.stopped).toBe('interrupted');
    expect(run.copied.objects).toBe(0);
    expect((await pair.copy()).copied.objects).toBe(10);
  });
});

describe('faults that end a run', () => {
  test('a listing that fails half-way ends it, after what was already queued has been copied', async () => {
    const pair = await pairOf(1500, 10);
    const forbidden = new XsyncError('access-denied', 'page 2 is forbidden');
    pair.faults.source.fail('list', forbidden, ({ options }) => options.token !== undefined);
    await expect(pair.copy()).rejects.toThrow('page 2 is forbidden');
    expect((await keysOf(pair.dest)).length).toBe(1000);
    expect(pair.manifest.count()).toBe(1000);
  });

  test('expired credentials stop the run instead of failing every object', async () => {
    const pair = await pairOf(100, 10);
    let puts = 0;
    pair.faults.dest.fail('put', new XsyncError('expired-credentials', 'the token has expired'), () => ++puts > 0);
    await expect(pair.copy({ transfers: 1 })).rejects.toThrow('the token has expired');
    expect(puts).toBe(1);
    expect(pair.manifest.failures()).toEqual([]);
  });

  test('source and destination the same, or one inside the other, is refused before anything is sent', async () => {
    const pair = new Pair({ dest: { bucket: 'src', endpoint: 'a' } });
    await expect(pair.copy()).rejects.toMatchObject({ code: 'usage' });
    pair.prefixes = { source: 'a/', dest: 'a/b/' };
    await expect(pair.copy()).rejects.toMatchObject({ code: 'usage' });
    pair.prefixes = { source: 'a/', dest: 'ab/' };
    await expect(pair.copy()).resolves.toBeDefined();
  });
});

describe('choosing', () => {
  test('excluded objects are skipped with the rule that excluded them', async () => {
    const pair = await pairOf(3, 10);
    const run = await pair.copy({ filter: createFilter({ exclude: ['k1'] }) });
    expect(await keysOf(pair.dest)).toEqual(['k0', 'k2']);
    expect(run.skipped.byReason).toEqual({ filtered: 1 });
    expect(run.events.find((event) => event.type === 'skip')).toMatchObject({ key: 'k1', reason: 'filtered' });
  });

  test('--ignore-existing leaves what is there, --immutable refuses to change it', async () => {
    const pair = await pairOf(2, 10);
    await pair.dest.put('k0', bytesOf('other', 11));
    expect((await pair.copy({ policy: { ...POLICY, ignoreExisting: true } })).skipped.byReason).toEqual({ exists: 1 });
    const run = await pair.copy({ policy: { ...POLICY, immutable: true } });
    expect(run.failed.list).toMatchObject([{ key: 'k0', code: 'guard' }]);
  });

  test('--update leaves a destination that is newer than the source', async () => {
    const pair = new Pair({ source: { clock: () => 1000 }, dest: { clock: () => 2000 } });
    await pair.source.put('a', bytesOf('a', 10));
    await pair.dest.put('a', bytesOf('b', 11));
    const run = await pair.copy({ policy: { ...POLICY, update: true } });
    expect(run.skipped.byReason).toEqual({ 'destination-newer': 1 });
  });

  test('drift at the destination is found: what someone overwrote there is copied again', async () => {
    const pair = await pairOf(3, 10);
    await pair.copy();
    await pair.dest.put('k1', bytesOf('vandal', 10));
    await pair.dest.delete(['k2']);
    const run = await pair.copy();
    const reasons = run.events.flatMap((event) => (event.type === 'plan' ? [`${event.key} ${event.reason}`] : []));
    expect(reasons.sort()).toEqual(['k1 destination-changed', 'k2 missing-at-destination']);
  });

  test('a lost manifest costs no second copy: equal objects are found by checksum and adopted', async () => {
    const pair = await pairOf(3, 10);
    await pair.copy();
    pair.manifest.forget(['k0', 'k1', 'k2']);
    const run = await pair.copy();
    expect(run.skipped.byReason).toEqual({ 'same-checksum': 3 });
    expect(pair.manifest.count()).toBe(3);
  });
});
