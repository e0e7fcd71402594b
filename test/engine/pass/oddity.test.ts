/** Deletes are held back when a listing of the pass cannot be right. */
import { describe, expect, test, vi } from 'vitest';
import { exitOfSummary } from '../../../src/cli/exit.js';
import type { Summary } from '../../../src/engine/events.js';
import { PassKeeper } from '../../../src/engine/pass/pass.js';
import type { FaultyStore } from '../../support/faults.js';
import { OPTIONS } from '../support.js';
import { keysOf, numbered, type Pair, sync, synced, syncOptions } from '../sync.js';

const KEYS = numbered(40);

/** `KEYS` were copied an hour ago, and `gone` of them deleted at the source since. */
async function pairOf(gone: readonly string[], keys: readonly string[] = KEYS): Promise<Pair> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 });
  try {
    return await synced(keys, gone);
  } finally {
    vi.useRealTimers();
  }
}

function warningsOf({ events }: Awaited<ReturnType<typeof sync>>): string[] {
  return events.flatMap((event) => (event.type === 'notice' && event.level === 'warn' ? [event.message] : []));
}

function mustBeHeldBack(run: Awaited<ReturnType<typeof sync>>, left: number, why: RegExp): void {
  expect(run.deleted).toMatchObject({ objects: 0, left });
  expect(warningsOf(run).filter((message) => why.test(message))).toHaveLength(1);
  expect(exitOfSummary(run satisfies Summary, { errorOnNoTransfer: false })).toBe(5);
}

/** The listing ends after `last`, whatever follows. */
function endEarly(store: FaultyStore, last: string): () => void {
  return store.change('list', (page, { options }) => {
    if (options.startAfter !== undefined) return page;
    return { entries: page.entries.filter(({ key }) => key <= last), prefixes: [] };
  });
}

test('a key that vanished holds the deletes back once', async () => {
  const pair = await pairOf(['k00003']);
  // One damaged bit turns k00005 into a key that is not there.
  const mend = pair.faults.source.change('list', (page) => ({
    ...page,
    entries: page.entries.map((entry) => (entry.key === 'k00005' ? { ...entry, key: 'k00005~' } : entry)),
  }));
  mustBeHeldBack(await sync(pair), 2, /^nothing was deleted, because "k00005~" was listed at the source/);
  expect(await keysOf(pair.dest)).toEqual(KEYS);
  mend();
  expect((await sync(pair)).deleted).toMatchObject({ objects: 1, left: 0 });
});

test('and in a later run that continues the pass', async () => {
  const pair = await pairOf(['k00003', 'k00030']);
  const resume = { from: 0, shape: 'all' };
  const options = { ...OPTIONS, ...syncOptions({ resume }) };
  const now = Date.now();
  const passed = { looked: 10, objects: 10, bytes: 100 };
  const keeper = new PassKeeper(pair.manifest, { startedMs: now, passed, oddity: 'a key vanished' }, options);
  keeper.save('k00009', passed, now);
  mustBeHeldBack(await sync(pair, { resume }), 1, /nothing was deleted, because a key vanished;/);
  expect((await sync(pair, { resume })).deleted).toMatchObject({ objects: 2, left: 0 });
});

test('an object that the listing left out holds back the deletes that follow', async () => {
  const pair = await pairOf(['k00003']);
  pair.faults.source.change('list', (page) => ({
    ...page,
    entries: page.entries.filter(({ key }) => key !== 'k00005'),
  }));
  mustBeHeldBack(await sync(pair), 1, /nothing more was deleted, because .* left out "k00005", which is there/);
  expect(await keysOf(pair.dest)).toEqual(KEYS);
});

test.each([false, true])('a listing that ends early, --delete-unchecked %s', async (unchecked) => {
  const pair = await pairOf(['k00003']);
  const mend = endEarly(pair.faults.source, 'k00024');
  const run = await sync(pair, { deletes: { unchecked } });
  mustBeHeldBack(run, 16, /nothing was deleted, because the listing of memory:src ended after "k00024"/);
  mend();
  expect((await sync(pair, { deletes: { unchecked } })).deleted).toMatchObject({ objects: 1, left: 0 });
});

test('a folder at the end that is really gone is deleted', async () => {
  const pair = await pairOf(KEYS.slice(25));
  expect((await sync(pair)).deleted).toMatchObject({ objects: 15, left: 0 });
});

describe.each(['source', 'dest'] as const)('a %s', (side) => {
  test('that lists a page twice', async () => {
    const pair = await pairOf(['k00003']);
    const mend = pair.faults[side].change('list', (page) => ({
      ...page,
      entries: [...page.entries, ...page.entries.slice(-9)],
    }));
    mustBeHeldBack(await sync(pair), 1, /nothing was deleted, because memory:\w+ lists "k00031" out of order/);
    // From now on it is sorted, and still lists keys twice.
    mustBeHeldBack(await sync(pair), 1, /nothing was deleted, because memory:\w+ listed 9 keys twice/);
    mend();
    expect((await sync(pair)).deleted).toMatchObject({ objects: 1, left: 0 });
  });

  test('that lists out of order', async () => {
    const pair = await pairOf(['k00003']);
    pair.faults[side].change('list', (page) => ({ ...page, entries: page.entries.toReversed() }));
    mustBeHeldBack(await sync(pair), 1, /nothing was deleted, because memory:\w+ lists "\w+" out of order/);
    // The order is known now, and all keys are there.
    expect((await sync(pair)).deleted).toMatchObject({ objects: 1, left: 0 });
  });
});

test('--ignore-errors deletes anyway, and only what is gone', async () => {
  const pair = await pairOf(['k00003']);
  endEarly(pair.faults.source, 'k00024');
  const run = await sync(pair, { deletes: { ignoreErrors: true } });
  expect(run.deleted).toMatchObject({ objects: 1, left: 0 });
  expect(await keysOf(pair.dest)).toEqual(KEYS.filter((key) => key !== 'k00003'));
});
