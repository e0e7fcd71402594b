/** How far several pairs of one source are together. Tests: test/engine/record/whole.test.ts */
import type { PairStatus } from './status.js';
import { nothing, type Sum } from './sum.js';

/** An object counts as replicated when all destinations have it. */
export interface WholeStatus {
  /** Of the destination that has least. Absent while one of them is not known. */
  history?: { percent: number };
  /** Of the destination that is furthest behind, ms since 1970; as in PairStatus. */
  synchronised?: { untilMs: number };
  /** Copies to be made, to all destinations. */
  pending: Sum;
  /** Copies that failed, to all destinations. */
  failed: Sum;
  /** p99 of the slowest destination in the last hour, or else day, ms. */
  lagP99?: number;
}

export function wholeOf(parts: readonly (PairStatus | undefined)[]): WholeStatus {
  const percent = least(parts.map((part) => part?.history?.percent));
  const untilMs = least(parts.map((part) => part?.synchronised?.untilMs));
  const lags = parts.flatMap((part) => (part?.lag.hour ?? part?.lag.day)?.p99 ?? []);
  return {
    ...(percent !== undefined && { history: { percent } }),
    ...(untilMs !== undefined && { synchronised: { untilMs } }),
    pending: sumOf(parts.map((part) => part?.pending)),
    failed: sumOf(parts.map((part) => part?.failed)),
    ...(lags.length > 0 && { lagP99: Math.max(...lags) }),
  };
}

/** Undefined if one of them is. */
function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length < values.length ? undefined : Math.min(...known);
}

function sumOf(sums: readonly (Sum | undefined)[]): Sum {
  return sums.reduce<Sum>(
    (sum, { objects, bytes } = nothing()) => ({ objects: sum.objects + objects, bytes: sum.bytes + bytes }),
    nothing(),
  );
}
