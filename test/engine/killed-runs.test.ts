import { expect, test } from 'vitest';
import { bytesOf, keysOf, Pair } from './support.js';
import { sync } from './sync.js';

/** A run died after it had written `mine`, and before it could write down that it had. */
async function pairOf(...intended: string[]): Promise<Pair> {
  const pair = new Pair();
  for (const key of ['mine', 'stays']) await pair.source.put(key, bytesOf(key, 10));
  for (const key of ['mine', 'theirs']) await pair.dest.put(key, bytesOf(key, 10));
  pair.manifest.intend(intended, Date.now() - 1);
  return pair;
}

test('what a killed run had written is deleted when it is gone before the next run', async () => {
  const pair = await pairOf('mine');
  await pair.source.delete(['mine']);
  await sync(pair);
  expect(await keysOf(pair.dest)).toEqual(['stays', 'theirs']);
});

test('and when it is gone after the next run', async () => {
  const pair = await pairOf('mine');
  await sync(pair);
  await pair.source.delete(['mine']);
  await sync(pair);
  expect(await keysOf(pair.dest)).toEqual(['stays', 'theirs']);
});

test('and when the killed run had overwritten a copy that is known', async () => {
  const pair = await pairOf();
  await sync(pair);
  await pair.source.put('stays', bytesOf('new', 11));
  await pair.dest.put('stays', bytesOf('new', 11));
  pair.manifest.intend(['stays'], Date.now() - 1);
  await pair.source.delete(['stays']);
  await sync(pair, { deletes: { allowEmptySource: true } });
  expect(await keysOf(pair.dest)).toEqual(['mine', 'theirs']);
});

test('an object that was there before is not taken for the work of a run', async () => {
  const pair = await pairOf();
  await sync(pair);
  await pair.source.delete(['mine']);
  await sync(pair);
  expect(await keysOf(pair.dest)).toEqual(['mine', 'stays', 'theirs']);
});

test('an intent is over when the object was copied, was deleted, or a whole pass has looked at everything', async () => {
  const pair = await pairOf('mine', 'never written');
  await pair.source.put('other', bytesOf('other', 10));
  await sync(pair);
  expect(pair.manifest.anyIntended()).toBe(false);
});

test('no object is written before the manifest says that it may be', async () => {
  const pair = new Pair();
  await pair.source.put('a', bytesOf('a', 10));
  const put = pair.dest.put.bind(pair.dest);
  let said: number | undefined;
  pair.dest.put = (key, ...rest) => {
    said = pair.manifest.intended(key);
    return put(key, ...rest);
  };
  await pair.copy();
  expect(said).toBeDefined();
  expect(pair.manifest.anyIntended()).toBe(false);
});
