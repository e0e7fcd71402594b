import { afterEach, describe, expect, test, vi } from 'vitest';
import { MemoryBudget } from '../../src/engine/flow/budget.js';
import { XsyncError } from '../../src/model/error.js';
import type { FaultyStore } from '../support/faults.js';
import { bytesOf, contentOf, Pair } from './support.js';

const KiB = 1024;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Numbers in [0, 1) that are the same each time. */
function randomFrom(seed: number): () => number {
  let x = seed >>> 0;
  return () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return x / 2 ** 32;
  };
}

/** Until the returned function is called, calls take a while, each another one, and some of them fail. */
function makeFlaky(store: FaultyStore, random: () => number, faults: number): () => void {
  const flaky = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, random() * 4));
    if (random() < faults) throw new XsyncError(random() < 0.2 ? 'access-denied' : 'network', 'a fault');
  };
  const kinds = ['read', 'put', 'createUpload', 'uploadPart', 'completeUpload', 'head'] as const;
  const undo = kinds.map((kind) => store.before(kind, flaky));
  return () => {
    for (const one of undo) one();
  };
}

describe('objects that share too little memory', () => {
  const tight = [
    { maxMemory: 1, partConcurrency: 1, transfers: 1 },
    { maxMemory: 1, partConcurrency: 64, transfers: 8 },
    { maxMemory: 70 * KiB, partConcurrency: 3, transfers: 8 },
    { maxMemory: 200 * KiB, partConcurrency: 64, transfers: 16 },
  ];
  test.each(tight)('are all copied, none waiting for another for ever: %o', async (options) => {
    const pair = new Pair();
    const random = randomFrom(options.maxMemory + options.partConcurrency);
    for (let i = 0; i < 12; i++) {
      await pair.source.put(`k${i}`, bytesOf(`k${i}`, Math.floor(random() * 8 * 64 * KiB)));
    }
    const calm = [makeFlaky(pair.faults.source, random, 0.02), makeFlaky(pair.faults.dest, random, 0.02)];
    await pair.copy({ ...options, partSize: 64 * KiB });
    for (const settle of calm) settle();
    await pair.copy({ ...options, partSize: 64 * KiB });
    expect(pair.manifest.count()).toBe(12);
    expect(pair.manifest.uploads()).toEqual([]);
  });

  test('end when they are stopped at any time, and nothing is lost by it', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const random = randomFrom(seed);
      const pair = new Pair();
      for (let i = 0; i < 6; i++) await pair.source.put(`k${i}`, bytesOf(`k${i}`, (i % 3) * 150 * KiB + 5));
      const calm = [makeFlaky(pair.faults.source, random, 0.03), makeFlaky(pair.faults.dest, random, 0.03)];
      const stop = new AbortController();
      setTimeout(() => stop.abort(), random() * 60);
      const options = { partSize: 64 * KiB, maxMemory: 100 * KiB, partConcurrency: 4 };
      await pair.copy({ ...options, stop: stop.signal });
      for (const settle of calm) settle();
      await pair.copy(options);
      for (let i = 0; i < 6; i++) {
        expect(Buffer.compare(await contentOf(pair.dest, `k${i}`), await contentOf(pair.source, `k${i}`))).toBe(0);
      }
    }
  });
});

describe('memory that the system does not give', () => {
  test('is not counted as used, so that the next one who asks does not wait for ever', async () => {
    const budget = new MemoryBudget(100);
    await expect(budget.lease(2 ** 45)).rejects.toThrow();
    expect(budget.used).toBe(0);
    (await budget.lease(50)).release();
  });

  test('for one part ends the run instead of leaving the parts behind it waiting for its turn', async () => {
    const pair = new Pair();
    await pair.source.put('big', bytesOf('big', 500 * KiB));
    const lease = MemoryBudget.prototype.lease;
    let calls = 0;
    vi.spyOn(MemoryBudget.prototype, 'lease').mockImplementation(function (this: MemoryBudget, size) {
      return ++calls === 2 ? Promise.reject(new RangeError('Array buffer allocation failed')) : lease.call(this, size);
    });
    await expect(pair.copy({ partSize: 100 * KiB })).rejects.toThrow('there is not enough memory');
  });
});

describe('a call that never answers', () => {
  test('does not keep an interrupted run from ending in time, whichever it is', async () => {
    await Promise.all((['list', 'read', 'put', 'uploadPart'] as const).map(endsInTime));
  });
});

async function endsInTime(name: 'list' | 'read' | 'put' | 'uploadPart'): Promise<void> {
  const pair = new Pair();
  for (let i = 0; i < 3; i++) await pair.source.put(`k${i}`, bytesOf(`k${i}`, i * 100 * KiB));
  const store = name === 'list' || name === 'read' ? pair.faults.source : pair.faults.dest;
  store.before(name, ({ signal }) => {
    return new Promise((_, reject) => {
      const abort = () => reject(new XsyncError('aborted', 'aborted'));
      signal?.addEventListener('abort', abort, { once: true });
    });
  });
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 20);
  const run = await pair.copy({ stop: stop.signal, partSize: 64 * KiB });
  expect(run.stopped).toBe('interrupted');
}
