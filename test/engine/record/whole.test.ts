import { expect, test } from 'vitest';
import type { PairStatus } from '../../../src/engine/record/status.js';
import { wholeOf } from '../../../src/engine/record/whole.js';

function status(percent: number, untilMs: number, p99?: number): PairStatus {
  const one = { objects: 1, bytes: 10 };
  const history = { ...one, ofObjects: 1, ofBytes: 10, percent, excluded: one, atMs: 0, total: true };
  const lags = p99 === undefined ? undefined : { objects: 1, p50: 1, p99, p9999: p99, max: p99 };
  return {
    ...{ atMs: 0, history, known: 1, pending: one, failed: { ...one, byClass: {}, dropped: 0, oldest: [] } },
    ...{ synchronised: { untilMs, withoutFailedMs: untilMs, behind: 0 }, lag: { day: lags }, conflicts: 0 },
  };
}

test('is as far as the destination that is furthest behind', () => {
  expect(wholeOf([status(100, 500, 20), status(97.5, 300, 40)])).toEqual({
    ...{ history: { percent: 97.5 }, synchronised: { untilMs: 300 }, lag: { day: { p99: 40 } } },
    ...{ pending: { objects: 2, bytes: 20 }, failed: { objects: 2, bytes: 20 } },
  });
});

test('knows nothing of a rule while one of its destinations has not run', () => {
  expect(wholeOf([status(100, 500), undefined])).toEqual({
    pending: { objects: 1, bytes: 10 },
    failed: { objects: 1, bytes: 10 },
    lag: {},
  });
});

test('has cost what its destinations have cost, each currency by itself', () => {
  const spent = (currency: string, amount: number) => ({
    spent: { sinceMs: 0, cost: [{ currency, amount, acceleration: 0 }] },
  });
  const parts = [spent('USD', 1), spent('CNY', 5), spent('USD', 2), {}].map((cost) => ({
    ...status(100, 500),
    ...cost,
  }));
  expect(wholeOf(parts).spent).toEqual({
    cost: [
      { currency: 'USD', amount: 3 },
      { currency: 'CNY', amount: 5 },
    ],
  });
});
