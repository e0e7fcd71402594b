/** Objects chosen by their tags: what is asked, what is remembered, and what is deleted. */
import { expect, test, vi } from 'vitest';
import { createTagFilter, type TagOptions } from '../../../src/engine/filter/tags.js';
import { XsyncError } from '../../../src/model/error.js';
import { bytesOf, keysOf, Pair, sync, told } from '../sync.js';

const WEB = [{ key: 'team', value: 'web' }];

const by = (options: TagOptions) => ({ tags: createTagFilter(options) });
const WEB_ONLY = by({ include: ['team=web'] });
const NO_TMP = by({ exclude: ['class=tmp'] });

/** Puts the objects with their tags at the source. */
async function tagging(objects: Record<string, Record<string, string>>, pair = new Pair()): Promise<Pair> {
  for (const [key, tags] of Object.entries(objects)) {
    await pair.source.put(key, bytesOf(key, 10));
    await pair.source.putTags(
      key,
      Object.entries(tags).map(([name, value]) => ({ key: name, value })),
    );
  }
  return pair;
}

/** The keys whose tags are asked for. */
function asked(pair: Pair): string[] {
  const keys: string[] = [];
  pair.faults.source.before('getTags', ({ key = '' }) => keys.push(key));
  return keys;
}

test('objects without the tag stay, and are asked about once', async () => {
  const pair = await tagging({ a: { team: 'web' }, b: { team: 'db' }, c: {} });
  const keys = asked(pair);

  const run = await pair.copy(WEB_ONLY);
  expect(await keysOf(pair.dest)).toEqual(['a']);
  expect(keys.sort()).toEqual(['a', 'b', 'c']);
  expect(run.skipped.byReason).toEqual({ filtered: 2 });
  expect(run.failed.objects).toBe(0);

  keys.length = 0;
  await pair.copy(WEB_ONLY);
  expect(keys).toEqual([]);
  expect(await keysOf(pair.dest)).toEqual(['a']);
});

test('only new and changed objects are asked about that the rest of the filter lets through', async () => {
  const pair = await tagging({ a: { team: 'web' }, b: { team: 'web' } });
  await pair.copy();
  await tagging({ c: { team: 'web' } }, pair);
  await pair.source.put('b', bytesOf('new', 11));
  const keys = asked(pair);

  await pair.copy({ ...WEB_ONLY });

  expect(keys.sort()).toEqual(['b', 'c']);
  expect(await keysOf(pair.dest)).toEqual(['a', 'b', 'c']);
  expect((await pair.dest.head('b')).size).toBe(10);
});

test('a tag that is set later is seen when the object is written again, with other rules, or when it is asked for', async () => {
  const pair = await tagging({ a: {}, b: {}, c: {} });
  await pair.copy(WEB_ONLY);
  for (const key of ['a', 'b']) await pair.source.putTags(key, WEB);
  await pair.copy(WEB_ONLY);
  expect(await keysOf(pair.dest)).toEqual([]);

  await pair.source.put('a', bytesOf('other', 10));
  await pair.source.putTags('a', WEB);
  await pair.copy(WEB_ONLY);
  expect(await keysOf(pair.dest)).toEqual(['a']);

  const keys = asked(pair);
  await pair.copy(by({ include: ['team=web'], recheck: true }));
  expect(keys.sort()).toEqual(['b', 'c']);
  expect(await keysOf(pair.dest)).toEqual(['a', 'b']);

  keys.length = 0;
  await pair.copy(by({ include: ['team=web', 'other'] }));
  expect(keys).toEqual(['c']);
});

test('the same bytes written again with other tags are asked about again', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const pair = await tagging({ a: {}, b: {} });
    await pair.copy(WEB_ONLY);
    const keys = asked(pair);
    vi.setSystemTime(Date.now() + 5000);
    await tagging({ a: { team: 'web' } }, pair);
    await pair.copy(WEB_ONLY);
    expect(keys).toEqual(['a']);
    expect(await keysOf(pair.dest)).toEqual(['a']);
  } finally {
    vi.useRealTimers();
  }
});

