/** Replication lags, as a histogram with eight bins per doubling, from a millisecond to weeks. */
import type { LagRow } from '../../manifest/port.js';

const BINS_PER_DOUBLING = 8;
const MINUTE_MS = 60_000;

export function binOf(ms: number): number {
  return ms < 1 ? 0 : Math.floor(Math.log2(ms) * BINS_PER_DOUBLING) + 1;
}

/** The longest lag in the bin, ms. */
export function endOfBin(bin: number): number {
  return 2 ** (bin / BINS_PER_DOUBLING);
}

/** Counts lags by minute until they are written to the manifest. */
export class LagBook {
  readonly #rows = new Map<string, LagRow>();

  add(lagMs: number, atMs: number): void {
    const minuteMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
    const bin = binOf(lagMs);
    const row = this.#rows.get(`${minuteMs} ${bin}`);
    if (!row) this.#rows.set(`${minuteMs} ${bin}`, { minuteMs, bin, objects: 1, maxMs: Math.ceil(lagMs) });
    else {
      row.objects++;
      row.maxMs = Math.max(row.maxMs, Math.ceil(lagMs));
    }
  }

  /** Rows since the last call. */
  take(): LagRow[] {
    const rows = [...this.#rows.values()];
    this.#rows.clear();
    return rows;
  }
}

export interface Lags {
  objects: number;
  /** ms, rounded up to the end of a bin. */
  p50: number;
  p99: number;
  p9999: number;
  max: number;
}

/** @param rows one per bin, ascending */
export function percentiles(rows: readonly LagRow[]): Lags | undefined {
  const objects = rows.reduce((sum, row) => sum + row.objects, 0);
  if (objects === 0) return undefined;
  const max = Math.max(...rows.map((row) => row.maxMs));
  // In ten-thousandths, so that the rank is exact: 0.9999 has no exact binary fraction.
  const at = (tenThousandths: number): number => {
    let left = Math.ceil((objects * tenThousandths) / 10_000);
    const row = rows.find(({ objects: n }) => {
      left -= n;
      return left <= 0;
    });
    return Math.min(max, row ? endOfBin(row.bin) : max);
  };
  return { objects, p50: at(5000), p99: at(9900), p9999: at(9999), max };
}

/** How long changes took that arrived in one step of a time. */
export interface LagPoint {
  /** Start of the step, ms since 1970. */
  atMs: number;
  objects: number;
  /** ms, as in `Lags`. */
  p50: number;
  p99: number;
}

/** @param rows of `lagCourse`. @returns the steps in which something arrived */
export function lagPoints(rows: readonly LagRow[]): LagPoint[] {
  const steps = new Map<number, LagRow[]>();
  for (const row of rows) steps.set(row.minuteMs, [...(steps.get(row.minuteMs) ?? []), row]);
  return [...steps].flatMap(([atMs, step]) => {
    const lags = percentiles(step);
    return lags ? [{ atMs, objects: lags.objects, p50: lags.p50, p99: lags.p99 }] : [];
  });
}
