import { beforeEach, expect, test } from 'vitest';
import { SharedReads, type Wanting } from '../../../src/engine/fan/reads.js';
import { Ledger } from '../../../src/engine/flow/account.js';
import type { ObjectInfo } from '../../../src/model/object.js';

const INFO = { key: 'k', size: 4, etag: 'e', mtimeMs: 0, checksums: {} } as unknown as ObjectInfo;

class Reader implements Wanting {
  behind = false;
  wants = true;
  foundMs = 0;
  sharedBytes = 0;
  mayWant = (): boolean => this.wants;
  shared(bytes: number): void {
    this.sharedBytes += bytes;
  }
}

/** What each object that is held takes: its bytes, and 1 KiB. */
const HELD = 4 + 1024;

let memory: Ledger;
let readers: Reader[];
let reads: SharedReads;
let fetched: string[];

beforeEach(() => {
  memory = new Ledger(2 * HELD);
  readers = [new Reader(), new Reader(), new Reader()];
  const most = { most: 2 * HELD, take: (size: number) => memory.take(size), give: (size: number) => memory.give(size) };
  reads = new SharedReads(most, () => readers);
  fetched = [];
});

async function read(
  index: number,
  key: string,
  options: { ifMatch?: string; signal?: AbortSignal } = { ifMatch: 'e' },
) {
  const target = new Uint8Array(4);
  const reader = readers[index] ?? new Reader();
  await reads.read(reader, { key, target, options }, async () => {
    fetched.push(`${index}:${key}`);
    target.set(Buffer.from(key.padEnd(4)));
    return INFO;
  });
  return Buffer.from(target).toString().trim();
}

test('what others may want is kept until they have it, or no longer want it', async () => {
  await read(0, 'a');
  expect(memory.used).toBe(HELD);
  expect(await read(1, 'a')).toBe('a');
  expect(await read(2, 'a')).toBe('a');
  expect([fetched, memory.used, readers[1]?.sharedBytes]).toEqual([['0:a'], 0, 4]);
  await read(0, 'b');
  for (const reader of readers) reader.wants = false;
  reads.review('c');
  expect(memory.used).toBe(HELD);
  reads.review('b');
  expect(memory.used).toBe(0);
});

test('whoever asks again doubts what it got, and reads by itself; any version is not shared at all', async () => {
  await read(0, 'a');
  await read(0, 'a');
  await read(1, 'a');
  await read(1, 'a');
  expect(fetched).toEqual(['0:a', '0:a', '1:a']);
  await Promise.all([read(0, 'b', {}), read(1, 'b', {})]);
  expect(fetched.slice(3)).toEqual(['0:b', '1:b']);
});

test('versions do not mix', async () => {
  await read(0, 'a', { ifMatch: 'old' });
  await read(1, 'a', { ifMatch: 'new' });
  expect(fetched).toEqual(['0:a', '1:a']);
});

test('a version that has been replaced since is no longer given to anybody', async () => {
  await read(0, 'a', { ifMatch: 'old' });
  await read(0, 'a', { ifMatch: 'new' });
  expect(memory.used).toBe(HELD);
  // The store answers that it is gone.
  await read(1, 'a', { ifMatch: 'old' });
  expect(fetched).toEqual(['0:a', '0:a', '1:a']);
});

test('many objects without bytes take memory, too', async () => {
  for (let n = 0; n < 10; n++) {
    const wish = { key: `${n}`, target: new Uint8Array(0), options: { ifMatch: 'e' } };
    await reads.read(readers[0] ?? new Reader(), wish, async () => INFO);
  }
  expect(memory.used).toBe(2 * 1024);
});

test('one that is behind loses what is held for it alone, and not what others want', async () => {
  await read(0, 'a');
  await read(1, 'a');
  await read(0, 'b');
  await read(1, 'b');
  // Only the third one wants both. There is no room for more.
  await read(0, 'c');
  expect(readers.map(({ behind }) => behind)).toEqual([false, false, true]);
  expect(await read(1, 'c')).toBe('c');
  for (const reader of readers.slice(0, 2)) reader.wants = false;
  await read(2, 'a');
  // What is held for it alone is no reason to drop what it may still use.
  await read(2, 'b');
  expect(fetched).toEqual(['0:a', '0:b', '0:c', '2:a']);
});

test('gives memory back when others need it', async () => {
  await read(0, 'a');
  await read(0, 'b');
  reads.yield(1);
  expect(memory.used).toBe(HELD);
  expect(readers.map(({ behind }) => behind)).toEqual([false, true, true]);
  reads.yield(100);
  expect(memory.used).toBe(0);
});

test('while it is read, others wait for it; if it fails they read by themselves, and if it is given up another one does', async () => {
  const target = new Uint8Array(4);
  const stop = new AbortController();
  let fail: (error: Error) => void = () => {};
  const begin = (signal?: AbortSignal) =>
    reads.read(readers[0] ?? new Reader(), { key: 'a', target, options: { ifMatch: 'e', signal } }, () => {
      return new Promise<never>((_, reject) => {
        fail = reject;
      });
    });
  const failing = begin();
  const waiting = [read(1, 'a'), read(2, 'a')];
  fail(new Error('damaged'));
  await expect(failing).rejects.toThrow('damaged');
  expect([await Promise.all(waiting), fetched]).toEqual([
    ['a', 'a'],
    ['1:a', '2:a'],
  ]);

  fetched = [];
  const stopped = begin(stop.signal);
  const others = [read(1, 'a'), read(2, 'a')];
  stop.abort();
  fail(new Error('stopped'));
  await expect(stopped).rejects.toThrow('stopped');
  expect([await Promise.all(others), fetched]).toEqual([['a', 'a'], ['1:a']]);
});

test('a stop ends the wait for others', async () => {
  const target = new Uint8Array(4);
  void reads.read(
    readers[0] ?? new Reader(),
    { key: 'a', target, options: { ifMatch: 'e' } },
    () => new Promise(() => {}),
  );
  const stop = new AbortController();
  const waiting = read(1, 'a', { ifMatch: 'e', signal: stop.signal });
  stop.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
});
