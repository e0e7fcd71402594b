import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunEvent } from '../../../src/engine/events.js';
import { Halt } from '../../../src/engine/flow/halt.js';
import { type Bounds, contains } from '../../../src/engine/list/bounds.js';
import { OutOfOrder } from '../../../src/engine/list/list.js';
import { Streams } from '../../../src/engine/list/streams.js';
import type { RunOptions } from '../../../src/engine/options.js';
import type { ManifestRow } from '../../../src/manifest/port.js';
import { compareKeys } from '../../../src/model/key.js';
import type { ListOptions } from '../../../src/store/port.js';
import type { FaultyStore } from '../../support/faults.js';
import { bytesOf, OPTIONS, Pair } from '../support.js';
import { Bucket, rowsOf } from './ranges-bucket.js';

/** How far away a store is: by a clock that only the tests advance, because a busy machine makes every store slow. */
beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());
const pass = (ms: number): void => void vi.advanceTimersByTime(ms);

interface Listed {
  source: string[];
  dest: string[];
  rows: string[];
  notices: string[];
}

/** What the three streams of a pair give out within the bounds, as a run would read them. */
async function listed(pair: Pair, bounds?: Bounds, more: Partial<RunOptions> = {}): Promise<Listed> {
  const opened = pair.open();
  const options = { ...OPTIONS, ...more };
  const notices: string[] = [];
  const emit = (event: RunEvent): void => {
    if (event.type === 'notice') notices.push(event.message);
  };
  const halt = new Halt(0);
  const failed = (_key: string, fault: Error): never => {
    throw fault;
  };
  const damaged = (fault: Error): never => {
    throw fault;
  };
  const streams = new Streams(opened, { ...options, distrusted: [] }, { emit, halt, failed, damaged });
  try {
    for (;;) {
      try {
        const { source, dest, rows } = streams.open(bounds);
        const [s, d, m] = await Promise.all([keysIn(source), dest ? keysIn(dest) : [], keysIn(rows)]);
        return { source: s, dest: d, rows: m, notices };
      } catch (error) {
        if (!(error instanceof OutOfOrder)) throw error;
        streams.sortFromNowOn(error);
      }
    }
  } finally {
    streams.dispose();
    halt.dispose();
  }
}

async function keysIn(stream: AsyncIterator<readonly { key: string }[]>): Promise<string[]> {
  const keys: string[] = [];
  for (let next = await stream.next(); !next.done; next = await stream.next()) {
    keys.push(...next.value.map(({ key }) => key));
  }
  return keys;
}

const ROW = {
  size: 1,
  sourceEtag: 'e',
  sourceMtimeMs: 0,
  destEtag: 'e',
  verifiedBy: 'md5',
  ours: true,
  atMs: 0,
} as const satisfies Omit<ManifestRow, 'key'>;

type Store = 'ordered' | 'local' | 'unordered' | 'start-after ignored';

async function pairOf(keys: readonly string[], kind: Store = 'ordered', prefix = ''): Promise<Pair> {
  const memory = { unorderedListing: kind === 'unordered', capabilities: { local: kind === 'local' } };
  const pair = new Pair({ source: memory, dest: memory });
  pair.prefixes = { source: prefix, dest: '' };
  for (const key of keys) {
    if (prefix + key !== '') await pair.source.put(prefix + key, bytesOf('x', 1));
    if (key !== '') await pair.dest.put(key, bytesOf('x', 1));
  }
  if (prefix !== '') for (const key of ['o', 'p', 'p0', 'q']) await pair.source.put(key, bytesOf('x', 1));
  pair.manifest.commit(keys.map((key) => ({ ...ROW, key })));
  if (kind === 'start-after ignored')
    for (const store of [pair.faults.source, pair.faults.dest]) ignoreStartAfter(store);
  return pair;
}

function ignoreStartAfter(store: FaultyStore): void {
  store.before('list', ({ options }) => Object.assign(options, { startAfter: undefined }));
}

/** Every answer comes so late that the store is listed in ranges; tells what was asked for. */
function farAway(store: FaultyStore): ListOptions[] {
  const asked: ListOptions[] = [];
  store.before('list', async ({ n, options }) => {
    asked.push({ ...options });
    if (n === 1) pass(60);
  });
  return asked;
}

const character = fc.constantFrom('a', 'b', '/', '0', '中', '\uffee', '\u{1f600}', '\u{10ffff}', ' ', '\u0001');
const key = fc.string({ unit: character, minLength: 0, maxLength: 4 });
const bounds = fc.record({ after: key, until: key }, { requiredKeys: [] });

