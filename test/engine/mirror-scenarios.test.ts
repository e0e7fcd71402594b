/** What people do on both sides, by name, and what both sides have afterwards. */
import { describe, expect, test } from 'vitest';
import { createFilter } from '../../src/engine/filter/filter.js';
import type { ObjectStore } from '../../src/store/port.js';
import { type Mirrored, type MirrorOptions, MirrorPair } from './mirror.js';

type Objects = Record<string, string | undefined>;

interface Scenario {
  name: string;
  /** On both sides, and in the manifest. */
  before?: Record<string, string>;
  /** What people do then. Undefined deletes. */
  a?: Objects;
  /** After `a`, at a later time. */
  b?: Objects;
  options?: MirrorOptions;
  lost?: true;
  /** On both sides afterwards. */
  after: Record<string, string>;
  check?: (run: Mirrored, pair: MirrorPair) => void;
}

const KEPT = (n: number) => (run: Mirrored) => expect(run.mirror?.conflicts).toMatchObject({ objects: n, kept: n });
const NO_CONFLICT = (run: Mirrored) => expect(run.mirror?.conflicts.objects).toBe(0);
const COPIES = (n: number) => (run: Mirrored) => expect(run.copied.objects).toBe(n);

const SCENARIOS: Scenario[] = [
  { name: 'nothing on either side', after: {} },
  { name: 'created on a', a: { k: '1' }, after: { k: '1' } },
  { name: 'created on b', b: { k: '1' }, after: { k: '1' } },
  { name: 'created on both, equal', a: { k: '1' }, b: { k: '1' }, after: { k: '1' }, check: COPIES(0) },
  { name: 'created on both, unequal', a: { k: '1' }, b: { k: '2' }, after: { k: '2', 'k.conflict1': '1' } },
  { name: 'created on both under two names', a: { k: '1' }, b: { l: '2' }, after: { k: '1', l: '2' } },
  { name: 'changed on a', before: { k: '0', x: 'x' }, a: { k: '1' }, after: { k: '1', x: 'x' }, check: COPIES(1) },
  { name: 'changed on b', before: { k: '0', x: 'x' }, b: { k: '1' }, after: { k: '1', x: 'x' }, check: COPIES(1) },
  {
    name: 'changed on both, equal',
    ...{ before: { k: '0' }, a: { k: '1' }, b: { k: '1' }, after: { k: '1' } },
    check: (run) => {
      NO_CONFLICT(run);
      COPIES(0)(run);
    },
  },
  {
    name: 'changed on both, unequal: the newer one keeps the name',
    ...{ before: { k: '0' }, a: { k: '1' }, b: { k: '2' }, after: { k: '2', 'k.conflict1': '1' }, check: KEPT(1) },
  },
  {
    name: 'changed on both, unequal sizes',
    ...{ before: { k: '0' }, a: { k: 'long' }, b: { k: '2' }, after: { k: '2', 'k.conflict1': 'long' } },
  },
  {
    name: 'changed and changed back on a',
    ...{ before: { k: '0', x: 'x' }, a: { k: '0' }, after: { k: '0', x: 'x' }, check: COPIES(0) },
  },
  { name: 'deleted on a', before: { k: '0', x: 'x' }, a: { k: undefined }, after: { x: 'x' }, check: NO_CONFLICT },
  { name: 'deleted on b', before: { k: '0', x: 'x' }, b: { k: undefined }, after: { x: 'x' }, check: NO_CONFLICT },
  {
    name: 'deleted on both',
    ...{ before: { k: '0', x: 'x' }, a: { k: undefined }, b: { k: undefined }, after: { x: 'x' } },
    check: (_, pair) => expect(pair.manifest.get('k')).toBeUndefined(),
  },
  {
    name: 'deleted on a, changed on b: the change wins',
    ...{ before: { k: '0', x: 'x' }, a: { k: undefined }, b: { k: '1' }, after: { k: '1', x: 'x' } },
    check: NO_CONFLICT,
  },
  {
    name: 'changed on a, deleted on b: the change wins',
    ...{ before: { k: '0', x: 'x' }, a: { k: '1' }, b: { k: undefined }, after: { k: '1', x: 'x' } },
    check: NO_CONFLICT,
  },
  {
    name: 'deleted on a and created there again, unchanged on b',
    ...{ before: { k: '0', x: 'x' }, a: { k: '1' }, after: { k: '1', x: 'x' } },
  },
  {
    name: 'renamed on a',
    ...{ before: { k: '0', x: 'x' }, a: { k: undefined, l: '0' }, after: { l: '0', x: 'x' }, check: NO_CONFLICT },
  },
  {
    name: 'renamed on b',
    ...{ before: { k: '0', x: 'x' }, b: { k: undefined, l: '0' }, after: { l: '0', x: 'x' }, check: NO_CONFLICT },
  },
  {
    name: 'renamed on both to the same name',
    ...{ before: { k: '0', x: 'x' }, a: { k: undefined, l: '0' }, b: { k: undefined, l: '0' } },
    ...{ after: { l: '0', x: 'x' }, check: COPIES(0) },
  },
  {
    name: 'renamed on both to two names: both stay',
    ...{ before: { k: '0', x: 'x' }, a: { k: undefined, l: '0' }, b: { k: undefined, m: '0' } },
    after: { l: '0', m: '0', x: 'x' },
  },
  {
    name: 'renamed on a, changed on b: both stay',
    ...{ before: { k: '0', x: 'x' }, a: { k: undefined, l: '0' }, b: { k: '1' }, after: { k: '1', l: '0', x: 'x' } },
  },
  {
    name: 'renamed on a over an object that was changed on b',
    ...{
      before: { k: '0', l: 'l' },
      a: { k: undefined, l: '0' },
      b: { l: '1' },
      after: { l: '1', 'l.conflict1': '0' },
    },
  },
  { name: 'first run with equal sides', a: { k: '1', l: '2' }, b: { k: '1', l: '2' }, after: { k: '1', l: '2' } },
  {
    name: 'first run with one side empty',
    ...{ a: { k: '1', l: '2', m: '3' }, after: { k: '1', l: '2', m: '3' }, check: COPIES(3) },
  },
  {
    name: 'lost manifest: equal objects are paired, and nothing is deleted',
    ...{ before: { k: '0', l: '0' }, a: { k: undefined }, lost: true, after: { k: '0', l: '0' } },
    check: (run) => expect(run.deleted.objects).toBe(0),
  },
  {
    name: 'lost manifest: different objects are conflicts',
    ...{ before: { k: '0' }, b: { k: '1' }, lost: true, after: { k: '1', 'k.conflict1': '0' }, check: KEPT(1) },
  },
  {
    name: 'names that differ in case only are two objects',
    ...{ a: { Key: '1' }, b: { key: '2' }, after: { Key: '1', key: '2' }, check: NO_CONFLICT },
  },
  {
    name: 'renamed on a in case only',
    ...{ before: { key: '0', x: 'x' }, a: { key: undefined, Key: '0' }, after: { Key: '0', x: 'x' } },
  },
  {
    name: '--conflict a',
    ...{ before: { k: '0' }, a: { k: '1' }, b: { k: '2' }, options: { conflict: 'a' }, after: { k: '1' } },
  },
  {
    name: '--conflict b',
    ...{ before: { k: '0' }, a: { k: '1' }, b: { k: '2' }, options: { conflict: 'b' }, after: { k: '2' } },
  },
  {
    name: '--conflict newer',
    ...{ before: { k: '0' }, a: { k: '1' }, b: { k: '2' }, options: { conflict: 'newer' }, after: { k: '2' } },
  },
  {
    name: '--conflict older',
    ...{ before: { k: '0' }, a: { k: '1' }, b: { k: '2' }, options: { conflict: 'older' }, after: { k: '1' } },
  },
  {
    name: '--conflict larger',
    ...{ before: { k: '0' }, a: { k: '111' }, b: { k: '2' }, options: { conflict: 'larger' }, after: { k: '111' } },
  },
  {
    name: '--conflict smaller',
    ...{ before: { k: '0' }, a: { k: '111' }, b: { k: '2' }, options: { conflict: 'smaller' }, after: { k: '2' } },
  },
  {
    name: 'the names of kept objects are taken on one side',
    ...{ before: { k: '0' }, a: { k: '1', 'k.conflict1': 'mine' }, b: { k: '2', 'k.conflict2': 'theirs' } },
    after: { k: '2', 'k.conflict1': 'mine', 'k.conflict2': 'theirs', 'k.conflict3': '1' },
  },
  {
    name: 'a folder on both sides, and objects below it',
    ...{ a: { 'd/': '', 'd/1': '1' }, b: { 'd/': '', 'd/2': '2' }, after: { 'd/': '', 'd/1': '1', 'd/2': '2' } },
  },
  {
    name: 'empty objects',
    ...{ before: { k: '0' }, a: { k: '' }, b: { l: '' }, after: { k: '', l: '' } },
  },
];

