/** A pass over a big bucket that is interrupted, and goes on. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { exitOfSummary } from '../../../src/cli/exit.js';
import { Settling } from '../../../src/engine/decide/settling.js';
import { createFilter } from '../../../src/engine/filter/filter.js';
import type { RunOptions } from '../../../src/engine/options.js';
import { Frontier } from '../../../src/engine/pass/frontier.js';
import { progressOfPass } from '../../../src/engine/record/progress.js';
import { statusOf } from '../../../src/engine/record/status.js';
import { bytesOf, keysOf, Pair } from '../support.js';
import { numbered, sync, synced } from '../sync.js';

const KEYS = numbered(3500);
const RESUME = { from: 1000, shape: 'all' };
const HOUR = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

async function filled(keys: readonly string[] = KEYS): Promise<Pair> {
  const pair = new Pair();
  for (const key of keys) await pair.source.put(key, bytesOf(key, 5));
  return pair;
}

/** Stops the run at the put of `key`; every put takes a second, so that the place is kept with each batch. */
async function stoppedAt(pair: Pair, key: string, options: Partial<RunOptions> = {}, deletes = false): Promise<void> {
  const stop = new AbortController();
  const undo = pair.faults.dest.before('put', (put) => {
    vi.setSystemTime(Date.now() + 1000);
    if (put.key === key) stop.abort();
  });
  const all = { resume: RESUME, ...options, stop: stop.signal, listConcurrency: 1 };
  const run = deletes ? await sync(pair, all as Parameters<typeof sync>[1]) : await pair.copy(all);
  undo();
  expect(run.stopped).toBe('interrupted');
}

/** Where each listing of the source began. */
function listings(pair: Pair): (string | undefined)[] {
  const starts: (string | undefined)[] = [];
  pair.faults.source.before('list', ({ options }) => starts.push(options.token ?? options.startAfter));
  return starts;
}

const place = (pair: Pair): string | undefined =>
  (JSON.parse(pair.manifest.getFact('pass') || '{}') as { after?: string }).after;

describe('an interrupted pass', () => {
  test('goes on where it was: the beginning is not listed again, and everything arrives', async () => {
    const pair = await filled();
    await stoppedAt(pair, 'k02700');
    const after = place(pair);
    expect(after !== undefined && after >= 'k00999' && after < 'k02700').toBe(true);
    const starts = listings(pair);
    const run = await pair.copy({ resume: RESUME, listConcurrency: 1 });
    expect(starts[0]).toBe(after);
    expect(run.traffic.source.requests.list).toBe(Math.ceil((KEYS.length - KEYS.indexOf(after ?? '') - 1) / 1000));
    expect(run.listed.source).toBe(KEYS.length - KEYS.indexOf(after ?? '') - 1);
    expect(await keysOf(pair.dest)).toEqual(KEYS);
    expect(place(pair)).toBeUndefined();
    expect((await pair.copy({ resume: RESUME })).listed.source).toBe(KEYS.length);
  });

  test('killed at any time has everything before its place at the destination and in the manifest', async () => {
    const pair = await filled();
    const original = pair.manifest.setFact.bind(pair.manifest);
    const missing: string[] = [];
    let places = 0;
    pair.manifest.setFact = (name, value) => {
      original(name, value);
      const after = place(pair);
      if (name !== 'pass' || after === undefined) return;
      places++;
      missing.push(...KEYS.slice(0, KEYS.indexOf(after) + 1).filter((key) => !pair.manifest.get(key)));
    };
    pair.faults.dest.before('put', async ({ key }) => {
      vi.setSystemTime(Date.now() + 1000);
      // Objects end in another order than they began.
      if (key?.endsWith('7')) await new Promise((resolve) => setTimeout(resolve, 1));
    });
    await pair.copy({ resume: { from: 0, shape: 'all' }, transfers: 50 });
    expect(places).toBeGreaterThan(2);
    expect(missing).toEqual([]);
  });

  test('claims to be synchronised up to its own beginning, not up to that of the run that ended it', async () => {
    const pair = await filled();
    const began = Date.now();
    await stoppedAt(pair, 'k02700');
    expect(statusOf(pair.manifest, Date.now()).synchronised).toBeUndefined();
    vi.setSystemTime(Date.now() + HOUR);
    await pair.copy({ resume: RESUME });
    expect(statusOf(pair.manifest, Date.now()).synchronised?.untilMs).toBe(began);
  });

  test('counts the whole source once, filtered objects and failures apart', async () => {
    const pair = await filled();
    const filter = createFilter({ exclude: ['k000[0-4]?'] });
    await stoppedAt(pair, 'k02700', { filter });
    await pair.copy({ resume: RESUME, filter });
    const { history } = statusOf(pair.manifest, Date.now());
    expect(history).toMatchObject({ objects: 3450, ofObjects: 3450, percent: 100 });
  });

  const ALONE: [string, Partial<RunOptions>][] = [
    ['of another shape', { resume: { ...RESUME, shape: 'other' } }],
    ['without the destination', { resume: RESUME, noTraverse: true }],
    ['that was told to list everything', { resume: undefined }],
    ['that changes nothing', { resume: RESUME, dryRun: true }],
  ];
  test.each(ALONE)('is not what a run goes on with %s', async (_, options) => {
    const pair = await filled();
    await stoppedAt(pair, 'k02700');
    expect((await pair.copy(options)).listed.source).toBe(KEYS.length);
  });

  test('is begun anew after six hours', async () => {
    const pair = await filled();
    await stoppedAt(pair, 'k02700');
    vi.setSystemTime(Date.now() + 6 * HOUR + 1);
    expect((await pair.copy({ resume: RESUME })).listed.source).toBe(KEYS.length);
  });

  test('is not forgotten by a run over a few keys, or by one that changes nothing', async () => {
    const pair = await filled();
    await stoppedAt(pair, 'k02700');
    const after = place(pair);
    await pair.copy({ only: ['k00001'] });
    await pair.copy({ bounds: { after: 'k03000' } });
    await pair.copy({ resume: RESUME, dryRun: true });
    expect(place(pair)).toBe(after);
  });

  test('below its size keeps no place', async () => {
    const pair = await filled();
    await stoppedAt(pair, 'k02700', { resume: { ...RESUME, from: 5000 } });
    expect(place(pair)).toBeUndefined();
  });
});

