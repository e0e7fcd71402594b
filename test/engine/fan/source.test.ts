/** Several pairs that read one source: what it is asked for, counted. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Summary } from '../../../src/engine/events.js';
import { CommonSource, type SourceReader } from '../../../src/engine/fan/source.js';
import { Ledger } from '../../../src/engine/flow/account.js';
import type { RunOptions } from '../../../src/engine/options.js';
import type { RunPair } from '../../../src/engine/pair.js';
import { synchronisedMs } from '../../../src/engine/record/journal.js';
import { runKeys, runPair } from '../../../src/engine/run.js';
import { Shared } from '../../../src/engine/shared.js';
import { SqliteSpool } from '../../../src/manifest/sqlite/spool.js';
import { XsyncError } from '../../../src/model/error.js';
import { bytesOf, contentOf, keysOf, OPTIONS, Pair, side } from '../support.js';

const MIB = 2 ** 20;

/** Pairs with a common source, the one of the first pair. */
class Fan {
  readonly pairs: Pair[];
  readonly common: CommonSource;
  readonly readers: SourceReader[];
  lists = 0;
  readonly reads: string[] = [];
  bytes = 0;

  constructor(pairs: number, { held = 64 * MIB, prefix = '' } = {}) {
    this.pairs = Array.from({ length: pairs }, () => new Pair());
    const ledger = new Ledger(held);
    const memory = { most: held, take: (size: number) => ledger.take(size), give: (size: number) => ledger.give(size) };
    this.common = new CommonSource({ memory, spool: () => new SqliteSpool('') });
    this.readers = this.pairs.map(() => this.common.join(prefix));
    this.at.faults.source.before('list', () => this.lists++);
    this.at.faults.source.before('read', ({ key = '', offset, size = 0 }) => {
      this.reads.push(offset > 0 ? `${key}+${offset}` : key);
      this.bytes += size;
    });
  }

  /** The pair with the source. */
  get at(): Pair {
    return this.pairs[0] ?? new Pair();
  }

  open(index: number, prefix = ''): RunPair {
    const pair = this.pairs[index] ?? this.at;
    const { source, ...rest } = pair.open();
    const own = { ...side(this.at.faults.source, prefix, 'memory:src'), reader: this.readers[index] };
    return { ...rest, source: own };
  }

  run(index: number, options: Partial<RunOptions> = {}, prefix = ''): Promise<Summary> {
    const { joinedMs } = this.readers[index] ?? {};
    return runPair(this.open(index, prefix), { ...OPTIONS, listedSinceMs: joinedMs, ...options }, () => undefined);
  }

  runAll(options: Partial<RunOptions> = {}): Promise<Summary[]> {
    return Promise.all(this.pairs.map((_, index) => this.run(index, options)));
  }

  reset(): void {
    this.lists = 0;
    this.bytes = 0;
    this.reads.splice(0);
  }
}

async function put(fan: Fan, ...keys: string[]): Promise<void> {
  for (const key of keys) await fan.at.source.put(key, bytesOf(key, 100));
}

