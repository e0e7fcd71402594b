import { describe, expect, test } from 'vitest';
import { createFilter } from '../../src/engine/filter/filter.js';
import { XsyncError } from '../../src/model/error.js';
import { bytesOf, keysOf, Pair, POLICY } from './support.js';

async function pairOf(count: number, size: number): Promise<Pair> {
  const pair = new Pair();
  for (let i = 0; i < count; i++) await pair.source.put(`k${i}`, bytesOf(`k${i}`, size));
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