const pause = () => new Promise((resolve) => setTimeout(resolve, 2));

async function prepared({ before = {}, a = {}, b = {}, lost }: Scenario): Promise<MirrorPair> {
  const pair = new MirrorPair();
  await pair.a(before);
  await pair.mirror();
  await pause();
  await pair.a(a);
  await pause();
  await pair.b(b);
  if (lost) pair.lose();
  return pair;
}

describe('the sides of a mirror', () => {
  test.each(SCENARIOS)('$name', async (scenario) => {
    const pair = await prepared(scenario);
    const run = await pair.mirror(scenario.options);
    const { after } = scenario;
    expect(await pair.sides()).toEqual({ a: after, b: after });
    scenario.check?.(run, pair);
    expect(pair.manifest.conflicts.countOpen()).toBe(0);
    const again = await pair.mirror(scenario.options);
    expect(again.traffic.source.requests).toEqual({ list: 1 });
    expect(again.traffic.destination.requests).toEqual({ list: 1 });
    expect(again.unfinished.objects).toBe(0);
  });

  test('--conflict fail leaves both as they are, and another --conflict decides later', async () => {
    const pair = await prepared({ name: '', before: { k: '0' }, a: { k: '1' }, b: { k: '2' }, after: {} });
    const run = await pair.mirror({ conflict: 'fail' });
    expect(await pair.sides()).toEqual({ a: { k: '1' }, b: { k: '2' } });
    expect(run.failed.list).toMatchObject([{ key: 'k', class: 'person', code: 'guard' }]);
    expect(run.mirror?.conflicts).toEqual({ objects: 1, kept: 0, open: 1 });
    expect(pair.manifest.conflicts.list(9)).toMatchObject([{ key: 'k', sides: { source: { size: 1 } } }]);
    expect(pair.manifest.conflicts.countOpen()).toBe(1);
    await pair.mirror({ conflict: 'a' });
    expect(await pair.sides()).toEqual({ a: { k: '1' }, b: { k: '1' } });
    expect(pair.manifest.conflicts.countOpen()).toBe(0);
  });

  test('a conflict that people settle themselves is settled', async () => {
    const pair = await prepared({ name: '', before: { k: '0' }, a: { k: '1' }, b: { k: '2' }, after: {} });
    await pair.mirror({ conflict: 'fail' });
    await pair.b({ k: '1' });
    await pause();
    await pair.mirror({ conflict: 'fail' });
    expect(pair.manifest.conflicts.list(9)).toMatchObject([{ key: 'k', settledMs: expect.any(Number) }]);
    expect(pair.manifest.conflicts.list(9)[0]?.winner).toBeUndefined();
  });

  test('a clock that is wrong on one side decides who keeps the name, and loses nothing', async () => {
    const pair = new MirrorPair({ source: { clock: () => Date.now() + 86_400_000 } });
    await pair.a({ k: '0' });
    await pair.mirror();
    await pair.a({ k: 'earlier' });
    await pause();
    await pair.b({ k: 'later' });
    await pair.mirror();
    const both = { k: 'earlier', 'k.conflict1': 'later' };
    expect(await pair.sides()).toEqual({ a: both, b: both });
  });

  test('a dry run says how many conflicts there are, and changes nothing', async () => {
    const scenario = {
      name: '',
      before: { k: '0', l: '0', x: 'x' },
      a: { k: '1', l: undefined },
      b: { k: '2' },
      after: {},
    };
    const pair = await prepared(scenario);
    const before = await pair.sides();
    const run = await pair.mirror({ dryRun: true });
    expect(await pair.sides()).toEqual(before);
    expect(run.mirror).toMatchObject({ copied: { objects: 1 }, conflicts: { objects: 1, kept: 1 } });
    expect(run.deleted.objects).toBe(1);
    expect(pair.manifest.conflicts.list(9)).toEqual([]);
  });
});

