import { expect, test } from 'vitest';
import { MirrorPair } from './mirror.js';

test('what is new on each side is on both afterwards', async () => {
  const pair = new MirrorPair();
  await pair.a({ one: '1' });
  await pair.b({ two: '2' });
  const run = await pair.mirror();
  expect(await pair.sides()).toEqual({ a: { one: '1', two: '2' }, b: { one: '1', two: '2' } });
  expect(run.copied.objects).toBe(2);
  expect(run.mirror).toEqual({
    copied: { objects: 1, bytes: 1 },
    deleted: { objects: 0, bytes: 0 },
    conflicts: { objects: 0, kept: 0, open: 0 },
  });
  expect(run.unfinished.objects).toBe(0);
  const again = await pair.mirror();
  expect(again.copied.objects).toBe(0);
  expect(again.traffic.source.requests).toEqual({ list: 1 });
  expect(again.traffic.destination.requests).toEqual({ list: 1 });
});

test('a change crosses from either side, and a delete too', async () => {
  const pair = new MirrorPair();
  await pair.a({ one: '1', two: '2', three: '3', four: '4' });
  await pair.mirror();
  await pair.a({ one: '1a', three: undefined });
  await pair.b({ two: '2b', four: undefined });
  const run = await pair.mirror();
  expect(await pair.sides()).toEqual({ a: { one: '1a', two: '2b' }, b: { one: '1a', two: '2b' } });
  expect(run.deleted).toMatchObject({ objects: 2, left: 0 });
  expect(run.mirror?.deleted.objects).toBe(1);
});

test('both changed: the newer one keeps the name, and the other is kept on both sides', async () => {
  const pair = new MirrorPair();
  await pair.a({ one: '1', two: '2' });
  await pair.mirror();
  await pair.a({ one: 'from a' });
  await new Promise((resolve) => setTimeout(resolve, 5));
  await pair.b({ one: 'from b' });
  const run = await pair.mirror();
  const both = { one: 'from b', 'one.conflict1': 'from a', two: '2' };
  expect(await pair.sides()).toEqual({ a: both, b: both });
  expect(run.mirror?.conflicts).toEqual({ objects: 1, kept: 1, open: 0 });
  expect(pair.manifest.conflicts.list(10)).toMatchObject([
    { key: 'one', winner: 'destination', keptAs: 'one.conflict1' },
  ]);
  const again = await pair.mirror();
  expect(again.copied.objects).toBe(0);
  expect(again.traffic.destination.requests).toEqual({ list: 1 });
});
