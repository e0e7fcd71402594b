import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FarSides } from '../../src/cluster/job-run.js';
import { Pairs } from '../../src/cluster/pairs.js';

const terms = { pair: 'p', source: 'a:from', dest: 'b:to' };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setup(fails = 0) {
  const said: string[] = [];
  let failures = fails;
  const pairs = new Pairs(async ({ pair }) => {
    if (failures-- > 0) throw new Error('no remote');
    said.push(`open ${pair}`);
    return { close: async () => void said.push(`close ${pair}`) } as unknown as FarSides;
  });
  return { pairs, said };
}

test('a pair is opened once for all its jobs, and closed when nobody has used it for a while', async () => {
  const { pairs, said } = setup();
  await Promise.all([pairs.open(terms), pairs.open(terms)]);
  pairs.release(terms);
  await vi.advanceTimersByTimeAsync(1_000_000);
  expect(said).toEqual(['open p']);
  pairs.release(terms);
  await vi.advanceTimersByTimeAsync(200_000);
  await pairs.open(terms);
  pairs.release(terms);
  await vi.advanceTimersByTimeAsync(1_000_000);
  expect(said).toEqual(['open p', 'close p']);
});

test('what could not be opened is tried again by the next job', async () => {
  const { pairs, said } = setup(1);
  await expect(pairs.open(terms)).rejects.toThrow('no remote');
  pairs.release(terms);
  await pairs.open(terms);
  await pairs.close();
  expect(said).toEqual(['open p', 'close p']);
});
