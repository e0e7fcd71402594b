import { describe, expect, test } from 'vitest';
import { runCheck } from '../../../src/engine/check/check.js';
import { createFilter } from '../../../src/engine/filter/filter.js';
import { UnlistedKeys } from '../../../src/engine/list/unlisted.js';
import { XsyncError } from '../../../src/model/error.js';
import type { FaultyStore } from '../../support/faults.js';
import { bytesOf, type Pair } from '../support.js';
import { keysOf, sync, synced, told } from '../sync.js';

const KEYS = ['a', 'x/1', 'x/2', 'x0', 'z'];

/** Lists as a directory tree does whose folder may not be read. */
function close(store: FaultyStore, prefix: string): () => void {
  return store.around('list', async (_, run) => {
    const page = await run();
    const entries = page.entries.filter(({ key }) => !key.startsWith(prefix));
    const error = new XsyncError('not-readable', `${prefix} cannot be read: permission denied`);
    return { ...page, entries, unlisted: [{ prefix, error }] };
  });
}

const LOOSE = { deletes: { ignoreErrors: true } };

describe('a folder of the source that cannot be listed', () => {
  test.each(['before', 'during', 'after'] as const)(
    'fails alone, and nothing below it is deleted (%s)',
    async (when) => {
      const pair = await synced(KEYS, ['a']);
      await pair.source.put('new', bytesOf('new', 10));
      close(pair.faults.source, 'x/');
      const strict = await sync(pair, { deletes: { when } });
      expect(strict).toMatchObject({ copied: { objects: 1 }, deleted: { objects: 0 }, unfinished: { objects: 0 } });
      expect(strict.failed.list).toMatchObject([{ key: 'x/', code: 'not-readable', class: 'person' }]);
      const loose = await sync(pair, { deletes: { when, ignoreErrors: true } });
      expect(told(loose, 'deleted')).toEqual(['a']);
      expect(await keysOf(pair.dest)).toEqual(['new', 'x/1', 'x/2', 'x0', 'z']);
      expect(pair.manifest.get('x/1')).toMatchObject({ ours: true });
    },
  );

  test('is on the failed list until it can be listed, and holds no later run up', async () => {
    const pair = await synced(KEYS, []);
    const open = close(pair.faults.source, 'x/');
    expect((await sync(pair, { failedBefore: 'wait' })).failed.objects).toBe(1);
    const again = await sync(pair, { failedBefore: 'wait' });
    expect(again).toMatchObject({ failed: { objects: 0 }, held: { objects: 1 }, unfinished: { objects: 0 } });
    open();
    expect(await sync(pair, { failedBefore: 'wait' })).toMatchObject({ failed: { objects: 0 }, held: { objects: 0 } });
    expect(pair.manifest.failureCount()).toBe(0);
  });

  test('is an error of a check, and so is what the other side has below it', async () => {
    const pair = await synced(KEYS, []);
    close(pair.faults.source, 'x/');
    expect(await checked(pair)).toMatchObject({
      missingOnSrc: { objects: 0 },
      match: { objects: 3 },
      errors: { objects: 3, list: [{ key: 'x/' }, { key: 'x/1' }, { key: 'x/2' }] },
    });
  });
});

describe('a folder of the destination that cannot be listed', () => {
  test('keeps its rows, and each object below it is asked for by itself', async () => {
    const pair = await synced(KEYS, ['x/2']);
    await pair.source.put('x/1', bytesOf('other', 20));
    close(pair.faults.dest, 'x/');
    const heads: string[] = [];
    pair.faults.dest.before('head', ({ key = '' }) => void heads.push(key));
    const run = await sync(pair, LOOSE);
    expect(run.failed.list).toMatchObject([{ key: 'x/', code: 'not-readable' }]);
    expect([told(run, 'copied'), told(run, 'deleted'), heads]).toEqual([['x/1'], [], ['x/1']]);
    expect(pair.manifest.get('x/2')).toMatchObject({ ours: true });
    expect(await keysOf(pair.dest)).toEqual(KEYS);
  });

  test('fails the objects that cannot be asked for either, by name', async () => {
    const pair = await synced(KEYS, []);
    close(pair.faults.dest, 'x/');
    pair.faults.dest.before('head', ({ key = '' }) => {
      throw new XsyncError('not-readable', `${key} cannot be read: permission denied`);
    });
    const run = await sync(pair, LOOSE);
    expect(run.failed.list.map(({ key }) => key).sort()).toEqual(['x/', 'x/1', 'x/2']);
    expect(run).toMatchObject({ copied: { objects: 0 }, unfinished: { objects: 0 } });
  });
});

test('a named object whose HEAD fails at the source is not deleted at the destination', async () => {
  const pair = await synced(KEYS, ['z']);
  pair.faults.source.before('head', ({ key = '' }) => {
    if (key === 'a') throw new XsyncError('access-denied', 'a: AccessDenied');
  });
  const run = await sync(pair, { ...LOOSE, only: ['a', 'z'] });
  expect(told(run, 'deleted')).toEqual(['z']);
  expect(run.failed.list).toMatchObject([{ key: 'a', code: 'access-denied' }]);
  expect(await keysOf(pair.dest)).toEqual(['a', 'x/1', 'x/2', 'x0']);
});

test('folders that the filter excludes are not asked for, and their rows stay', async () => {
  const pair = await synced(KEYS, []);
  const asked: (string | boolean)[] = [];
  for (const store of [pair.faults.source, pair.faults.dest]) {
    store.around('list', async ({ options }, run) => {
      asked.push(options.enters?.('x/') ?? 'all', options.enters?.('y/') ?? 'all');
      const page = await run();
      return { ...page, entries: page.entries.filter(({ key }) => !key.startsWith('x/')) };
    });
  }
  const filter = createFilter({ exclude: ['/x/**'] });
  await sync(pair, { filter });
  expect(asked).toEqual([false, true, false, true]);
  expect(pair.manifest.get('x/1')).toBeDefined();
  await sync(pair, { filter, deletes: { excluded: true } });
  expect(asked.slice(4)).toEqual([false, true, 'all', 'all']);
});

test('keys are asked for in order, and what lies behind is forgotten', () => {
  const keys = new UnlistedKeys();
  for (const key of ['c/d/', 'a/', 'b']) keys.add(key);
  const asked = ['a', 'a/', 'a/x', 'a0', 'b', 'b/x', 'c/d', 'c/d/e/f', 'c/d0', 'a/x'];
  expect(asked.filter((key) => keys.has(key))).toEqual(['a/', 'a/x', 'b', 'c/d/e/f']);
});

async function checked(pair: Pair) {
  const stop = new AbortController().signal;
  const options = { compare: 'default' as const, oneWay: false, checkers: 4, maxMemory: 1e8, stop };
  return runCheck(pair.open(), options, () => undefined);
}
