import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { XsyncError } from '../../src/model/error.js';
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

describe('a loser that is under a numbered name already', () => {
  /** The next put of `k` at A fails; what was kept before it stays. */
  async function failingOnce(): Promise<MirrorPair> {
    const pair = new MirrorPair();
    await pair.a({ k: '0', x: 'x' });
    await pair.mirror();
    await pair.a({ k: 'from a' });
    await new Promise((resolve) => setTimeout(resolve, 5));
    await pair.b({ k: 'from b' });
    const mend = pair.faults.source.before('put', ({ key }) => {
      if (key === 'k') throw new XsyncError('access-denied', 'no', { class: 'person' });
    });
    await pair.mirror();
    mend();
    expect(await pair.sides()).toMatchObject({ a: { k: 'from a', 'k.conflict1': 'from a' } });
    return pair;
  }

  test('gets no second one', async () => {
    const pair = await failingOnce();
    await pair.mirror();
    const both = { k: 'from b', 'k.conflict1': 'from a', x: 'x' };
    expect(await pair.sides()).toEqual({ a: both, b: both });
  });

  test.each([
    ['was deleted', undefined],
    ['was changed', 'other!'],
  ])('which %s on the other side: is kept under another one', async (_, text) => {
    const pair = await failingOnce();
    await pair.b({ 'k.conflict1': text });
    await pair.mirror();
    const both = { k: 'from b', 'k.conflict2': 'from a', x: 'x', ...(text && { 'k.conflict1': text }) };
    expect(await pair.sides()).toEqual({ a: both, b: both });
  });
});

describe('an object of which only attributes change', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['Date'] }));
  afterEach(() => vi.useRealTimers());

  describe.each([
    ['a', 0],
    ['b', 0],
    ['a', 600_000],
    ['b', -600_000],
  ] as const)('and that was copied from %s, by clocks that are %i ms ahead', (from, aheadMs) => {
    const clock = () => Date.now() + aheadMs;

    async function copied(): Promise<MirrorPair> {
      const pair = new MirrorPair({ source: { clock }, dest: { clock } });
      await pair[from]({ k: 'text' });
      await pair.mirror();
      return pair;
    }

    test.each([
      ['a', 'before another run'],
      ['b', 'before another run'],
      ['a', 'after another run'],
      ['b', 'after another run'],
    ] as const)('has those of %s, changed %s, on both sides, and nothing bounces', async (side, when) => {
      const pair = await copied();
      if (when === 'after another run') await pair.mirror();
      const [at, other] = side === 'a' ? [pair.source, pair.dest] : [pair.dest, pair.source];
      for (const contentType of ['text/html', 'text/css']) {
        vi.setSystemTime(Date.now() + 3_600_000);
        await at.put('k', Buffer.from('text'), { headers: { contentType }, metadata: { by: 'hand' } });
        const run = await pair.mirror();
        expect(run.copied.objects).toBe(0);
        expect(await other.head('k')).toMatchObject({ headers: { contentType }, metadata: { by: 'hand' } });
      }
      const again = await pair.mirror();
      expect([again.traffic.source.requests, again.traffic.destination.requests]).toEqual([{ list: 1 }, { list: 1 }]);
    });
  });
});
