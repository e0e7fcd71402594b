import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { listPages } from '../../../src/engine/list/list.js';
import { IN_MEMORY, openManifest } from '../../../src/manifest/sqlite/open.js';
import { bytesOf, Pair } from '../support.js';
import { Bucket, type BucketOptions, rowsOf } from './ranges-bucket.js';

/**
 * How far away a store is: by a clock that only the tests advance, because a busy machine makes every store slow. And this
 * process is idle.
 */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  idle();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});
const idle = () =>
  vi.spyOn(performance, 'eventLoopUtilization').mockReturnValue({ idle: 1e9, active: 0, utilization: 0 });
const pass = (ms: number): void => void vi.advanceTimersByTime(ms);

const numbered = (count: number, name: (i: number) => string) => Array.from({ length: count }, (_, i) => name(i));
const pad = (i: number, width = 9) => String(i).padStart(width, '0');

/** Evenly spread 32-bit numbers, the same each time. */
const spread = (i: number) => Math.imul(i + 1, 2654435761) >>> 0;
const uuid = (i: number) => {
  const hex = [0, 1, 2, 3].map((n) => Math.imul(spread(i) ^ (n * 0x9e3779b9), 0x85ebca6b + 2 * n) >>> 0);
  const [a = '', b = '', c = '', d = ''] = hex.map((n) => n.toString(16).padStart(8, '0'));
  return `${a}-${b.slice(0, 4)}-${b.slice(4)}-${c.slice(0, 4)}-${c.slice(4)}${d}`;
};
const CJK = [...'的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里'];
const cjk = (i: number) => `${CJK[spread(i) % 50]}${CJK[(spread(i) >>> 8) % 50]}${CJK[(spread(i) >>> 16) % 50]}${i}`;
const emoji = (i: number) => String.fromCodePoint(0x1f300 + (spread(i) % 512), 0x1f600 + ((spread(i) >>> 9) % 64)) + i;

/** Where the listing first goes wrong, if it does. */
function differences(listed: readonly string[], keys: readonly string[]): unknown[] {
  const at = keys.findIndex((key, i) => listed[i] !== key);
  if (at < 0 && listed.length === keys.length) return [];
  return [`${listed.length} of ${keys.length}`, { at, listed: listed.slice(at, at + 2), keys: keys.slice(at, at + 2) }];
}

