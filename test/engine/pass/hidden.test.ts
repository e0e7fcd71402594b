/** Folders that --max-depth and --exclude-if-present hide: what is copied, what is left alone, and what it costs. */
import { expect, test } from 'vitest';
import { createFilter } from '../../../src/engine/filter/filter.js';
import { bytesOf, keysOf, order, Pair, sync, synced, TIMES, told } from '../sync.js';

const hiding = (...excludeIfPresent: string[]) => createFilter({ excludeIfPresent });

/** The file comes after, between and before the others of its folder. */
const HIDDEN = ['a/.keep', 'a/0', 'm/!', 'm/.keep', 'm/z', 'm/sub/deep/x', 'z/y', 'z/.keep'];
const SHOWN = ['b', 'b/x', 'mm/.keeper', 'top'];

test('what lies in a folder with such a file is not copied, wherever the file is listed', async () => {
  const pair = new Pair();
  for (const key of [...HIDDEN, ...SHOWN]) await pair.source.put(key, bytesOf(key, 10));

  await pair.copy({ filter: hiding('.keep') });

  expect(await keysOf(pair.dest)).toEqual(SHOWN);
});

test('such a file in the root hides everything', async () => {
  const pair = await synced(['a', 'b/c']);
  await pair.source.put('.stop', bytesOf('.stop', 1));

  const run = await sync(pair, { filter: hiding('.other', '.stop') });

  expect(run.copied.objects).toBe(0);
  expect(await keysOf(pair.dest)).toEqual(['a', 'b/c']);
});

test.each(TIMES)('a sync that deletes %s deletes nothing that either side hides', async (when) => {
  const keys = ['hid/1', 'hid/2', 'there/1', 'there/.keep', 'gone', 'stays'];
  const pair = await synced(keys, ['hid/2', 'there/1', 'there/.keep', 'gone']);
  await pair.source.put('hid/.keep', bytesOf('x', 1));

  await sync(pair, { filter: hiding('.keep'), deletes: { when } });

  expect(await keysOf(pair.dest)).toEqual(['hid/1', 'hid/2', 'stays', 'there/.keep', 'there/1']);
});

test('with --delete-excluded a sync deletes what the source hides', async () => {
  const pair = await synced(['hid/1', 'hid/2', 'a', 'b', 'c'], []);
  await pair.source.put('hid/.keep', bytesOf('x', 1));

  await sync(pair, { filter: hiding('.keep'), deletes: { excluded: true } });

  expect(await keysOf(pair.dest)).toEqual(['a', 'b', 'c']);
});

test('looking for hidden folders costs one more listing of each side, and of the source alone for a copy', async () => {
  const pair = await synced(['a', 'b/c']);
  const calls = order(pair);
  await pair.copy({ filter: hiding('.keep') });
  expect(calls.sort()).toEqual(['list destination', 'list source', 'list source']);

  calls.length = 0;
  await sync(pair, { filter: hiding('.keep') });
  expect(calls.sort()).toEqual(['list destination', 'list destination', 'list source', 'list source']);
});

test('below --max-depth nothing is copied, and a sync deletes nothing there', async () => {
  const filter = createFilter({ maxDepth: 2 });
  const pair = await synced(['a', 'b/1', 'b/c/1', 'b/c/2', 'gone', 'kept', 'kept2'], ['b/c/2', 'gone']);
  await pair.source.put('b/c/new', bytesOf('x', 1));
  await pair.source.put('b/new', bytesOf('x', 1));

  const run = await sync(pair, { filter });

  expect(told(run, 'deleted')).toEqual(['gone']);
  expect(await keysOf(pair.dest)).toEqual(['a', 'b/1', 'b/c/1', 'b/c/2', 'b/new', 'kept', 'kept2']);
});

test('with --delete-excluded a sync deletes what lies below --max-depth, as rclone does', async () => {
  const pair = await synced(['a', 'b', 'c', 'd/1', 'd/e/1']);

  await sync(pair, { filter: createFilter({ maxDepth: 1 }), deletes: { excluded: true } });

  expect(await keysOf(pair.dest)).toEqual(['a', 'b', 'c']);
});
