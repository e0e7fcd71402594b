import { expect, it } from 'vitest';
import { Rate } from '../../../src/bridge/pull/rate.js';

it('each peer may send a burst, and then as many as fit into the time that has passed', () => {
  let nowMs = 1_000_000;
  const rate = new Rate(10, 100, () => nowMs);
  expect([rate.take('a', 100), rate.take('a', 1), rate.take('a', 100), rate.take('b', 100)]).toEqual([
    ...[0, 100, 10_000, 0],
  ]);
  nowMs += 5_000;
  expect([rate.take('a', 51), rate.take('a', 50), rate.take('a', 1)]).toEqual([100, 0, 100]);
  nowMs += 60_000;
  expect([rate.take('a', 100), rate.take('a', 1)]).toEqual([0, 100]);
});

it('thousands of peers take no more memory than a thousand', () => {
  let nowMs = 0;
  const rate = new Rate(1, 1, () => nowMs);
  for (let n = 0; n < 3000; n++) {
    nowMs += 1000;
    expect(rate.take(`peer ${n}`, 1)).toBe(0);
  }
  // Who was forgotten had been quiet for long, and nobody gains by it.
  expect(rate.take('peer 2999', 1)).toBe(1000);
});
