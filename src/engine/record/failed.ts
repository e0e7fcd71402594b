/** When an object that failed is tried again. The failed list itself is the manifest's. */
import type { FailureRow, Manifest } from '../../manifest/port.js';
import { compareKeys } from '../../model/key.js';
import type { Pass } from '../census.js';
import type { HeldReason } from '../events.js';

const FIRST_WAIT_MS = 5000;
const LONGEST_WAIT_MS = 6 * 3_600_000;
const PAGE = 1000;

/** Doubles with each attempt, from five seconds to six hours. */
export function waitAfter(attempts: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (Math.max(1, attempts) - 1));
}

/**
 * Why the object is not to be tried now; undefined when it is. What is temporary waits its time. What a person must
 * mend, or what will fail again, waits until the source has another version of it or the sides are set up otherwise.
 * @param now the version that the source has, the settings of both sides, and the time in ms
 */
export function heldBack(
  failure: FailureRow,
  now: { sourceEtag: string; settings: string; timeMs: number },
): { why: HeldReason; untilMs?: number } | undefined {
  if (failure.sourceEtag !== now.sourceEtag) return undefined;
  if (failure.dropped) return { why: 'dropped' };
  if (failure.class !== 'temporary') return failure.settings === now.settings ? { why: 'unchanged' } : undefined;
  const untilMs = failure.lastMs + waitAfter(failure.attempts);
  return now.timeMs < untilMs ? { why: 'later', untilMs } : undefined;
}

/**
 * Takes off the list what a look at `keys`, begun at `sinceMs`, has not found to fail: it was found equal, or the source
 * does not have it any more.
 */
export function clearSettled(
  manifest: Pick<Manifest, 'failure' | 'clearFailures'>,
  keys: readonly string[],
  sinceMs: number,
): void {
  manifest.clearFailures(keys.filter((key) => (manifest.failure(key)?.seenMs ?? sinceMs) < sinceMs));
}

/** What the runs before this one have not copied of what the pass had passed when they ended. */
export function* failuresOf(
  manifest: Pick<Manifest, 'failures'>,
  { after: end, startedMs }: Pass,
): Generator<FailureRow, void, void> {
  for (let after: string | undefined; end !== undefined; ) {
    const rows = manifest.failures(after, PAGE);
    for (const row of rows) if (compareKeys(row.key, end) <= 0 && row.seenMs >= startedMs) yield row;
    after = rows.at(-1)?.key;
    if (after === undefined || compareKeys(after, end) > 0) return;
  }
}
