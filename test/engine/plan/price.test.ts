import { describe, expect, test } from 'vitest';
import { formatCosts } from '../../../src/cli/render/format.js';
import { costOf, listCostOf } from '../../../src/engine/plan/price.js';

/** AWS S3 in us-east-1 and OSS in Shanghai, as somebody may have written them down. */
const VIRGINIA = { list: 0.005, get: 0.0004, put: 0.005, egress: 0.09, accelerated: 0.04 };
const SHANGHAI = { currency: 'CNY', list: 0.001, get: 0.001, put: 0.001, egress: 0.5, accelerated: 1.25 };
const GB = 2 ** 30;
const TRAFFIC = {
  source: { requests: { list: 2000, read: 10_000, head: 5000 }, bytesIn: 100 * GB, bytesOut: 0 },
  destination: {
    requests: { put: 9000, uploadPart: 900, createUpload: 50, completeUpload: 50 },
    bytesIn: 0,
    bytesOut: 100 * GB,
  },
};

describe('what a run costs', () => {
  test('is what both services will bill, each in its currency', () => {
    const costs = costOf({ source: { prices: VIRGINIA }, dest: { prices: SHANGHAI } }, TRAFFIC);
    expect(costs).toEqual([
      { currency: 'USD', amount: 2 * 0.005 + 15 * 0.0004 + 100 * 0.09, acceleration: 0 },
      { currency: 'CNY', amount: 10 * 0.001, acceleration: 0 },
    ]);
    expect(formatCosts(costs ?? [])).toBe('USD 9.02 + CNY 0.0100');
  });

  test('names what acceleration adds by itself, on the side that uses it, up and down', () => {
    const dest = { prices: { ...SHANGHAI, currency: undefined }, accelerated: true };
    expect(costOf({ source: { prices: VIRGINIA, accelerated: true }, dest }, TRAFFIC)).toEqual([
      { currency: 'USD', amount: 0.016 + 9 + 4 + (0.01 + 125), acceleration: 129 },
    ]);
  });

  test('is not told where no prices are known, and costs nothing where one side has none', () => {
    expect(costOf({ source: {}, dest: {} }, TRAFFIC)).toBeUndefined();
    expect(costOf({ source: { prices: {} }, dest: {} }, TRAFFIC)).toEqual([
      { currency: 'USD', amount: 0, acceleration: 0 },
    ]);
  });

  test('of looking is the list requests alone', () => {
    const pair = { source: { prices: VIRGINIA, accelerated: true }, dest: {} };
    expect(listCostOf(pair, { source: 28_800, destination: 10 })).toEqual([
      { currency: 'USD', amount: 28.8 * 0.005, acceleration: 0 },
    ]);
  });
});

describe('an amount', () => {
  test.each([
    [0, 'USD 0.0000'],
    [0.00001, 'USD under 0.0001'],
    [0.00005, 'USD 0.0001'],
    [0.1234, 'USD 0.1234'],
    [1, 'USD 1.00'],
    [1234567.891, 'USD 1,234,567.89'],
  ])('of %d is shown as %s', (amount, shown) => expect(formatCosts([{ currency: 'USD', amount }])).toBe(shown));
});
