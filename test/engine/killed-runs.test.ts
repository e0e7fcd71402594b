import { expect, test } from 'vitest';
import { bytesOf, keysOf, Pair } from './support.js';
import { sync } from './sync.js';

/** An object that a run had written when it was killed, before it could write down that it had. */
async function pairOf(run: { startedMs: number; endedMs: number }): Promise<Pair> {
  const pair = new Pair();
  for (const key of ['mine', 'stays']) await pair.source.put(key, bytesOf(key, 10));
  await pair.dest.put('mine', bytesOf('mine', 10));
  const summary = JSON.stringify({ summary: {} });
  pair.manifest.putRun({ id: 'killed', command: 'sync', ...run, outcome: 'running', detail: summary });
  await sync(pair);
  await pair.source.delete(['mine']);
  await sync(pair);
  return pair;
}

test('what a killed run had written is still deleted when it is gone from the source', async () => {
  const now = Date.now();
  const pair = await pairOf({ startedMs: now - 1000, endedMs: now });
  expect(await keysOf(pair.dest)).toEqual(['stays']);
});

test('what was at the destination long before or long after the killed run is not taken for its work', async () => {
  const now = Date.now();
  const before = await pairOf({ startedMs: now + 120_000, endedMs: now + 180_000 });
  expect(await keysOf(before.dest)).toEqual(['mine', 'stays']);
  const after = await pairOf({ startedMs: now - 300_000, endedMs: now - 120_000 });
  expect(await keysOf(after.dest)).toEqual(['mine', 'stays']);
});