describe('every object is listed once and in order', () => {
  const character = fc.constantFrom('a', 'b', '/', '0', '1', '9', '-', '中', '\uffee', '\u{1f600}', '\u{10ffff}', ' ');
  const key = fc.string({ unit: character, minLength: 1, maxLength: 8 });
  const keys = fc.uniqueArray(key, { maxLength: 120 });

  test('whatever the keys are, wherever the ranges are cut, whichever page comes first', async () => {
    const cuts = fc.option(fc.uniqueArray(key, { maxLength: 60 }), { nil: undefined });
    const order = fc.infiniteStream(fc.nat({ max: 1000 }));
    await fc.assert(
      fc.asyncProperty(
        keys,
        cuts,
        fc.integer({ min: 1, max: 7 }),
        fc.nat({ max: 9 }),
        order,
        async (all, cut, size, n, o) => {
          const pick = (waiting: number) => (o.next().value ?? 0) % waiting;
          const bucket = new Bucket(all, { pageSize: size, pick });
          const rows = cut && rowsOf(new Bucket(cut).keys);
          const { keys: listed, notices } = await bucket.all({
            concurrency: n + 1,
            rows: rows && ((after) => rows(after, 1 + (n % 3))),
          });
          expect(differences(listed, bucket.keys)).toEqual([]);
          expect(notices).toEqual([]);
        },
      ),
      { numRuns: 600 },
    );
  });

  test('also where directories have keys beside them, and keys named as they are', async () => {
    const name = fc.constantFrom(
      'd1',
      'd1-',
      'd1/',
      'd1/a',
      'd10',
      'd10/',
      'd2',
      'd2/x',
      'd2.',
      'd2/x/',
      'e',
      'e/1/',
      'e0',
    );
    const tree = fc.uniqueArray(fc.tuple(name, fc.integer({ min: 0, max: 40 }).map(String)), {
      minLength: 20,
      maxLength: 200,
    });
    await fc.assert(
      fc.asyncProperty(tree, fc.integer({ min: 2, max: 12 }), async (parts, pageSize) => {
        const names = parts.flatMap(([a, b]) => [a, `${a}/${b}`, `${a}/k/${b}`]);
        const bucket = new Bucket(names, { pageSize });
        expect(differences((await bucket.all()).keys, bucket.keys)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('below a prefix, and nothing beside it', async () => {
    const inside = numbered(20_000, (i) => `photos/${pad(i)}`);
    const bucket = new Bucket([...inside, 'photo', 'photos', 'photos0', 'zoo', ...numbered(3000, (i) => `a${i}`)]);
    expect(differences((await bucket.all({}, 'photos/')).keys, inside)).toEqual([]);
  });
});

describe('what a listing costs in requests', () => {
  test.each([
    [0, 1],
    [1, 1],
    [1000, 1],
    [1001, 2],
    [1999, 2],
    [2000, 2],
    [2999, 3],
    [3000, 3],
  ])('a bucket of %i keys costs no more than in sequence', async (count, pages) => {
    const bucket = new Bucket(numbered(count, (i) => `k${pad(i)}`));
    expect((await bucket.all()).requests).toBe(pages);
  });

  test.each([1500, 2500, 10_000])(
    'a bucket that has shrunk from %i keys to one page costs one request',
    async (count) => {
      const before = new Bucket(numbered(count, (i) => pad(i)));
      const bucket = new Bucket(before.keys.slice(0, 1000));
      expect((await bucket.all({ rows: before.rows() })).requests).toBe(1);
    },
  );

  test('a bucket that has shrunk to two pages costs at most two requests more', async () => {
    const before = new Bucket(numbered(50_000, (i) => pad(i)));
    const bucket = new Bucket(before.keys.slice(0, 1900));
    expect((await bucket.all({ rows: before.rows() })).requests).toBeLessThanOrEqual(4);
  });

  test('an unchanged bucket costs exactly its pages, many at once', async () => {
    const bucket = new Bucket(numbered(100_000, uuid));
    const { requests, turns } = await bucket.all({ rows: bucket.rows() });
    expect(requests).toBe(100);
    expect(turns).toBeLessThanOrEqual(8);
  });

  test.each([
    ['one key in a hundred is new', (i: number) => i % 100 !== 0],
    ['half are new', (i: number) => i % 2 === 0],
    ['all behind the first tenth are new', (i: number) => i < 6000],
  ])('a bucket in which %s costs little more', async (_, known) => {
    const bucket = new Bucket(numbered(60_000, (i) => pad(i)));
    const { keys, requests, turns } = await bucket.all({ rows: rowsOf(bucket.keys.filter((_key, i) => known(i))) });
    expect(differences(keys, bucket.keys)).toEqual([]);
    expect(requests).toBeLessThanOrEqual(60 * 2);
    expect(turns).toBeLessThanOrEqual(20);
  });

  test('a bucket that has lost nine keys of ten asks for no range in vain', async () => {
    const before = new Bucket(numbered(200_000, (i) => pad(i)));
    const bucket = new Bucket(before.keys.filter((_, i) => i % 10 === 0));
    const { keys, requests } = await bucket.all({ rows: before.rows() });
    expect(differences(keys, bucket.keys)).toEqual([]);
    expect(requests).toBeLessThanOrEqual(70);
  });

  // 100 pages; at most so many requests, in at most so many round trips.
  test.each([
    ['numbers', (i: number) => `${pad(i)}_4096.bin`, 135, 12],
    ['1,000 directories', (i: number) => `p${pad(Math.floor(i / 100), 5)}/${pad(i)}.bin`, 160, 12],
    ['directories of one page each', (i: number) => `p${pad(Math.floor(i / 1000), 5)}/${pad(i)}.bin`, 115, 12],
    ['one huge directory', (i: number) => (i < 99_990 ? `huge/${pad(i)}` : `z${i}`), 140, 12],
    ['UUIDs', uuid, 130, 14],
    ['ideographs', cjk, 180, 25],
    ['emoji', emoji, 150, 60],
    ['keys that differ from byte 200 on', (i: number) => 'x'.repeat(200) + pad(i), 135, 12],
    ['a directory for each key', (i: number) => `user-${uuid(i)}/profile.json`, 150, 15],
    ['time stamps', (i: number) => `log-${1_700_000_000 + i * 37}-${uuid(i).slice(0, 6)}`, 140, 14],
    ['numbers without zeros in front', (i: number) => `img${i}.jpg`, 230, 25],
    ['directories of ten pages', (i: number) => `p${pad(Math.floor(i / 10_000), 5)}/${pad(i)}`, 220, 30],
  ])('a bucket never seen of 100,000 %s is listed many pages at once', async (_, name, requests, turns) => {
    const bucket = new Bucket(numbered(100_000, name));
    const outcome = await bucket.all();
    expect(differences(outcome.keys, bucket.keys)).toEqual([]);
    expect(outcome.notices).toEqual([]);
    expect(outcome.requests).toBeLessThanOrEqual(requests);
    expect(outcome.turns).toBeLessThanOrEqual(turns);
  });

  test.each([1, 5, 20, 100])('nothing piles up in memory when nobody takes more than %i pages', async (pages) => {
    for (const name of [uuid, (i: number) => `p${pad(i % 100, 3)}/${pad(i)}`]) {
      const bucket = new Bucket(numbered(200_000, name));
      expect(await bucket.ahead(pages)).toBeLessThanOrEqual(41);
    }
  });
});

describe('a store that cannot list from any key on is listed in sequence, with a notice, and nothing is lost', () => {
  const cases: [string, NonNullable<BucketOptions['startAfter']>][] = [
    ['ignores start-after', () => ''],
    ['takes it to a key before', (key, keys) => keys[keys.findIndex((k) => k >= key) - 20] ?? ''],
    ['leaves out keys after it', (key, keys) => keys[keys.findIndex((k) => k > key) + 3] ?? key],
    ['compares a few characters of it', (key) => `${key.slice(0, 4)}\u{10ffff}`],
  ];
  const spaces: [string, string[]][] = [
    ['numbers', numbered(40_000, (i) => pad(i))],
    ['UUIDs', numbered(40_000, uuid)],
    ['directories', numbered(40_000, (i) => `p${pad(Math.floor(i / 400), 4)}/${pad(i)}`)],
  ];

  test.each(cases.flatMap(([what, startAfter]) => spaces.map(([of, keys]) => ({ what, startAfter, of, keys }))))(
    'which $what, with $of',
    async ({ startAfter, keys, of }) => {
      const bucket = new Bucket(keys, { startAfter });
      const { keys: listed, notices } = await bucket.all();
      expect(differences(listed, bucket.keys)).toEqual([]);
      if (of !== 'directories') expect(notices).toHaveLength(1);
    },
  );

  test('and the next run knows', async () => {
    const pair = new Pair();
    for (let i = 0; i < 8000; i++) await pair.source.put(pad(i), bytesOf('x', 1));
    let asked = 0;
    pair.faults.source.before('list', async ({ options }) => {
      if (options.startAfter !== undefined) asked++;
      // Far enough away for ranges to be worth it.
      else if (options.token === undefined) pass(70);
      await new Promise((resolve) => setImmediate(resolve));
      options.startAfter = undefined;
    });
    const first = await pair.copy({ dryRun: true });
    expect(first.copied.objects).toBe(8000);
    expect(first.events.filter((event) => event.type === 'notice' && event.level === 'warn')).toHaveLength(1);
    asked = 0;
    expect((await pair.copy({ dryRun: true })).copied.objects).toBe(8000);
    expect(asked).toBe(0);
  });
});

test('a near store is listed in sequence: ranges would cost memory and save nothing', async () => {
  const pair = new Pair();
  for (let i = 0; i < 8000; i++) await pair.source.put(pad(i), bytesOf('x', 1));
  let ranges = 0;
  pair.faults.source.before('list', ({ options }) => {
    if (options.startAfter !== undefined) ranges++;
  });
  expect((await pair.copy({ dryRun: true })).traffic.source.requests).toEqual({ list: 8 });
  expect(ranges).toBe(0);
});

describe('a command that only lists', () => {
  // Each answer takes its time, and never less.
  beforeEach(() => {
    vi.useRealTimers();
    idle();
  });

  async function pages(pair: Pair, take = Number.POSITIVE_INFINITY): Promise<string[]> {
    const keys: string[] = [];
    for await (const entries of listPages(pair.open().source, 8, () => expect.fail('it is exact'))) {
      keys.push(...entries.map((entry) => entry.key));
      if (keys.length >= take) break;
    }
    return keys;
  }

  function late(pair: Pair, ms: number): { most: number; signals: (AbortSignal | undefined)[] } {
    const seen = { most: 0, signals: [] as (AbortSignal | undefined)[] };
    let inFlight = 0;
    pair.faults.source.before('list', async ({ signal }) => {
      seen.signals.push(signal);
      seen.most = Math.max(seen.most, ++inFlight);
      await new Promise((resolve) => setTimeout(resolve, ms));
      inFlight--;
    });
    return seen;
  }

  test('asks a far store for many pages at once, and gets every key in order', async () => {
    const pair = new Pair();
    pair.prefixes.source = 'p/';
    const keys = numbered(20_000, (i) => `p/${pad(i)}`);
    for (const key of [...keys, 'o', 'p', 'q']) await pair.source.put(key, bytesOf('x', 1));
    const seen = late(pair, 55);
    expect(differences(await pages(pair), keys)).toEqual([]);
    expect(seen.most).toBeGreaterThan(2);
    expect(seen.most).toBeLessThanOrEqual(8);
  });

  test('leaves nothing in flight when it stops', async () => {
    const pair = new Pair();
    for (const key of numbered(20_000, pad)) await pair.source.put(key, bytesOf('x', 1));
    const seen = late(pair, 55);
    expect((await pages(pair, 5000)).length).toBeLessThan(10_000);
    expect(seen.signals.every((signal) => signal?.aborted)).toBe(true);
  });
});

describe('a listing with a page missing is none', () => {
  test.each([1, 2, 5, 9, 20, 60])('when request %i fails for good', async (failing) => {
    const bucket = new Bucket(numbered(100_000, (i) => pad(i)));
    bucket.failing = failing;
    await expect(bucket.all()).rejects.toThrow('no answer');
  });
});

test('the manifest says where its rows can be cut', () => {
  const side = { kind: 'memory', endpoint: 'a', bucket: 'b', prefix: '' };
  const manifest = openManifest(IN_MEMORY, { source: side, dest: { ...side, bucket: 'c' } });
  const row = {
    size: 1,
    sourceEtag: 'e',
    sourceMtimeMs: 0,
    destEtag: 'e',
    verifiedBy: 'md5',
    ours: true,
    atMs: 0,
  } as const;
  manifest.commit(['b', 'a', 'd', '\u{10000}', '\uffee'].map((key) => ({ ...row, key })));
  expect(manifest.quantile(undefined, 1)).toEqual({ last: 'a', next: 'b' });
  expect(manifest.quantile('a', 3)).toEqual({ last: '\uffee', next: '\u{10000}' });
  expect(manifest.quantile('a', 4)).toBeUndefined();
  expect(manifest.quantile('z', 1)).toEqual({ last: '\uffee', next: '\u{10000}' });
  manifest.close();
});