describe('pairs that run at the same time', () => {
  test('list the source once, and read each object once', async () => {
    const fan = new Fan(3);
    const keys = ['a', 'b', 'c/d', 'e'];
    await put(fan, ...keys);
    const summaries = await fan.runAll();
    expect(fan.lists).toBe(1);
    expect(fan.reads.sort()).toEqual(keys);
    for (const { dest } of fan.pairs) {
      expect(await keysOf(dest)).toEqual(keys);
      expect(await contentOf(dest, 'c/d')).toEqual(bytesOf('c/d', 100));
    }
    // Whoever made a request has it in its own count.
    const read = summaries.map(({ traffic }) => traffic.source.requests.read ?? 0);
    expect(read.reduce((sum, n) => sum + n, 0)).toBe(4);
    fan.reset();
    await fan.runAll({ listedSinceMs: performance.now() });
    expect([fan.lists, fan.reads]).toEqual([1, []]);
  });

  test('a large object is read once, part by part', async () => {
    const fan = new Fan(3);
    await fan.at.source.put('large', randomBytes(15 * MIB));
    await fan.runAll({ partSize: 5 * MIB });
    expect(fan.bytes).toBe(15 * MIB);
    for (const { dest } of fan.pairs) expect((await dest.head('large')).size).toBe(15 * MIB);
  });

  test('each has its own filter, and nothing is kept for pairs that leave the object out', async () => {
    const fan = new Fan(3);
    await put(fan, 'a/1', 'a/2', 'b/1', 'c');
    const only = (start: string): Partial<RunOptions> => ({
      filter: { test: (key: string) => ({ included: key.startsWith(start), reason: 'named' }) } as never,
    });
    await Promise.all([fan.run(0, only('a/')), fan.run(1, only('b/')), fan.run(2)]);
    expect(fan.lists).toBe(1);
    expect(fan.reads.sort()).toEqual(['a/1', 'a/2', 'b/1', 'c']);
    expect(await Promise.all(fan.pairs.map(({ dest }) => keysOf(dest)))).toEqual([
      ['a/1', 'a/2'],
      ['b/1'],
      ['a/1', 'a/2', 'b/1', 'c'],
    ]);
  });

  test('one whose destination fails reads again by itself, and the others do not notice', async () => {
    const fan = new Fan(3);
    await put(fan, 'a', 'b');
    fan.pairs[1]?.faults.dest.before('put', () => {
      throw new XsyncError('checksum-mismatch', 'the bytes were damaged on their way');
    });
    const [first, second, third] = await fan.runAll();
    expect([first?.failed.objects, second?.failed.objects, third?.failed.objects]).toEqual([0, 2, 0]);
    expect(fan.lists).toBe(1);
    // Three attempts, of which the first one had what the others read.
    expect(fan.reads.sort()).toEqual(['a', 'a', 'a', 'b', 'b', 'b']);
  });

  test('one that ends while it lists leaves the rest of the listing to the others', async () => {
    const fan = new Fan(3);
    await put(fan, ...Array.from({ length: 25 }, (_, index) => `key-${String(index).padStart(4, '0')}`));
    const stop = new AbortController();
    fan.at.faults.source.around('list', ({ options }, run) => {
      options.maxKeys = 10;
      return run();
    });
    fan.at.faults.source.before('list', ({ n }) => n === 2 && stop.abort());
    const [first] = await Promise.all([fan.run(0, { stop: stop.signal }), fan.run(1), fan.run(2)]);
    expect(first?.stopped).toBe('interrupted');
    expect(fan.lists).toBe(3);
    for (const { dest } of fan.pairs.slice(1)) expect((await keysOf(dest)).length).toBe(25);
  });

  test('an error of the source ends all of them', async () => {
    const fan = new Fan(2);
    fan.at.faults.source.before('list', () => {
      throw new XsyncError('access-denied', 'no', { status: 403 });
    });
    const ended = await Promise.allSettled([fan.run(0), fan.run(1)]);
    expect(ended.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  test('nobody waits for one that is slow, and it still gets what the others read', async () => {
    const fan = new Fan(3);
    const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    await put(fan, ...keys);
    const open = fan.pairs[0]?.faults.dest.hold('put');
    const slow = fan.run(0);
    await Promise.all([fan.run(1), fan.run(2)]);
    expect(await keysOf(fan.pairs[2]?.dest ?? fan.at.dest)).toEqual(keys);
    open?.();
    await slow;
    expect(await keysOf(fan.at.dest)).toEqual(keys);
    expect([fan.lists, fan.reads.length]).toEqual([1, 8]);
  });

  test('one that is further behind than the memory goes reads by itself', async () => {
    const fan = new Fan(2, { held: 2500 });
    const keys = Array.from({ length: 20 }, (_, index) => `key-${String(index).padStart(2, '0')}`);
    await put(fan, ...keys);
    const open = fan.at.faults.dest.hold('put');
    const slow = fan.run(0, { transfers: 1 });
    await fan.run(1, { transfers: 1 });
    expect(fan.reads).toEqual(keys);
    open();
    await slow;
    expect(await keysOf(fan.at.dest)).toEqual(keys);
    // All but what was held last.
    expect(fan.reads.length).toBeLessThanOrEqual(40);
    expect(fan.reads.length).toBeGreaterThan(30);
    expect(fan.lists).toBe(1);
  });

  test('an object that changes meanwhile arrives whole, in its new version', async () => {
    const fan = new Fan(3);
    const [old, now] = [randomBytes(15 * MIB), randomBytes(15 * MIB)];
    await fan.at.source.put('large', old);
    fan.at.faults.source.before('read', ({ n }) => (n === 2 ? fan.at.source.put('large', now) : undefined));
    await fan.runAll({ partSize: 5 * MIB, transfers: 1, partConcurrency: 1 });
    for (const { dest } of fan.pairs) expect((await contentOf(dest, 'large')).equals(now)).toBe(true);
  });

  test('one with a narrower prefix takes its keys from the listing of the wider one', async () => {
    const fan = new Fan(1);
    const narrow = fan.common.join('b/');
    fan.pairs.push(new Pair());
    fan.readers.push(narrow);
    await put(fan, 'a', 'b/1', 'b/2', 'c');
    await Promise.all([fan.run(1, {}, 'b/'), fan.run(0)]);
    expect([fan.lists, fan.reads.sort()]).toEqual([1, ['a', 'b/1', 'b/2', 'c']]);
    expect(await keysOf(fan.pairs[1]?.dest ?? fan.at.dest)).toEqual(['1', '2']);
  });
});

test('what one finds while another one is still busy is kept for the next pass of that one', async () => {
  const fan = new Fan(2);
  await put(fan, 'a');
  const open = fan.at.faults.dest.hold('put');
  const busy = fan.run(0);
  await fan.run(1);
  await put(fan, 'b');
  await fan.run(1, { listedSinceMs: performance.now() });
  expect([fan.lists, fan.reads]).toEqual([2, ['a', 'b']]);
  open();
  await busy;
  await fan.run(0);
  expect(await keysOf(fan.at.dest)).toEqual(['a', 'b']);
  expect(fan.reads).toEqual(['a', 'b']);
});

describe('a listing', () => {
  test('from before the run is used only if the run allows it, and is what it is synchronized up to', async () => {
    const fan = new Fan(2);
    await put(fan, 'a');
    const before = Date.now();
    await fan.run(0);
    const since = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await fan.run(1, { listedSinceMs: since });
    expect(fan.lists).toBe(2);

    const again = new Fan(2);
    await put(again, 'a');
    await again.run(0);
    const after = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await again.run(1);
    expect(again.lists).toBe(1);
    const upTo = synchronisedMs(again.pairs[1]?.manifest ?? again.at.manifest, Date.now());
    expect(upTo).toBeGreaterThanOrEqual(before);
    expect(upTo).toBeLessThanOrEqual(after);
  });

  test('without a key for a pair is still what it is synchronized up to', async () => {
    const fan = new Fan(2, { prefix: 'b/' });
    await fan.run(0, {}, 'b/');
    const after = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await fan.run(1, {}, 'b/');
    expect(fan.lists).toBe(1);
    expect(synchronisedMs(fan.pairs[1]?.manifest ?? fan.at.manifest, Date.now())).toBeLessThanOrEqual(after);
  });

  test('of more than a pair needs, and that is not allowed, does not keep the pair from its own keys', async () => {
    const fan = new Fan(1);
    const narrow = fan.common.join('b/');
    fan.pairs.push(new Pair());
    fan.readers.push(narrow);
    await put(fan, 'a', 'b/1', 'b/2', 'c');
    fan.at.faults.source.before('list', ({ options }) => {
      if (options.prefix !== 'b/') throw new XsyncError('access-denied', 'not allowed to list all');
    });
    const [own, whole] = await Promise.allSettled([fan.run(1, {}, 'b/'), fan.run(0)]);
    expect([own?.status, whole?.status]).toEqual(['fulfilled', 'rejected']);
    expect(await keysOf(fan.pairs[1]?.dest ?? fan.at.dest)).toEqual(['1', '2']);
  });

  test('that shows what the store cannot do tells all that read it', async () => {
    const fan = new Fan(2);
    await put(fan, 'a', 'b', 'c');
    fan.at.faults.source.before('list', ({ options }) => Object.assign(options, { startAfter: undefined }));
    const told = await Promise.all(
      fan.pairs.map(async (_, index) => {
        const notices: string[] = [];
        const options = { ...OPTIONS, listedSinceMs: fan.readers[index]?.joinedMs, bounds: { after: 'a' } };
        await runPair(fan.open(index), options, (event) => event.type === 'notice' && notices.push(event.message));
        return notices.filter((notice) => notice.includes('cannot be listed from an arbitrary key')).length;
      }),
    );
    expect([fan.lists, told]).toEqual([1, [1, 1]]);
  });

  test('from before the run does not delete what was copied since then', async () => {
    const fan = new Fan(2);
    const sync = {
      policy: { ...OPTIONS.policy, mode: 'sync' as const, deleteUnknown: true },
      deletes: {
        when: 'after' as const,
        unchecked: true,
        allowEmptySource: true,
        ignoreErrors: false,
        excluded: false,
      },
    };
    await put(fan, 'a');
    await fan.run(0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await put(fan, 'b');
    const pair = fan.open(1);
    const shared = new Shared(pair, OPTIONS, () => undefined);
    await runKeys(pair, [['a', 'b']], OPTIONS, () => undefined, shared);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const listedSinceMs = fan.readers[1]?.joinedMs;
    const summary = await runPair(pair, { ...OPTIONS, ...sync, listedSinceMs }, () => undefined, shared);
    expect([fan.lists, summary.deleted.objects]).toEqual([1, 0]);
    expect(await keysOf(fan.pairs[1]?.dest ?? fan.at.dest)).toEqual(['a', 'b']);
  });
});

test('changed keys are read once by all that are told of them', async () => {
  const fan = new Fan(3);
  await put(fan, 'a', 'b');
  const keys = (index: number) => runKeys(fan.open(index), [['b']], OPTIONS, () => undefined);
  await Promise.all([keys(0), keys(1), keys(2)]);
  expect(fan.reads).toEqual(['b']);
  expect(fan.lists).toBe(0);
});

test('a pair that reads a source alone passes the bytes on as before', () => {
  const fan = new Fan(1);
  const reading = fan.readers[0]?.begin({ prefix: '', listedSinceMs: 0, lists: true, passes: true, reads: 'now' });
  const bare = fan.at.faults.source;
  expect(reading?.over(bare).readPieces === undefined).toBe(bare.readPieces === undefined);
  fan.common.join('');
  expect(reading?.over(bare).readPieces).toBeUndefined();
});
