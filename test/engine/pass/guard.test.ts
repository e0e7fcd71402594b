import { describe, expect, test } from 'vitest';
import { XsyncError } from '../../../src/model/error.js';
import type { FaultyStore } from '../../support/faults.js';
import { bytesOf, deleteRequests, keysOf, numbered, Pair, type SyncOptions, sync, synced, TIMES } from '../sync.js';

const KEYS = numbered(6400);

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

const DISASTERS: Record<string, Disaster> = {
  'a source that was emptied': {
    pair: async () => {
      const pair = await synced(KEYS);
      for (let i = 0; i < KEYS.length; i += 1000) await pair.source.delete(KEYS.slice(i, i + 1000));
      return pair;
    },
    options: { deletes: { max: { percent: 100 } } },
    throws: 'guard',
    says: /source is empty.*6400 objects/,
  },
  'credentials that are shown an empty source': {
    pair: () => listing((faults) => faults.around('list', async () => ({ entries: [], prefixes: [] }))),
    throws: 'guard',
    says: /source is empty.*6400 objects/,
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
    says: /no key in common.*6400 objects/,
  },
  'a quarter of the objects and one more': {
    pair: () => synced(KEYS, KEYS.slice(0, 1601)),
    throws: 'guard',
    says: /1601 objects.*more than.*1600/,
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
    pair: () => synced(KEYS, KEYS.slice(0, 641)),
    options: { deletes: { max: { percent: 10 } } },
    throws: 'guard',
    says: /641 objects.*--max-delete.*640$/,
  },
};

describe.each(TIMES)('--delete-%s', (when) => {
  test.each(Object.entries(DISASTERS))(
    '%s deletes nothing',
    async (_, { pair: make, options, throws, says }) => {
      const pair = await make();
      const requests = deleteRequests(pair);
      const run = sync(pair, { ...options, deletes: { ...options?.deletes, when } });
      const error = await run.then(
        () => new XsyncError('internal', ''),
        (error: XsyncError) => error,
      );
      expect(throws === '' ? '' : error.code).toBe(throws);
      expect(error.message).toMatch(says);
      expect(requests).toEqual([]);
      expect((await keysOf(pair.dest)).filter((key) => KEYS.includes(key))).toHaveLength(KEYS.length);
    },
    60_000,
  );
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
    const pair = await synced(KEYS, KEYS.slice(0, 1600));
    expect((await sync(pair)).deleted.objects).toBe(1600);
  });

  test('1,000 objects of a small pair, but for the last', async () => {
    const keys = numbered(1001);
    const pair = await synced(keys, keys.slice(1));
    expect((await sync(pair)).deleted.objects).toBe(1000);
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

test('the guards speak in a dry run too', async () => {
  const pair = await synced(numbered(20), numbered(20));
  await expect(sync(pair, { dryRun: true })).rejects.toMatchObject({ code: 'guard' });
});

test('what a guard has refused is not deleted by a later run that finds the source whole again', async () => {
  const pair = await synced(numbered(20), numbered(20));
  await expect(sync(pair)).rejects.toMatchObject({ code: 'guard' });
  for (const key of numbered(20)) await pair.source.put(key, bytesOf(key, 10));
  const run = await sync(pair);
  expect(run.deleted.objects).toBe(0);
  expect(await keysOf(pair.dest)).toEqual(numbered(20));
});