describe('filters', () => {
  const without = (pattern: string) => ({ filter: createFilter({ exclude: [pattern], ignoreCase: false }) });

  test('what they exclude is left alone on both sides', async () => {
    const pair = await prepared({ name: '', before: { 'a.tmp': '0', k: '0' }, after: {} });
    await pair.a({ 'a.tmp': '1', k: '1' });
    await pair.b({ 'b.tmp': '2' });
    await pair.mirror(without('*.tmp'));
    expect(await pair.sides()).toEqual({ a: { 'a.tmp': '1', k: '1' }, b: { 'a.tmp': '0', 'b.tmp': '2', k: '1' } });
  });

  test('that were changed between runs delete nothing that nobody deleted', async () => {
    const pair = await prepared({ name: '', before: { 'd/1': '0', k: '0' }, after: {} });
    await pair.mirror(without('d/**'));
    expect(await pair.sides()).toEqual({ a: { 'd/1': '0', k: '0' }, b: { 'd/1': '0', k: '0' } });
    const run = await pair.mirror();
    expect(run.skipped.byReason).toEqual({ unchanged: 2 });
  });

  test('that no longer exclude an object find what became of it meanwhile', async () => {
    const pair = await prepared({ name: '', before: { 'd/1': '0', 'd/2': '0', k: '0' }, after: {} });
    await pair.mirror(without('d/**'));
    await pair.a({ 'd/1': undefined });
    await pair.b({ 'd/2': '1' });
    await pair.mirror(without('d/**'));
    await pair.mirror();
    expect(await pair.sides()).toEqual({ a: { 'd/2': '1', k: '0' }, b: { 'd/2': '1', k: '0' } });
  });
});

