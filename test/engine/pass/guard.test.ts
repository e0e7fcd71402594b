import { describe, expect, test } from 'vitest';
import { createFilter, parseRawKeyFile } from '../../../src/engine/filter/filter.js';
import { XsyncError } from '../../../src/model/error.js';
import type { FaultyStore } from '../../support/faults.js';
import { bytesOf, deleteRequests, keysOf, numbered, Pair, type SyncOptions, sync, synced, TIMES } from '../sync.js';

/** Listed in seven pages. */
const KEYS = numbered(64);
const PAGE = 10;

/** A quarter of them is more than 1,000, which are allowed of any number. */
const MANY = numbered(4004);

/** What is to make a sync delete everything; `options` of the run that must not. */
interface Disaster {
  pair(): Promise<Pair>;
  options?: SyncOptions;
  throws: string;
  says: RegExp;
}

/** As everywhere else, but for the source's listing. */
async function listing(add: (faults: FaultyStore) => void): Promise<Pair> {
  const pair = await synced(KEYS);
  pair.faults.source.before('list', ({ options }) => Object.assign(options, { maxKeys: PAGE }));
  add(pair.faults.source);
  return pair;
}

async function wrongPrefix(): Promise<Pair> {
  const pair = await synced(KEYS);
  const other = new Pair();
  for (const key of numbered(30, 'of another folder/')) await pair.source.put(`wrong/${key}`, bytesOf(key, 10));
  pair.prefixes.source = 'wrong/';
  // Another pair of places has a manifest of its own.
  return Object.assign(pair, { manifest: other.manifest });
}

/** `gone` are gone from the source, whose `folders` are still there, as on a disk. */
async function emptied(keys: readonly string[], folders: readonly string[], gone: readonly string[]): Promise<Pair> {
  const pair = await synced(keys, gone);
  pair.faults.source.hasFolder = async (prefix) => folders.includes(prefix);
  return pair;
}

const DISASTERS: Record<string, Disaster> = {
  'a source that was emptied': {
    pair: async () => {
      const pair = await synced(KEYS);
      await pair.source.delete(KEYS);
      return pair;
    },
    options: { deletes: { max: { percent: 100 } } },
    throws: 'guard',
    says: /source is empty.*64 objects/,
  },
  'credentials that are shown an empty source': {
    pair: () => listing((faults) => faults.around('list', async () => ({ entries: [], prefixes: [] }))),
    throws: 'guard',
    says: /source is empty.*64 objects/,
  },
  'credentials that may not list the source': {
    pair: () => listing((faults) => faults.fail('list', new XsyncError('access-denied', 'no right to list'))),
    throws: 'access-denied',
    says: /no right to list/,
  },
  'a listing that fails at its seventh page': {
    pair: () =>
      listing((faults) => faults.fail('list', new XsyncError('access-denied', 'page seven'), ({ n }) => n === 7)),
    throws: 'access-denied',
    says: /page seven/,
  },
  'a listing that breaks off at its seventh page, whatever is tried': {
    pair: () => listing((faults) => faults.fail('list', new XsyncError('truncated', 'half a page'), ({ n }) => n >= 7)),
    throws: 'truncated',
    says: /half a page/,
  },
  'a wrong prefix': {
    pair: wrongPrefix,
    options: { deletes: { ignoreErrors: true } },
    throws: '',
    says: /^$/,
  },
  'a wrong prefix with --delete-unknown': {
    pair: wrongPrefix,
    options: { policy: { deleteUnknown: true } },
    throws: 'guard',
    says: /no key in common.*64 objects/,
  },
  'a quarter of the objects and one more': {
    pair: () => synced(MANY, MANY.slice(0, 1002)),
    throws: 'guard',
    says: /1002 objects.*more than.*1001/,
  },
  'a disk that is not mounted, with one stray file in its place': {
    pair: async () => {
      const pair = await synced(KEYS.slice(0, 10), KEYS.slice(0, 10));
      await pair.source.put('stray', bytesOf('stray', 10));
      return pair;
    },
    throws: 'guard',
    says: /10 of 10 objects .*more than half/,
  },
  'three of five objects': {
    pair: () => synced(numbered(5), numbered(3)),
    throws: 'guard',
    says: /3 of 5 objects .*more than half/,
  },
  'more than half of what the filters include': {
    pair: () => synced([...numbered(20), ...numbered(6, 'jpg/')], numbered(4, 'jpg/')),
    options: { filter: createFilter({ include: ['/jpg/**'] }) },
    throws: 'guard',
    says: /4 of 6 objects .*more than half/,
  },
  'an emptied source, of which only named objects are compared': {
    pair: () => synced(numbered(30), numbered(30)),
    options: { filter: createFilter({ filesFromRaw: [parseRawKeyFile(numbered(3).join('\n'), 'list')] }) },
    throws: 'guard',
    says: /source is empty.*3 objects/,
  },
  'named objects, of which more than half are gone': {
    pair: () => synced(numbered(30), numbered(6)),
    options: { filter: createFilter({ filesFromRaw: [parseRawKeyFile(numbered(10).join('\n'), 'list')] }) },
    throws: 'guard',
    says: /6 of 10 objects .*more than half/,
  },
  'a quarter of the objects in a folder that is empty at the source': {
    pair: () => emptied([...numbered(20), ...numbered(5, 'a/mnt/')], ['a/mnt/'], numbered(5, 'a/mnt/')),
    throws: 'guard',
    says: /folder a\/mnt\/ of the source is empty.*5 objects/,
  },
  'a folder below which all folders are empty': {
    pair: () => {
      const keys = [...numbered(4, 'a/b/'), ...numbered(4, 'a/c/')];
      return emptied([...numbered(20), ...keys], ['a/', 'a/b/', 'a/c/'], keys);
    },
    options: { deletes: { max: { percent: 100 } } },
    throws: 'guard',
    says: /folder a\/ of the source is empty.*8 objects/,
  },
  'an empty folder of which only named objects are compared': {
    pair: () => emptied([...numbered(20), ...numbered(9, 'mnt/')], ['mnt/'], numbered(9, 'mnt/')),
    options: {
      filter: createFilter({
        filesFromRaw: [parseRawKeyFile([...numbered(20), ...numbered(9, 'mnt/')].join('\n'), 'list')],
      }),
    },
    throws: 'guard',
    says: /folder mnt\/ of the source is empty.*9 objects/,
  },
  'one more than --max-delete N': {
    pair: () => synced(KEYS, KEYS.slice(0, 11)),
    options: { deletes: { max: { objects: 10 } } },
    throws: 'guard',
    says: /11 objects.*--max-delete.*10$/,
  },
  'one object with --max-delete 0': {
    pair: () => synced(KEYS, KEYS.slice(0, 1)),
    options: { deletes: { max: { objects: 0 } } },
    throws: 'guard',
    says: /1 object would.*--max-delete/,
  },
  'one more than --max-delete P%': {
    pair: () => synced(KEYS, KEYS.slice(0, 7)),
    options: { deletes: { max: { percent: 10 } } },
    throws: 'guard',
    says: /7 objects.*--max-delete.*6$/,
  },
};

