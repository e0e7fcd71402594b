import { beforeEach, describe, expect, test } from 'vitest';
import { createFilter } from '../../../src/engine/filter/filter.js';
import { type AdoptOptions, adoptEqual } from '../../../src/engine/rows/rebuild.js';
import { checkRows } from '../../../src/engine/rows/verify.js';
import { bytesOf, Pair } from '../support.js';

const OPTIONS: AdoptOptions = {
  claim: false,
  checkers: 4,
  maxMemory: 1024 * 1024,
  stop: new AbortController().signal,
};

const nobody = (): void => undefined;

describe('a manifest made anew', () => {
  let pair: Pair;
  beforeEach(async () => {
    pair = new Pair();
    for (const key of ['same', 'other', 'only-source']) await pair.source.put(key, bytesOf(key, 20));
    await pair.dest.put('same', bytesOf('same', 20));
    await pair.dest.put('other', bytesOf('something else', 20));
    await pair.dest.put('only-dest', bytesOf('x', 20));
  });

  test('has what both sides prove equal, and nothing else', async () => {
    const summary = await adoptEqual(pair.open(), OPTIONS, nobody);
    expect(summary).toMatchObject({
      adopted: { objects: 1, bytes: 20, by: { 'same-checksum': 1 } },
      different: 1,
      onlySource: 1,
      onlyDestination: 1,
      failed: 0,
      stopped: false,
    });
    expect(pair.manifest.page(undefined, 10)).toMatchObject([{ key: 'same', verifiedBy: 'computed', ours: false }]);
  });

  test('saves the next copy from comparing again, and lets it copy the rest', async () => {
    await adoptEqual(pair.open(), OPTIONS, nobody);
    const { copied, skipped } = await pair.copy();
    expect(copied.objects).toBe(2);
    expect(skipped.byReason).toEqual({ unchanged: 1 });
  });

  test('belongs to xsync only when that is claimed', async () => {
    await adoptEqual(pair.open(), { ...OPTIONS, claim: true }, nobody);
    expect(pair.manifest.get('same')?.ours).toBe(true);
  });

  test('has no row of what the filter leaves out', async () => {
    await adoptEqual(pair.open(), { ...OPTIONS, filter: createFilter({ exclude: ['same'] }) }, nobody);
    expect(pair.manifest.count()).toBe(0);
  });
});

test('sizes alone adopt nothing: only an equal time does, as for a copy', async () => {
  const clock = { source: 1_000_000, dest: 1_000_000 };
  const opaque = { partEtagIsMd5: false };
  const pair = new Pair({
    source: { clock: () => clock.source, capabilities: opaque },
    dest: { clock: () => clock.dest, capabilities: opaque },
  });
  await pair.source.put('a', bytesOf('a', 20));
  await pair.dest.put('a', bytesOf('a', 20));
  clock.dest = 2_000_000;
  await pair.source.put('b', bytesOf('b', 20));
  await pair.dest.put('b', bytesOf('b', 20));
  const { adopted, different } = await adoptEqual(pair.open(), OPTIONS, nobody);
  expect(adopted).toEqual({ objects: 1, bytes: 20, by: { 'same-time': 1 } });
  expect(different).toBe(1);
  expect(pair.manifest.get('a')?.verifiedBy).toBe('size');
});

test('rows that one side contradicts are counted by side, and objects without a row, too', async () => {
  const pair = new Pair();
  for (const key of ['a', 'b', 'c', 'd']) await pair.source.put(key, bytesOf(key, 20));
  await pair.copy();
  await pair.source.put('a', bytesOf('changed', 20));
  await pair.source.delete(['b']);
  await pair.dest.put('c', bytesOf('changed', 20));
  await pair.dest.delete(['b']);
  for (const store of [pair.source, pair.dest]) await store.put('new', bytesOf('new', 20));
  const { stop } = OPTIONS;
  expect(await checkRows(pair.open(), { checkers: 4, stop }, nobody)).toEqual({
    rows: 4,
    agreeing: 1,
    source: { changed: 1, gone: 1 },
    destination: { changed: 1, gone: 1 },
    unknown: 1,
    listed: { source: 4, destination: 4 },
  });
});
