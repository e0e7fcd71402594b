/** A destination that is a tree, which cannot hold both `a` and `a/b`. */
import { describe, expect, test } from 'vitest';
import { exitOfSummary } from '../../../src/cli/exit.js';
import { XsyncError } from '../../../src/model/error.js';
import { bytesOf, keysOf, numbered, type Pair, sync, synced, TIMES, told } from '../sync.js';

/** `before` was copied, and `after` is at the source instead. */
async function turned(before: readonly string[], after: readonly string[]): Promise<Pair> {
  const pair = await synced([...numbered(12), ...before], before);
  for (const key of after) await pair.source.put(key, bytesOf(key, 10));
  pair.faults.dest.before('put', async ({ key = '' }) => {
    const there = await keysOf(pair.dest);
    if (!there.some((other) => other.startsWith(`${key}/`) || key.startsWith(`${other}/`))) return;
    throw new XsyncError('key-not-representable', `${key} cannot be created`, { subject: key });
  });
  return pair;
}

const TURNS: [string, string[], string[]][] = [
  ['an object becomes a folder', ['a'], ['a/b', 'a/c/d']],
  ['a folder becomes an object', ['a/b', 'a/c/d'], ['a']],
  ['an object deep in the tree becomes a folder', ['x/y/a'], ['x/y/a/b']],
];

describe.each(TIMES)('--delete-%s', (when) => {
  test.each(TURNS)('%s in one run, and nothing is left to do', async (_, before, after) => {
    const pair = await turned(before, after);
    const run = await sync(pair, { deletes: { when } });
    expect(await keysOf(pair.dest)).toEqual([...after, ...numbered(12)].sort());
    expect(run).toMatchObject({
      copied: { objects: after.length },
      deleted: { objects: before.length, left: 0 },
      failed: { objects: 0 },
      unfinished: { objects: 0 },
      listed: { source: 12 + after.length },
    });
    expect(told(run, 'failed')).toEqual([]);
    expect(pair.manifest.failureCount()).toBe(0);
    expect((await sync(pair, { deletes: { when } })).skipped.objects).toBe(12 + after.length);
  });

  test.each(TURNS)('%s in the next run if the guards refuse this one', async (_, before, after) => {
    const pair = await turned(before, after);
    await expect(sync(pair, { deletes: { when, max: { objects: 0 } } })).rejects.toMatchObject({ code: 'guard' });
    expect(await keysOf(pair.dest)).toEqual([...before, ...numbered(12)].sort());
    await sync(pair, { deletes: { when } });
    expect(await keysOf(pair.dest)).toEqual([...after, ...numbered(12)].sort());
  });

  test("somebody else's object in the way fails the new one, in each run, and is kept", async () => {
    const pair = await turned([], ['a/b']);
    await pair.dest.put('a', bytesOf('theirs', 5));
    for (let n = 0; n < 2; n++) {
      const run = await sync(pair, { deletes: { when } });
      expect(run.failed.list).toMatchObject([{ key: 'a/b', code: 'key-not-representable' }]);
      expect(run).toMatchObject({ kept: { objects: 1 }, unfinished: { objects: 0 }, held: { objects: 0 } });
    }
    expect(await keysOf(pair.dest)).toEqual(['a', ...numbered(12)]);
  });
});

test('an object that could not be copied keeps the one in the way, and both are reported', async () => {
  const pair = await turned(['a'], ['a/b', 'new']);
  pair.faults.source.fail('read', new XsyncError('access-denied', 'no'), ({ key }) => key === 'new');
  const run = await sync(pair);
  expect(run.failed.list.map(({ key }) => key).sort()).toEqual(['a/b', 'new']);
  expect(await keysOf(pair.dest)).toContain('a');
});

test('a copy reports it, and a sync that was begun by a killed run finds it', async () => {
  const pair = await turned(['a'], ['a/b']);
  expect((await pair.copy()).failed.list).toMatchObject([{ key: 'a/b', code: 'key-not-representable' }]);
  await sync(pair);
  expect(await keysOf(pair.dest)).toEqual(['a/b', ...numbered(12)]);
});

test('a dry run promises both', async () => {
  const pair = await turned(['a'], ['a/b']);
  expect(await sync(pair, { dryRun: true })).toMatchObject({ copied: { objects: 1 }, deleted: { objects: 1 } });
});

describe('--delete-before after a run that could not copy an object', () => {
  /** `old` is `new` now, and the destination refuses it. */
  async function renamed(code: 'access-denied' | 'server-error'): Promise<{ pair: Pair; mend: () => void }> {
    const pair = await synced([...numbered(12), 'old'], ['old']);
    await pair.source.put('new', bytesOf('new', 10));
    const mend = pair.faults.dest.fail('put', new XsyncError(code, 'no'));
    await sync(pair);
    return { pair, mend };
  }

  test.each(['access-denied', 'server-error'] as const)('deletes nothing while it is missing: %s', async (code) => {
    const { pair } = await renamed(code);
    const run = await sync(pair, { deletes: { when: 'before' } });
    expect(await keysOf(pair.dest)).toContain('old');
    expect(run).toMatchObject({ deleted: { objects: 0, left: 1 }, held: { objects: 1 } });
    expect(exitOfSummary(run, { errorOnNoTransfer: false })).toBe(code === 'access-denied' ? 6 : 5);
  });

  test('deletes nothing either when it is tried again and fails again', async () => {
    const { pair } = await renamed('access-denied');
    const run = await sync(pair, { deletes: { when: 'before' }, failedBefore: 'try' });
    expect(run).toMatchObject({ deleted: { objects: 0, left: 1 }, failed: { objects: 1 } });
  });

  test.each([
    ['--ignore-errors', async () => undefined, { ignoreErrors: true }],
    ['it was given up', async (pair: Pair) => pair.manifest.dropFailures(['new']), {}],
    ['it is gone from the source', (pair: Pair) => pair.source.delete(['new']), {}],
    ['it is at the destination', async (pair: Pair) => pair.dest.put('new', bytesOf('new', 10)), {}],
  ] as const)('deletes: %s', async (_, change, deletes) => {
    const { pair, mend } = await renamed('access-denied');
    mend();
    await change(pair);
    const compare = 'checksum' as const;
    const run = await sync(pair, { deletes: { when: 'before', ...deletes }, policy: { compare } });
    expect(run.deleted.objects).toBe(1);
  });
});