describe.each(TIMES)('--delete-%s', (when) => {
  test.each(Object.entries(DISASTERS))('%s deletes nothing', async (_, { pair: make, options, throws, says }) => {
    const pair = await make();
    const requests = deleteRequests(pair);
    const there = await keysOf(pair.dest);
    const run = sync(pair, { ...options, deletes: { ...options?.deletes, when } });
    const error = await run.then(
      () => new XsyncError('internal', ''),
      (error: XsyncError) => error,
    );
    expect(throws === '' ? '' : error.code).toBe(throws);
    expect(error.message).toMatch(says);
    expect(requests).toEqual([]);
    expect(await keysOf(pair.dest)).toEqual(expect.arrayContaining(there));
  });
});

test('two places that have no key in common have none either when the refused run is run again', async () => {
  const pair = new Pair();
  for (const key of numbered(5, 's')) await pair.source.put(key, bytesOf(key, 10));
  for (const key of numbered(5, 'd')) await pair.dest.put(key, bytesOf(key, 10));
  const unknown = { policy: { deleteUnknown: true } };
  for (let n = 0; n < 3; n++) await expect(sync(pair, unknown)).rejects.toMatchObject({ code: 'guard' });
  expect(await keysOf(pair.dest)).toEqual([...numbered(5, 'd'), ...numbered(5, 's')]);
  expect((await sync(pair)).kept.objects).toBe(5);
  await expect(sync(pair, unknown)).rejects.toMatchObject({ code: 'guard' });
  // Meant once, they are a pair as any other.
  expect((await sync(pair, { ...unknown, deletes: { max: { objects: 5 } } })).deleted.objects).toBe(5);
  await pair.dest.put('later', bytesOf('x', 10));
  expect((await sync(pair, unknown)).deleted.objects).toBe(1);
});

describe('what the guards let pass', () => {
  test('a quarter of the objects', async () => {
    const pair = await synced(MANY, MANY.slice(0, 1001));
    expect((await sync(pair)).deleted.objects).toBe(1001);
  });

  test('1,000 objects, if they are no more than half', async () => {
    const keys = numbered(2000);
    const pair = await synced(keys, keys.slice(1000));
    expect((await sync(pair)).deleted.objects).toBe(1000);
  });

  test.each([
    [2, 1],
    [4, 3],
    [5, 2],
    [6, 3],
  ])('of a pair of %i objects, %i', async (there, gone) => {
    const pair = await synced(numbered(there), numbered(gone));
    expect((await sync(pair)).deleted.objects).toBe(gone);
  });

  test('nearly all of a source that may become empty', async () => {
    const pair = await synced(numbered(20), numbered(19));
    expect((await sync(pair, { deletes: { allowEmptySource: true } })).deleted.objects).toBe(19);
  });

  test('named objects that are gone from a source that has others', async () => {
    const pair = await synced(numbered(20), numbered(4));
    const filter = createFilter({ filesFromRaw: [parseRawKeyFile(numbered(4).join('\n'), 'list')] });
    expect((await sync(pair, { filter })).deleted.objects).toBe(4);
  });

  test('as many as --max-delete says', async () => {
    const pair = await synced(numbered(20), numbered(10));
    expect((await sync(pair, { deletes: { max: { percent: 50 } } })).deleted.objects).toBe(10);
  });

  test('an empty source that is meant', async () => {
    const pair = await synced(numbered(20), numbered(20));
    expect((await sync(pair, { deletes: { allowEmptySource: true } })).deleted.objects).toBe(20);
    expect(await keysOf(pair.dest)).toEqual([]);
  });

  test('a pair with no common key when --max-delete was given', async () => {
    const pair = new Pair();
    await pair.source.put('a', bytesOf('a', 10));
    await pair.dest.put('b', bytesOf('b', 10));
    await sync(pair, { policy: { deleteUnknown: true }, deletes: { max: { objects: 1 } } });
    expect(await keysOf(pair.dest)).toEqual(['a']);
  });
});