test('a dry run that is interrupted leaves nothing that a real run would go on after: what it passed was not copied', async () => {
  const pair = await filled();
  const stop = new AbortController();
  let plans = 0;
  await pair.copy({ resume: { from: 0, shape: 'all' }, dryRun: true, stop: stop.signal }, (event) => {
    if (event.type === 'plan' && ++plans === 2500) stop.abort();
  });
  expect(pair.manifest.getFact('pass')).toBeUndefined();
  await pair.copy({ resume: { from: 0, shape: 'all' } });
  expect(await keysOf(pair.dest)).toEqual(KEYS);
});

test('what was too fresh in the first part of an interrupted pass is not claimed by the second', async () => {
  const pair = await filled();
  vi.setSystemTime(Date.now() + HOUR);
  const { mtimeMs } = (await pair.source.put('k00010', bytesOf('fresh', 5))) && (await pair.source.head('k00010'));
  vi.setSystemTime(Date.now() + 1000);
  await stoppedAt(pair, 'k02700', { settling: new Settling(60_000) });
  expect(place(pair)).toBeDefined();
  await pair.copy({ resume: RESUME, settling: new Settling(60_000) });
  expect(await keysOf(pair.dest)).not.toContain('k00010');
  expect(statusOf(pair.manifest, Date.now()).synchronised?.untilMs).toBeLessThanOrEqual(mtimeMs);
});

