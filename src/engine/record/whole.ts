/** How far several pairs of one source are together. Tests: test/engine/record/whole.test.ts */
import type { PairStatus } from './status.js';
import { plus, type Sum } from './sum.js';

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
  /** Of the slowest destination, ms. */
  lag: { hour?: { p99: number }; day?: { p99: number } };
  /** Of all runs that have ended, to all destinations; absent if no remote has had prices. */
  spent?: { cost: Amount[] };
}

export interface Amount {
  currency: string;
  amount: number;
}

export function wholeOf(parts: readonly (PairStatus | undefined)[]): WholeStatus {
  const percent = least(parts.map((part) => part?.history?.percent));
  const untilMs = least(parts.map((part) => part?.synchronised?.untilMs));
  const known = parts.filter((part) => part !== undefined);
  const cost = spentIn(known);
  return {
    ...(percent !== undefined && { history: { percent } }),
    ...(untilMs !== undefined && { synchronised: { untilMs } }),
    pending: plus(...known.map(({ pending }) => pending)),
    failed: plus(...known.map(({ failed }) => failed)),
    lag: { ...slowest(known, 'hour'), ...slowest(known, 'day') },
    ...(cost.length > 0 && { spent: { cost } }),
  };
}

/** One sum for each currency. */
export function spentIn(parts: readonly Pick<PairStatus, 'spent'>[]): Amount[] {
  const sums = new Map<string, number>();
  for (const { currency, amount } of parts.flatMap(({ spent }) => spent?.cost ?? [])) {
    sums.set(currency, (sums.get(currency) ?? 0) + amount);
  }
  return [...sums].map(([currency, amount]) => ({ currency, amount }));
}

function slowest(parts: readonly PairStatus[], window: 'hour' | 'day'): WholeStatus['lag'] {
  const lags = parts.flatMap(({ lag }) => lag[window]?.p99 ?? []);
  return lags.length === 0 ? {} : { [window]: { p99: Math.max(...lags) } };
}

/** Undefined if one of them is. */
function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length < values.length ? undefined : Math.min(...known);
}