describe('a bounded listing holds exactly what a whole one holds there', () => {
  const kinds: Store[] = ['ordered', 'local', 'unordered', 'start-after ignored'];

  test.each(kinds)('whatever the keys are: %s', async (kind) => {
    const keys = fc.uniqueArray(key, { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(keys, bounds, fc.constantFrom('', 'p/'), async (all, asked, prefix) => {
        const pair = await pairOf(all, kind, prefix);
        const expected = all.filter((one) => contains(asked, one)).sort(compareKeys);
        const { source, dest, rows } = await listed(pair, asked);
        const named = expected.filter((one) => one !== '');
        expect(source).toEqual(prefix === '' ? named : expected);
        expect(dest).toEqual(named);
        expect(rows).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });

  test('in ranges too, whichever page comes first and wherever they are cut', async () => {
    const keys = fc.uniqueArray(fc.string({ unit: character, minLength: 1, maxLength: 6 }), { maxLength: 120 });
    const cuts = fc.option(fc.uniqueArray(key, { maxLength: 60 }), { nil: undefined });
    const order = fc.infiniteStream(fc.nat({ max: 1000 }));
    const startAfter = fc.constantFrom(undefined, () => '');
    await fc.assert(
      fc.asyncProperty(keys, bounds, cuts, fc.nat({ max: 9 }), order, startAfter, async (all, asked, cut, n, o, s) => {
        const pick = (waiting: number) => (o.next().value ?? 0) % waiting;
        const bucket = new Bucket(all, { pageSize: 1 + (n % 7), pick, startAfter: s });
        const rows = cut && rowsOf(new Bucket(cut).keys);
        const settings = {
          concurrency: n + 1,
          bounds: asked,
          rows: rows && ((after?: string) => rows(after, 1 + (n % 3))),
        };
        expect((await bucket.all(settings)).keys).toEqual(bucket.keys.filter((one) => contains(asked, one)));
      }),
      { numRuns: 600 },
    );
  });
});

describe('what a bounded listing costs', () => {
  const name = (i: number) => `k${String(i).padStart(6, '0')}`;
  const keys = Array.from({ length: 10_000 }, (_, i) => name(i));

  test.each([
    ['two pages in the middle', { after: name(3499), until: name(5499) }, 2],
    ['a page that ends with the last key', { after: name(999), until: name(1999) }, 1],
    ['one key more than a page', { after: name(999), until: name(2000) }, 2],
    ['one key', { after: name(4999), until: name(5000) }, 1],
    ['a gap', { after: `${name(4999)}a`, until: `${name(4999)}b` }, 1],
    ['the last two pages', { after: name(8499) }, 2],
    ['the first page', { until: name(10) }, 1],
    ['nothing', { after: 'b', until: 'a' }, 0],
    ['nothing between a key and itself', { after: name(1), until: name(1) }, 0],
    ['everything', {}, 10],
  ] as [string, Bounds, number][])('%s', async (_, asked, pages) => {
    const pair = await pairOf(keys);
    const opened = pair.open();
    pair.open = () => opened;
    const expected = keys.filter((one) => contains(asked, one));
    const { source, dest, rows } = await listed(pair, asked);
    expect([source, dest, rows]).toEqual([expected, expected, expected]);
    for (const side of [opened.source, opened.dest]) {
      expect(side.traffic().requests).toEqual(pages === 0 ? {} : { list: pages });
    }
  });

  test('far away it is listed in ranges, of which none lies outside', async () => {
    const pair = await pairOf(keys);
    const asked = farAway(pair.faults.source);
    const interval = { after: name(1499), until: name(8499) };
    const { source, notices } = await listed(pair, interval);
    expect(source).toEqual(keys.slice(1500, 8500));
    expect(notices).toEqual([]);
    expect(asked.length).toBe(7);
    const starts = asked.flatMap(({ startAfter }) => startAfter ?? []);
    expect(starts.length).toBeGreaterThan(3);
    for (const start of starts) expect(start >= interval.after && start < interval.until).toBe(true);
  });

  test('a far store that ignores start-after is known from its first page, told of, and no longer asked so', async () => {
    const pair = await pairOf(keys, 'start-after ignored');
    const asked = farAway(pair.faults.source);
    const interval = { after: name(1499), until: name(2499) };
    const first = await listed(pair, interval);
    expect(first.source).toEqual(keys.slice(1500, 2500));
    expect(
      first.notices.filter((notice) => notice.includes('memory:src cannot be listed from an arbitrary key')),
    ).toHaveLength(1);
    expect(asked).toHaveLength(3);
    const second = await listed(pair, interval);
    expect(second.source).toEqual(first.source);
    expect(second.notices).toEqual([]);
    expect(asked.slice(3).map(({ startAfter }) => startAfter)).toEqual([undefined, undefined, undefined]);
  });

  test('a store whose order is unknown is listed to its end: what is inside may follow what is beyond', async () => {
    const pair = await pairOf(['d', 'a', 'c', 'b'], 'unordered');
    expect(await listed(pair, { after: 'a', until: 'c' })).toMatchObject({ source: ['b', 'c'], dest: ['b', 'c'] });
    expect(await listed(pair, { after: 'a', until: 'c' })).toMatchObject({ source: ['b', 'c'], notices: [] });
  });
});

test('names from a file and a single object are looked at whatever the bounds are', async () => {
  const pair = await pairOf(['a', 'b']);
  const opened = pair.open();
  const single = { ...opened, source: { ...opened.source, prefix: 'a' }, dest: { ...opened.dest, prefix: 'a' } };
  pair.open = () => ({ ...single, single: true });
  expect((await listed(pair, { after: 'x' })).source).toEqual(['']);
  pair.open = () => opened;
  const filter = { files: ['b'] } as unknown as RunOptions['filter'];
  expect((await listed(pair, { after: 'x' }, { filter })).source).toEqual(['b']);
});
