import { expect, test } from 'vitest';
import type { Intent } from '../../src/manifest/port.js';
import { XsyncError } from '../../src/model/error.js';
import { bytesOf, keysOf, Pair } from './support.js';
import { sync } from './sync.js';

/** A run died after it had written `mine`, and before it could write down that it had. */
async function pairOf(...intended: string[]): Promise<Pair> {
  const pair = new Pair();
  for (const key of ['mine', 'stays']) await pair.source.put(key, bytesOf(key, 10));
  for (const key of ['mine', 'theirs']) await pair.dest.put(key, bytesOf(key, 10));
  pair.manifest.intend(intended.map((key) => ({ key, destEtag: '', atMs: Date.now() - 1 })));
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
  const { etag: destEtag } = await pair.dest.head('stays');
  await pair.dest.put('stays', bytesOf('new', 11));
  pair.manifest.intend([{ key: 'stays', destEtag, atMs: Date.now() - 1 }]);
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
  let said: Intent | undefined;
  pair.faults.dest.before('put', ({ key = '' }) => {
    said = pair.manifest.intended(key);
  });
  await pair.copy();
  expect(said).toBeDefined();
  expect(pair.manifest.anyIntended()).toBe(false);
});

test.each([
  ['unknown', false],
  ['adopted', true],
])("somebody's object, %s, that a run could not overwrite is not deleted as xsync's own", async (_, adopted) => {
  const pair = new Pair();
  for (const key of ['theirs', 'stays']) await pair.source.put(key, bytesOf(key, 10));
  await pair.dest.put('theirs', bytesOf('theirs', adopted ? 10 : 7));
  if (adopted) await sync(pair);
  await pair.source.put('theirs', bytesOf('changed', 11));
  const denied = new XsyncError('access-denied', 'not yours to read');
  pair.faults.source.fail('read', denied, ({ key }) => key === 'theirs');
  expect((await sync(pair)).failed.objects).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await pair.source.delete(['theirs']);
  await sync(pair);
  expect(await keysOf(pair.dest)).toEqual(['stays', 'theirs']);
});

test('a run that does not list the destination leaves it to one that does', async () => {
  const pair = await pairOf('mine');
  await pair.source.delete(['mine']);
  await sync(pair, { noTraverse: true });
  await sync(pair);
  expect(await keysOf(pair.dest)).toEqual(['stays', 'theirs']);
});
