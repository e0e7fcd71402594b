/** Several runs over one open pair, told as one. */
import { LISTED_FAILURES, type Summary } from '../events.js';

type Json = number | string | boolean | undefined | null | Json[] | { [name: string]: Json };

/**
 * Counts are added; traffic, which is counted since the pair was opened, and why it ended are the later run's; when it
 * began and what it is called are the earlier one's.
 */
export function addSummaries(earlier: Summary | undefined, later: Summary): Summary {
  if (!earlier) return later;
  const { runId, startedMs, source, destination, dryRun } = earlier;
  const { traffic, stopped } = later;
  const sum = add(earlier as unknown as Json, later as unknown as Json) as unknown as Summary;
  const list = [...earlier.failed.list, ...later.failed.list].slice(0, LISTED_FAILURES);
  return {
    ...sum,
    ...{ runId, startedMs, source, destination, dryRun, traffic, stopped },
    failed: { ...sum.failed, list },
  };
}

function add(a: Json, b: Json): Json {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (isRecord(a) && isRecord(b)) {
    const names = new Set([...Object.keys(a), ...Object.keys(b)]);
    return Object.fromEntries([...names].map((name) => [name, add(a[name], b[name])]));
  }
  return a ?? b;
}

function isRecord(value: Json): value is { [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