test('a change event of an object is a reason to look at its tags again', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const pair = await tagging({ a: {}, b: {} });
    await pair.copy(WEB_ONLY);
    await pair.source.putTags('a', WEB);
    // The event's run starts later than the one before it ended.
    vi.setSystemTime(Date.now() + 1);
    await pair.copy({ ...WEB_ONLY, only: ['a'] });
    expect(await keysOf(pair.dest)).toEqual(['a']);
  } finally {
    vi.useRealTimers();
  }
});

test('what the tags leave out is not deleted, and with --delete-excluded it is', async () => {
  const pair = await tagging({ a: {}, b: { class: 'tmp' }, c: {}, d: { class: 'tmp' }, e: {}, f: {} });
  await pair.copy();
  await pair.source.delete(['f']);
  await pair.source.put('d', bytesOf('changed', 12));
  await pair.source.putTags('d', [{ key: 'class', value: 'tmp' }]);

  const plain = await sync(pair, NO_TMP);
  expect(told(plain, 'deleted')).toEqual(['f']);
  expect((await pair.dest.head('d')).size).toBe(10);

  const keys = asked(pair);
  const excluding = await sync(pair, { ...NO_TMP, deletes: { excluded: true } });
  expect(told(excluding, 'deleted').sort()).toEqual(['b', 'd']);
  expect(await keysOf(pair.dest)).toEqual(['a', 'c', 'e']);
  expect(keys.sort()).toEqual(['a', 'b', 'c', 'e']);

  keys.length = 0;
  await sync(pair, { ...NO_TMP, deletes: { excluded: true } });
  expect(keys).toEqual([]);
});

test('an object that is written with other tags before its delete is not deleted', async () => {
  const pair = await tagging({ a: {}, b: { class: 'tmp' }, c: {} });
  await pair.copy();
  pair.faults.source.before('head', async () => {
    await pair.source.put('b', bytesOf('another', 10));
  });
  const run = await sync(pair, { ...NO_TMP, deletes: { excluded: true } });
  expect(run.deleted.objects).toBe(0);
  expect(await keysOf(pair.dest)).toEqual(['a', 'b', 'c']);
});

test('an object whose tags cannot be read is not copied, and fails', async () => {
  const pair = await tagging({ a: { team: 'web' }, b: { team: 'web' } });
  pair.faults.source.before('getTags', ({ key }) => {
    if (key === 'a') throw new XsyncError('access-denied', 'no right', { subject: key });
  });
  const run = await pair.copy(WEB_ONLY);
  expect(await keysOf(pair.dest)).toEqual(['b']);
  expect(run.failed.list).toMatchObject([
    { key: 'a', code: 'access-denied', remedy: 'Allow GetObjectTagging at the source.' },
  ]);
});

test('a dry run asks, counts the requests in its forecast, and remembers nothing', async () => {
  const pair = await tagging({ a: { team: 'web' }, b: {}, c: {} });
  const run = await pair.copy({ ...WEB_ONLY, dryRun: true });
  expect(told(run, 'plan')).toEqual(['a']);
  expect(run.planned?.source).toEqual({ read: 1, getTags: 3 });
  expect(pair.manifest.tagVerdicts.keys(undefined, 9)).toEqual([]);
});

test('what is remembered of an object that is gone is forgotten', async () => {
  const pair = await tagging({ a: {}, b: {}, c: {}, d: {} });
  await pair.copy(WEB_ONLY);
  await pair.source.delete(['a', 'c']);
  await pair.copy(WEB_ONLY);
  expect(pair.manifest.tagVerdicts.keys(undefined, 9)).toEqual(['b', 'd']);
});

test('a move deletes nothing at the source that its tags leave out, although the destination has it', async () => {
  const pair = await tagging({ a: {}, b: { class: 'tmp' } });
  await pair.copy();
  await pair.copy({ ...NO_TMP, command: 'move', move: { emptyFolders: false } });
  expect(await keysOf(pair.source)).toEqual(['b']);
});
