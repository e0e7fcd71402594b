/** The last look before an object is deleted. */
import { describe, expect, test } from 'vitest';
import { createFilter } from '../../../src/engine/filter/filter.js';
import { XsyncError } from '../../../src/model/error.js';
import {
  bytesOf,
  deleteRequests,
  keysOf,
  numbered,
  Pair,
  type SyncOptions,
  sync,
  synced,
  TIMES,
  told,
} from '../sync.js';

/** The destination's delete has no condition, as at OSS. */
const UNCONDITIONAL = { capabilities: { deletesIfMatch: undefined } };

const STORES = [
  ['compares versions itself', {}],
  ['has unconditional deletes', UNCONDITIONAL],
] as const;

/** Syncs, and does `meanwhile` when both sides have been listed and before anything is deleted. */
async function syncWhile(pair: Pair, meanwhile: () => Promise<unknown>, options: SyncOptions = {}) {
  let done: Promise<unknown> | undefined;
  const undo = pair.faults.source.before('head', async () => {
    done ??= meanwhile();
    await done;
  });
  const run = await sync(pair, options);
  undo();
  return run;
}

describe.each(STORES)('a destination that %s', (_, dest) => {
  describe.each(TIMES)('--delete-%s', (when) => {
    test('keeps an object that somebody writes after the listing', async () => {
      const pair = await synced(['gone', 'stays', 'theirs'], ['gone', 'theirs'], new Pair({ dest }));
      const precious = bytesOf('precious', 12);
      const run = await syncWhile(pair, () => pair.dest.put('theirs', precious), { deletes: { when } });
      expect(await keysOf(pair.dest)).toEqual(['stays', 'theirs']);
      expect(run.deleted).toEqual({ objects: 1, bytes: 10, left: 0 });
      expect(run.kept.byReason).toEqual({ 'changed-at-destination': 1 });
      expect(run.failed.objects).toBe(0);
      expect(pair.manifest.doomedCount()).toBe(0);
    });

    test('keeps an object that is back at the source', async () => {
      const pair = await synced(['back', 'gone', 'stays'], ['back', 'gone'], new Pair({ dest }));
      const run = await syncWhile(pair, () => pair.source.put('back', bytesOf('back', 10)), { deletes: { when } });
      expect(await keysOf(pair.dest)).toEqual(['back', 'stays']);
      expect(told(run, 'deleted')).toEqual(['gone']);
      expect(run.deleted.left).toBe(0);
    });
  });

  test('keeps it with --delete-unknown, too', async () => {
    const pair = await synced(['stays'], [], new Pair({ dest }));
    await pair.dest.put('unknown', bytesOf('unknown', 10));
    const write = () => pair.dest.put('unknown', bytesOf('just written', 12));
    await syncWhile(pair, write, { policy: { deleteUnknown: true } });
    expect(await keysOf(pair.dest)).toEqual(['stays', 'unknown']);
    await sync(pair, { policy: { deleteUnknown: true } });
    expect(await keysOf(pair.dest)).toEqual(['stays']);
  });

  test('keeps what the manifest takes for a copy when it is not listed', async () => {
    const pair = await synced(['gone', 'stays', 'theirs'], ['gone', 'theirs'], new Pair({ dest }));
    await pair.dest.put('theirs', bytesOf('precious', 12));
    const run = await sync(pair, { noTraverse: true });
    expect(await keysOf(pair.dest)).toEqual(['stays', 'theirs']);
    expect(run.kept.objects).toBe(1);
  });

  test('deletes what the filter excludes and the source still has, if told to', async () => {
    const pair = await synced(['a', 'tmp/there'], [], new Pair({ dest }));
    const filter = createFilter({ exclude: ['/tmp/**'] });
    await sync(pair, { deletes: { excluded: true }, filter });
    expect(await keysOf(pair.dest)).toEqual(['a']);
  });

  test('takes an object that is gone by then as deleted', async () => {
    const pair = await synced(['gone', 'stays'], ['gone'], new Pair({ dest }));
    const run = await syncWhile(pair, () => pair.dest.delete(['gone']));
    expect(run).toMatchObject({ deleted: { objects: 1, left: 0 }, failed: { objects: 0 } });
  });
});

describe('what it costs', () => {
  const GONE = numbered(250);

  async function costOf(dest: object, options: SyncOptions) {
    const pair = await synced(['stays', ...GONE], GONE, new Pair({ dest }));
    const requests = deleteRequests(pair);
    const { traffic, planned } = await sync(pair, {
      ...options,
      deletes: { max: { objects: 250 }, ...options.deletes },
    });
    const [source, destination] = [
      planned?.source ?? traffic.source.requests,
      planned?.destination ?? traffic.destination.requests,
    ];
    return {
      source: source.head,
      destination: destination.head,
      delete: destination.delete,
      sizes: requests.map((keys) => keys.length),
    };
  }

  test('is one HEAD at the source, where the delete compares versions', async () => {
    expect(await costOf({}, {})).toEqual({ source: 250, destination: undefined, delete: 1, sizes: [250] });
  });

  test('is one HEAD on each side elsewhere, and not long before the delete', async () => {
    expect(await costOf(UNCONDITIONAL, {})).toMatchObject({ source: 250, destination: 250, delete: 3 });
  });

  test.each([
    ['conditional', {}, { source: 250, destination: undefined, delete: 1 }],
    ['unconditional', UNCONDITIONAL, { source: 250, destination: 250, delete: 3 }],
  ])('is told by a dry run: %s deletes', async (_, dest, expected) => {
    expect(await costOf(dest, { dryRun: true })).toEqual({ ...expected, sizes: [] });
  });

  test.each(STORES)(
    'is nothing for a change event, which a HEAD has just answered; the destination %s',
    async (_, dest) => {
      const pair = await synced(['gone', 'stays'], ['gone'], new Pair({ dest }));
      const { traffic, deleted } = await sync(pair, { only: ['gone'] });
      expect(deleted.objects).toBe(1);
      expect(traffic.source.requests).toEqual({ head: 1 });
      expect(traffic.destination.requests).toEqual({ head: 1, delete: 1 });
    },
  );

  test.each([false, true])('is nothing with --delete-unchecked, dry run %s', async (dryRun) => {
    const cost = await costOf(UNCONDITIONAL, { dryRun, deletes: { unchecked: true } });
    expect(cost).toMatchObject({ source: undefined, destination: undefined, delete: 1 });
  });
});

test('an object that cannot be looked at fails alone', async () => {
  const pair = await synced(['a', 'b', 'stays'], ['a', 'b']);
  pair.faults.source.fail('head', new XsyncError('access-denied', 'no'), ({ key }) => key === 'a');
  const run = await sync(pair);
  expect(run.failed.list).toMatchObject([{ key: 'a', code: 'access-denied', operation: 'delete' }]);
  expect(run.deleted).toMatchObject({ objects: 1, left: 1 });
  expect(await keysOf(pair.dest)).toEqual(['a', 'stays']);
});