describe('what the first part of an interrupted sync found gone', () => {
  /** Gone in both parts, and something to copy in the second. */
  async function interrupted(): Promise<Pair> {
    const pair = await synced(KEYS, ['k00010', 'k00011', 'k03400']);
    for (const key of ['k00500', 'k01500', 'k02700', 'k03000']) await pair.source.put(key, bytesOf(`new ${key}`, 6));
    const stopped = new Promise<void>((resolve) => {
      pair.faults.dest.before('put', ({ key }) => (key === 'k02700' ? resolve() : undefined));
    });
    // A page takes longer than the few copies of the one before, and the last one comes after the stop.
    const undo = pair.faults.source.before('list', async ({ options }) => {
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
      if ((options.token ?? options.startAfter ?? '') >= 'k02999') await stopped;
    });
    await stoppedAt(pair, 'k02700', {}, true);
    undo();
    expect(place(pair)).toBeDefined();
    return pair;
  }

  test('is not deleted by the part, and is deleted at the end of the pass after one HEAD each', async () => {
    const pair = await interrupted();
    expect(await keysOf(pair.dest)).toEqual(KEYS);
    expect(pair.manifest.doomed().map(({ key }) => key)).toEqual(['k00010', 'k00011']);
    const heads: string[] = [];
    pair.faults.source.before('head', ({ key = '' }) => heads.push(key));
    const run = await sync(pair, { resume: RESUME });
    expect(heads.sort()).toEqual(['k00010', 'k00011', 'k03400']);
    expect(run.deleted).toMatchObject({ objects: 3, left: 0 });
    expect(await keysOf(pair.dest)).toEqual(await keysOf(pair.source));
  });

  test('stays when it has come back meanwhile', async () => {
    const pair = await interrupted();
    await pair.source.put('k00010', bytesOf('back', 5));
    const run = await sync(pair, { resume: RESUME });
    expect(run.deleted.objects).toBe(2);
    expect(await keysOf(pair.dest)).toEqual(await keysOf(pair.source));
    expect(pair.manifest.doomedCount()).toBe(0);
  });

  test('stays when the source has nothing at all any more', async () => {
    const pair = await interrupted();
    const keys = await keysOf(pair.source);
    for (let i = 0; i < keys.length; i += 1000) await pair.source.delete(keys.slice(i, i + 1000));
    const run = sync(pair, { resume: RESUME, deletes: { max: { objects: 10_000 } } });
    await expect(run).rejects.toMatchObject({ code: 'guard' });
    expect(await keysOf(pair.dest)).toEqual(KEYS);
  });

  test('stays when an object could not be copied by that part', async () => {
    const pair = await interrupted();
    const { key, size, mtimeMs, etag } = await pair.source.head('k00020');
    const source = { key, size, sourceEtag: etag, sourceMtimeMs: mtimeMs, arrivedMs: mtimeMs };
    pair.manifest.fail({
      ...{ ...source, class: 'permanent', code: 'access-denied', message: 'not yours' },
      ...{ settings: 'first', lastMs: Date.now() },
    });
    const run = await sync(pair, { resume: RESUME });
    expect(run).toMatchObject({ deleted: { objects: 0, left: 3 }, unfinished: { objects: 0 } });
    expect(exitOfSummary(run, { errorOnNoTransfer: false })).toBe(6);
    expect(await keysOf(pair.dest)).toEqual(KEYS);
  });

  test('is looked for anew when the clock was set back', async () => {
    const pair = await interrupted();
    await pair.source.put('k00010', bytesOf('back', 5));
    vi.setSystemTime(Date.now() - 2 * HOUR);
    await sync(pair, { resume: RESUME });
    expect(await keysOf(pair.dest)).toContain('k00010');
    expect(statusOf(pair.manifest, Date.now()).synchronised?.untilMs).toBeLessThanOrEqual(Date.now());
  });

  test('stays as long as it cannot be asked for', async () => {
    const pair = await interrupted();
    const mend = pair.faults.source.fail('head', new Error('no answer'));
    await sync(pair, { resume: RESUME }).catch(() => undefined);
    mend();
    expect(await keysOf(pair.dest)).toContain('k00010');
  });
});

describe('the frontier', () => {
  const START = { passed: { looked: 0, objects: 0, bytes: 0 } };

  test('is behind the first batch with an object that is not done, whatever comes after it', () => {
    const keys: (string | undefined)[] = [];
    const frontier: Frontier = new Frontier(
      () => false,
      () => keys.push(frontier.key),
      START,
    );
    const a = frontier.begin('a');
    const slow = a.hold('a');
    a.count();
    a.add(3);
    a.release();
    const b = frontier.begin('b');
    b.count();
    b.add(4);
    b.count();
    b.release();
    expect(keys).toEqual([]);
    slow();
    expect(keys).toEqual(['b']);
    expect(frontier.passed).toEqual({ looked: 3, objects: 2, bytes: 7 });
  });

  test('stands still once objects may be left undone', () => {
    let stopped = false;
    const frontier = new Frontier(
      () => stopped,
      () => undefined,
      START,
    );
    frontier.begin('a').release();
    stopped = true;
    frontier.begin('b').release();
    expect(frontier.key).toBe('a');
  });
});

test('a failure of the first part does not count as arrived when the pass goes on', async () => {
  const pair = await filled();
  await stoppedAt(pair, 'k02700');
  pair.manifest.fail({
    ...{
      key: 'k00005',
      size: 5,
      sourceEtag: 'x',
      sourceMtimeMs: 1,
      arrivedMs: 1,
      class: 'person',
      code: 'access-denied',
    },
    ...{ message: 'no', settings: 'first', lastMs: Date.now() },
  });
  await pair.copy({ resume: RESUME });
  expect(progressOfPass(pair.manifest)).toMatchObject({ source: { objects: 3500 }, synced: { objects: 3499 } });
  expect(statusOf(pair.manifest, Date.now()).history).toMatchObject({ objects: 3499, ofObjects: 3500 });
});
