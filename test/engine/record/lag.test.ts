import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { binOf, endOfBin, LagBook, lagPoints, percentiles } from '../../../src/engine/record/lag.js';
import type { LagRow } from '../../../src/manifest/port.js';
import { IN_MEMORY, openManifest } from '../../../src/manifest/sqlite/open.js';

/** The smallest value that no more than the rest is above; the share in ten-thousandths. */
function reference(sorted: readonly number[], tenThousandths: bigint): number {
  const rank = (BigInt(sorted.length) * tenThousandths + 9999n) / 10_000n;
  return sorted[Number(rank) - 1] ?? 0;
}

function rowsOf(lags: readonly number[]): LagRow[] {
  const book = new LagBook();
  for (const [index, lag] of lags.entries()) book.add(lag, index * 7000);
  const place = { kind: 'memory', endpoint: 'a', bucket: 'b', prefix: '' };
  const manifest = openManifest(IN_MEMORY, { source: place, dest: place });
  manifest.addLags(book.take());
  const rows = manifest.lags(0, Number.MAX_SAFE_INTEGER);
  manifest.close();
  return rows;
}

/** An eighth of a doubling, or the millisecond below which nothing is told apart. */
function near(told: number, exact: number): boolean {
  return told >= exact - 1e-6 && told <= Math.max(1, exact) * 2 ** (1 / 8) * (1 + 1e-9);
}

describe('lags', () => {
  test('each percentile is that of the sorted lags, never less, and at most an eighth of a doubling more', () => {
    const lag = fc.oneof(fc.double({ min: 0, max: 3e9, noNaN: true }), fc.integer({ min: 0, max: 40 }));
    fc.assert(
      fc.property(fc.array(lag, { minLength: 1, maxLength: 400 }), (lags) => {
        const told = percentiles(rowsOf(lags));
        const sorted = [...lags].sort((a, b) => a - b);
        const shares = [told?.p50, told?.p99, told?.p9999] as const;
        expect(told?.objects).toBe(lags.length);
        expect(told?.max).toBe(Math.ceil(sorted.at(-1) ?? 0));
        for (const [index, share] of [5000n, 9900n, 9999n].entries()) {
          expect([shares[index], near(shares[index] ?? -1, reference(sorted, share))]).toEqual([shares[index], true]);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('the one slow object of ten thousand is not said to be the 99.99th percentile, of ten thousand and one it is', () => {
    const row = (objects: number, bin: number, maxMs: number): LagRow => ({ minuteMs: 0, bin, objects, maxMs });
    const fast = binOf(10);
    const slow = binOf(100_000);
    expect(percentiles([row(9999, fast, 10), row(1, slow, 100_000)])?.p9999).toBeLessThan(12);
    expect(percentiles([row(10_000, fast, 10), row(2, slow, 100_000)])?.p9999).toBe(100_000);
    // 0.07 of a hundred is 7, though 100 * 0.07 is more: ranks are exact.
    expect(percentiles([row(99, fast, 10), row(1, slow, 100_000)])?.p99).toBeLessThan(12);
  });

  test('nothing arrived: nothing is told', () => {
    expect(percentiles([])).toBeUndefined();
  });

  test('every lag is in the bin that says so', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e10, noNaN: true }), (ms) => {
        const bin = binOf(ms);
        expect(endOfBin(bin) * (1 + 1e-9)).toBeGreaterThanOrEqual(ms);
        if (bin > 1) expect(endOfBin(bin - 1) * (1 - 1e-9)).toBeLessThanOrEqual(ms);
      }),
    );
  });
});

test('the course of a time has a point for each step in which something arrived', () => {
  const book = new LagBook();
  for (const [atMs, lagMs] of [
    [0, 1000],
    [240_000, 9000],
    [900_000, 500],
  ] as const)
    book.add(lagMs, atMs);
  const place = { kind: 'memory', endpoint: 'a', bucket: 'b', prefix: '' };
  const manifest = openManifest(IN_MEMORY, { source: place, dest: place });
  manifest.addLags(book.take());
  const points = lagPoints(manifest.lagCourse(0, 3_600_000, 300_000));
  expect(points.map(({ atMs, objects, p99 }) => [atMs, objects, near(p99, objects === 2 ? 9000 : 500)])).toEqual([
    [0, 2, true],
    [900_000, 1, true],
  ]);
  expect(manifest.lagCourse(300_000, 600_000, 300_000)).toEqual([]);
  manifest.close();
});
