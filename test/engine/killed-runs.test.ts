import { expect, test } from 'vitest';
import type { Intent } from '../../src/manifest/port.js';
import { XsyncError } from '../../src/model/error.js';
import { bytesOf, keysOf, Pair } from './support.js';
import { sync, synced } from './sync.js';

/** A run was about to write `mine`, and died. Somebody has written it: that run, or anybody else. */
async function pairOf(...intended: string[]): Promise<Pair> {
  const pair = new Pair();
  for (const key of ['mine', 'stays']) await pair.source.put(key, bytesOf(key, 10));
  for (const key of ['mine', 'theirs']) await pair.dest.put(key, bytesOf(key, 10));
  pair.manifest.intend(intended.map((key) => ({ key, destEtag: '', atMs: Date.now() - 1 })));
  return pair;
}

test('what a killed run may have written is kept when it is gone before the next run', async () => {
  const pair = await pairOf('mine');
  await pair.source.delete(['mine']);
  const run = await sync(pair);
  expect(await keysOf(pair.dest)).toEqual(['mine', 'stays', 'theirs']);
  expect(run.kept.byReason).toEqual({ unknown: 2 });
});

test('and when it was found equal by the next run, and is gone after it', async () => {
  const pair = await pairOf('mine');
  await sync(pair);
  expect(pair.manifest.get('mine')?.ours).toBe(false);
  await pair.source.delete(['mine']);
  expect((await sync(pair)).kept.byReason).toEqual({ unknown: 1, 'not-ours': 1 });
  expect(await keysOf(pair.dest)).toEqual(['mine', 'stays', 'theirs']);
});

test('and when the killed run may have overwritten a copy that is known', async () => {
  const pair = await pairOf();
  await sync(pair);
  await pair.source.put('stays', bytesOf('new', 11));
  const { etag: destEtag } = await pair.dest.head('stays');
  await pair.dest.put('stays', bytesOf('new', 11));
  pair.manifest.intend([{ key: 'stays', destEtag, atMs: Date.now() - 1 }]);
  await pair.source.delete(['stays']);
  await sync(pair, { deletes: { allowEmptySource: true } });
  expect(await keysOf(pair.dest)).toEqual(['mine', 'stays', 'theirs']);
});

test("somebody's object is not deleted after a write that was refused", async () => {
  const pair = await synced(['stays']);
  await pair.source.put('x', bytesOf('x', 10));
  const mend = pair.faults.dest.fail('put', new XsyncError('access-denied', 'not now'), ({ key }) => key === 'x');
  expect((await sync(pair)).failed.objects).toBe(1);
  mend();
  await pair.dest.put('x', bytesOf('precious', 12));
  await pair.source.delete(['x']);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect((await sync(pair)).kept.byReason).toEqual({ unknown: 1 });
  expect(await keysOf(pair.dest)).toEqual(['stays', 'x']);
});

test('a copy of xsync that somebody replaced by equal bytes of a new version is theirs', async () => {
  const pair = await synced(['both', 'stays']);
  expect(pair.manifest.get('both')?.ours).toBe(true);
  for (const side of [pair.source, pair.dest]) await side.put('both', bytesOf('newer', 20));
  await sync(pair);
  expect(pair.manifest.get('both')).toMatchObject({ size: 20, ours: false });
  await pair.source.delete(['both']);
  await sync(pair);
  expect(await keysOf(pair.dest)).toEqual(['both', 'stays']);
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

test('it is kept also by a run that does not list the destination, and by the one after it', async () => {
  const pair = await pairOf('mine');
  await pair.source.delete(['mine']);
  await sync(pair, { noTraverse: true });
  await sync(pair);
  expect(await keysOf(pair.dest)).toEqual(['mine', 'stays', 'theirs']);
});