describe('in an empty folder of the source', () => {
  const KEPT = numbered(20);

  test.each([
    ['fewer objects than five are deleted', numbered(4, 'mnt/'), ['mnt/'], {}],
    ['objects are deleted if it is gone too', numbered(9, 'mnt/'), [], {}],
    ['objects are deleted with --allow-empty-source', numbered(9, 'mnt/'), ['mnt/'], { allowEmptySource: true }],
  ] as const)('%s', async (_, gone, folders, deletes) => {
    const pair = await emptied([...KEPT, ...gone], folders, gone);
    expect((await sync(pair, { deletes })).deleted.objects).toBe(gone.length);
    expect(await keysOf(pair.dest)).toEqual(KEPT);
  });

  test('that has one object left, the others are deleted', async () => {
    const pair = await emptied([...KEPT, ...numbered(9, 'mnt/')], ['mnt/'], numbered(8, 'mnt/'));
    expect((await sync(pair)).deleted.objects).toBe(8);
  });
});

test('a source that has none of the named objects is listed once to see whether it has others', async () => {
  const pair = await synced(numbered(20), numbered(4));
  const filter = createFilter({ filesFromRaw: [parseRawKeyFile(numbered(4).join('\n'), 'list')] });
  const run = await sync(pair, { filter });
  expect(run.traffic.source.requests).toEqual({ head: 8, list: 1 });
});

test.each([
  ['an emptied source', () => synced(numbered(20), numbered(20))],
  ['more than half', () => synced(numbered(20), numbered(11))],
  ['an empty folder', () => emptied([...numbered(20), ...numbered(9, 'mnt/')], ['mnt/'], numbered(9, 'mnt/'))],
])('the guards speak in a dry run too: %s', async (_, make) => {
  const pair = await make();
  await expect(sync(pair, { dryRun: true })).rejects.toMatchObject({ code: 'guard' });
  expect(pair.manifest.doomedCount()).toBe(0);
});

test('what a guard has refused is not deleted by a later run that finds the source whole again', async () => {
  const pair = await synced(numbered(20), numbered(20));
  await expect(sync(pair)).rejects.toMatchObject({ code: 'guard' });
  for (const key of numbered(20)) await pair.source.put(key, bytesOf(key, 10));
  const run = await sync(pair);
  expect(run.deleted.objects).toBe(0);
  expect(await keysOf(pair.dest)).toEqual(numbered(20));
});

describe('--max-delete-size', () => {
  const GONE = ['a', 'b', 'c'];

  test.each(TIMES)('refuses deletes of more bytes, %s', async (when) => {
    const pair = await synced([...GONE, 'd', 'e', 'f', 'g'], GONE);
    const run = sync(pair, { deletes: { when, maxBytes: 29 } });
    await expect(run).rejects.toMatchObject({
      code: 'guard',
      message: '3 objects of 30 bytes would be deleted, which is more than --max-delete-size allows: 29 bytes',
      remedy: 'list them with --dry-run; --max-delete-size 30B deletes them',
    });
    expect(await keysOf(pair.dest)).toEqual([...GONE, 'd', 'e', 'f', 'g']);
  });

  test('allows what is not more, and lifts no other guard', async () => {
    const pair = await synced([...GONE, 'd', 'e', 'f', 'g'], GONE);
    await sync(pair, { deletes: { maxBytes: 30 } });
    expect(await keysOf(pair.dest)).toEqual(['d', 'e', 'f', 'g']);
    await pair.source.delete(['d', 'e', 'f', 'g']);
    await expect(sync(pair, { deletes: { maxBytes: 1000 } })).rejects.toMatchObject({ code: 'guard' });
  });

  test('counts what an interrupted run found', async () => {
    const keys = numbered(3000);
    const pair = await synced(keys, keys.slice(0, 500));
    await expect(sync(pair, { deletes: { max: { objects: 500 }, maxBytes: 4999 } })).rejects.toMatchObject({
      message: '500 objects of 5000 bytes would be deleted, which is more than --max-delete-size allows: 4999 bytes',
    });
  });
});
