import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Turns } from '../../src/serve/turns.js';

const GOING = new AbortController().signal;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Passes that end when they are told to, in the order in which they began. */
function passes(turns: Turns) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const begin = (name: string, priority = 0, signal = GOING, group?: string): Promise<void> => {
    const pass = async (): Promise<void> => {
      begun.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
    };
    return turns.take(priority, signal, pass, group);
  };
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await vi.advanceTimersByTimeAsync(0);
  };
  return { begun, begin, end };
}

test('passes of one group have one turn together', async () => {
  const { begun, begin, end } = passes(new Turns(1));
  void begin('a1', 0, GOING, 'a');
  void begin('b1', 0, GOING, 'b');
  void begin('a2', 0, GOING, 'a');
  void begin('b2', 0, GOING, 'b');
  await end('');
  expect(begun).toEqual(['a1', 'a2']);
  await end('a1');
  expect(begun).toEqual(['a1', 'a2']);
  await end('a2');
  expect(begun).toEqual(['a1', 'a2', 'b1', 'b2']);
});

test('as many passes begin as there are turns, by priority, and then the one that waits longest', async () => {
  const { begun, begin, end } = passes(new Turns(2));
  for (const name of ['a', 'b', 'c']) void begin(name);
  void begin('urgent', 5);
  void begin('d');
  expect(begun).toEqual(['a', 'b']);
  await end('a');
  expect(begun).toEqual(['a', 'b', 'urgent']);
  await end('urgent');
  await end('b');
  expect(begun).toEqual(['a', 'b', 'urgent', 'c', 'd']);
});

test('a pass that has much to copy does not keep the others waiting', async () => {
  const { begun, begin, end } = passes(new Turns(1));
  void begin('slow');
  void begin('next');
  await vi.advanceTimersByTimeAsync(29_000);
  expect(begun).toEqual(['slow']);
  await vi.advanceTimersByTimeAsync(1000);
  expect(begun).toEqual(['slow', 'next']);
  // Its turn is over already, and gives no further one.
  void begin('last');
  await end('slow');
  expect(begun).toEqual(['slow', 'next']);
  await end('next');
  expect(begun).toEqual(['slow', 'next', 'last']);
});

test('a pass that fails gives its turn back, and one that is drained does not wait', async () => {
  const turns = new Turns(1);
  await expect(turns.take(0, GOING, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  const { begun, begin, end } = passes(turns);
  void begin('a');
  const drain = new AbortController();
  void begin('drained', 0, drain.signal);
  void begin('b');
  drain.abort();
  await vi.advanceTimersByTimeAsync(0);
  expect(begun).toEqual(['a', 'drained']);
  await end('drained');
  await end('a');
  expect(begun).toEqual(['a', 'drained', 'b']);
});
