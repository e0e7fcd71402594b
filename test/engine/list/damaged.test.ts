/** Rows of a listing that name no object of the side: each is one failure, and the rest is copied. */
import { describe, expect, test } from 'vitest';
import { exitOfSummary } from '../../../src/cli/exit.js';
import type { RunEvent, Summary } from '../../../src/engine/events.js';
import { SYNCHRONISED } from '../../../src/engine/record/facts.js';
import type { ListPage } from '../../../src/store/port.js';
import { keysOf, numbered, Pair, sync, synced } from '../sync.js';

const KEYS = numbered(20);

interface Failure {
  key: string;
  message: string;
}

function failuresOf({ events }: { events: RunEvent[] }): Failure[] {
  return events.flatMap((event) => (event.type === 'failed' ? [{ key: event.key, message: event.message }] : []));
}

/** The row of `key` comes without its key. */
function nameless(pair: Pair, side: 'source' | 'dest', key: string): () => void {
  return pair.faults[side].change('list', (page) => {
    const at = page.entries.findIndex((entry) => entry.key === key);
    if (at < 0) return page;
    const entries = page.entries.toSpliced(at, 1);
    return { ...page, entries, damaged: [`a row without a key after "${page.entries[at - 1]?.key}"`] };
  });
}

function exitOf(run: Summary): number {
  return exitOfSummary(run, { errorOnNoTransfer: false });
}

describe.each(['after', 'before', 'during'] as const)('deletes %s', (when) => {
  test.each([
    ['source', 'memory:src'],
    ['dest', 'memory:dst'],
  ] as const)('a row without a key at the %s', async (side, text) => {
    const pair = await synced(KEYS, ['k00003']);
    const synchronised = pair.manifest.getFact(SYNCHRONISED.name);
    await pair.source.put('new', Buffer.from('n'));
    const mend = nameless(pair, side, 'k00010');
    const run = await sync(pair, { deletes: { when } });
    expect(failuresOf(run)).toEqual([
      { key: '', message: `the listing of ${text} has a row without a key after "k00009"` },
    ]);
    expect(run).toMatchObject({ failed: { objects: 1, byClass: { temporary: 1 } }, unfinished: { objects: 0 } });
    expect(run.deleted.objects).toBe(0);
    expect(exitOf(run)).toBe(5);
    expect(await keysOf(pair.dest)).toEqual([...KEYS, 'new']);
    expect(pair.manifest.getFact(SYNCHRONISED.name)).toBe(synchronised);
    mend();
    const next = await sync(pair, { deletes: { when } });
    expect(next).toMatchObject({ failed: { objects: 0 }, deleted: { objects: 1, left: 0 } });
    expect(exitOf(next)).toBe(0);
  });
});

test('in a copy', async () => {
  const pair = await synced(KEYS);
  await pair.source.put('new', Buffer.from('n'));
  nameless(pair, 'source', 'k00010');
  const run = await pair.copy();
  expect(run).toMatchObject({ copied: { objects: 1 }, failed: { objects: 1 } });
  expect(exitOf(run)).toBe(5);
});

test('never seems synchronized in a first run', async () => {
  const pair = await synced([]);
  pair.manifest.setFact(SYNCHRONISED.name, '');
  await pair.source.put('a', Buffer.from('a'));
  pair.faults.source.change('list', (page) => ({ ...page, damaged: ['a row without a key after "a"'] }));
  expect(exitOf(await sync(pair))).toBe(5);
  expect(pair.manifest.getFact(SYNCHRONISED.name)).toBe('');
});

test('several rows are several failures, and each is reported once', async () => {
  const pair = await synced(KEYS);
  const damaged = ['a row without a key after "k00003"', 'a row without a key after "k00003" (2)'];
  pair.faults.source.change('list', (page) => ({ ...page, damaged: [...damaged, damaged[0] ?? ''] }));
  expect(failuresOf(await pair.copy())).toHaveLength(2);
});

test('more than a hundred end the run', async () => {
  const pair = await synced(KEYS);
  const damaged = numbered(101);
  pair.faults.source.change('list', (page) => ({ ...page, damaged }));
  await expect(pair.copy()).rejects.toMatchObject({ code: 'invalid-response', message: /more than 100 rows/ });
});

const outside = (page: ListPage): ListPage => ({
  ...page,
  entries: [...page.entries, { key: 'other', size: 1, etag: 'e', mtimeMs: 1 }],
});

test('a key outside the prefix is one failure', async () => {
  const pair = new Pair();
  pair.prefixes = { source: 'k', dest: 'k' };
  for (const key of KEYS) await pair.source.put(key, Buffer.from(key));
  await pair.copy();
  await pair.source.delete(['k00003']);
  pair.faults.source.change('list', outside);
  const run = await sync(pair);
  expect(failuresOf(run)).toEqual([
    { key: '', message: 'the listing of memory:src contains "other", which is outside the prefix' },
  ]);
  expect(run.deleted).toMatchObject({ objects: 0, left: 1 });
  expect(exitOf(run)).toBe(5);
});

test('a key that is listed twice is one failure, of a copy as well', async () => {
  const pair = await synced(KEYS);
  await pair.source.put('new', Buffer.from('n'));
  // One damaged key is that of another object now.
  pair.faults.source.change('list', (page) => ({
    ...page,
    entries: page.entries.map((entry) => (entry.key === 'k00010' ? { ...entry, key: 'k00009' } : entry)),
  }));
  const run = await pair.copy();
  expect(failuresOf(run)).toEqual([{ key: '', message: 'memory:src listed 1 key twice' }]);
  expect(await keysOf(pair.dest)).toContain('new');
  expect(exitOf(run)).toBe(5);
});

test('an entry with a fault keeps it when the listing is sorted on disk', async () => {
  const pair = await synced([]);
  for (const key of ['b', 'a']) await pair.source.put(key, Buffer.from(key));
  const { XsyncError } = await import('../../../src/model/error.js');
  const fault = new XsyncError('key-not-representable', 'its key is not UTF-8', { remedy: 'Rename it.' });
  pair.faults.source.change('list', (page) => ({
    ...page,
    entries: page.entries
      .map((entry) => (entry.key === 'a' ? { ...entry, special: 'other' as const, fault } : entry))
      .toReversed(),
  }));
  const run = await pair.copy();
  expect(failuresOf(run)).toEqual([{ key: 'a', message: 'its key is not UTF-8' }]);
  expect(run.failed.byClass).toEqual({ permanent: 1 });
  expect(exitOf(run)).toBe(6);
});