describe('during the run', () => {
  /** Writes once, just before the store gets a call of this kind. */
  const meanwhile = (
    pair: MirrorPair,
    side: 'source' | 'dest',
    kind: 'put' | 'read' | 'delete' | 'head',
    act: (store: ObjectStore) => Promise<unknown>,
  ): void => {
    let done = false;
    pair.faults[side].before(kind, async () => {
      if (done) return;
      done = true;
      await act(pair[side]);
    });
  };

  test('what is written at the other side is not overwritten', async () => {
    const pair = await prepared({ name: '', before: { k: '0', x: 'x' }, a: { k: '1' }, after: {} });
    meanwhile(pair, 'dest', 'put', (store) => store.put('k', Buffer.from('2')));
    const run = await pair.mirror();
    expect(run.failed.list).toMatchObject([{ key: 'k', class: 'temporary', code: 'precondition-failed' }]);
    await pair.mirror();
    const both = { k: '2', 'k.conflict1': '1', x: 'x' };
    expect(await pair.sides()).toEqual({ a: both, b: both });
  });

  test('nor where the store compares nothing, and it is written before the last look', async () => {
    const blind = { capabilities: { writesIfMatch: undefined } };
    const pair = new MirrorPair({ dest: blind });
    await pair.a({ k: '0', x: 'x' });
    await pair.mirror();
    await pair.a({ k: '1' });
    meanwhile(pair, 'dest', 'head', (store) => store.put('k', Buffer.from('2')));
    await pair.mirror();
    expect((await pair.sides()).b.k).toBe('2');
    await pair.mirror();
    const { a, b } = await pair.sides();
    expect(a).toEqual(b);
    expect(Object.values(a).sort()).toEqual(['1', '2', 'x']);
  });

  test('the source changes while it is read, and the other side as well', async () => {
    const pair = await prepared({ name: '', before: { k: '0', x: 'x' }, b: { k: '1' }, after: {} });
    meanwhile(pair, 'dest', 'read', async (store) => {
      await store.put('k', Buffer.from('2'));
      await pair.source.put('k', Buffer.from('3'));
    });
    await pair.mirror();
    expect((await pair.sides()).a.k).toBe('3');
    await pair.mirror();
    const { a, b } = await pair.sides();
    expect(a).toEqual(b);
    expect(Object.values(a).sort()).toEqual(['2', '3', 'x']);
  });

  test('what is deleted on one side is written on the other', async () => {
    const pair = await prepared({ name: '', before: { k: '0', x: 'x' }, a: { k: undefined }, after: {} });
    meanwhile(pair, 'dest', 'delete', (store) => store.put('k', Buffer.from('1')));
    await pair.mirror();
    await pair.mirror();
    expect(await pair.sides()).toEqual({ a: { k: '1', x: 'x' }, b: { k: '1', x: 'x' } });
  });

  test('what was deleted is created again before the other side follows', async () => {
    const pair = await prepared({ name: '', before: { k: '0', x: 'x' }, b: { k: undefined }, after: {} });
    meanwhile(pair, 'dest', 'head', (store) => store.put('k', Buffer.from('1')));
    await pair.mirror();
    await pair.mirror();
    expect(await pair.sides()).toEqual({ a: { k: '1', x: 'x' }, b: { k: '1', x: 'x' } });
  });
});
