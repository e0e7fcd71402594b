/** When failed objects are tried again. The manifest stores the failed list. */
import type { FailureRow, Manifest } from '../../manifest/port.js';
import { compareKeys } from '../../model/key.js';
import type { Pass } from '../census.js';
import type { HeldReason } from '../events.js';

const FIRST_WAIT_MS = 5000;
const LONGEST_WAIT_MS = 6 * 3_600_000;
const PAGE = 1000;

/** ms; doubles with each attempt, from five seconds to six hours. */
export function waitAfter(attempts: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (Math.max(1, attempts) - 1));
}

/**
 * Why the object is not tried now; undefined when it is. Temporary failures wait longer after each attempt. Failures
 * that need a person, or that would repeat, wait until the source has another version or the settings change.
 * @param now the version at the source, the settings of both sides, and the time in ms since 1970
 */
export function heldBack(
  failure: FailureRow,
  now: { sourceEtag: string; settings: string; timeMs: number },
): { why: HeldReason; untilMs?: number } | undefined {
  if (failure.sourceEtag !== now.sourceEtag) return undefined;
  if (failure.dropped) return { why: 'dropped' };
  if (failure.class !== 'temporary') return failure.settings === now.settings ? { why: 'unchanged' } : undefined;
  const untilMs = dueMs(failure, now.timeMs);
  return now.timeMs < untilMs ? { why: 'later', untilMs } : undefined;
}

/**
 * When a temporary failure is tried again, ms since 1970; at most `nowMs` if it is due. A failure that seems to lie in
 * the future was noted by a wrong clock, and is due.
 */
export function dueMs({ lastMs, attempts }: Pick<FailureRow, 'lastMs' | 'attempts'>, nowMs: number): number {
  return lastMs > nowMs ? nowMs : lastMs + waitAfter(attempts);
}

/** A listing of the pass that began at `sinceMs` had the failed object. Later than `nowMs` only a wrong clock saw it. */
export function isSeen({ seenMs }: Pick<FailureRow, 'seenMs'>, sinceMs: number, nowMs: number): boolean {
  return seenMs >= sinceMs && seenMs <= nowMs;
}

/**
 * Removes from the failed list those of `keys` that have not failed since `sinceMs` (ms since 1970): they were found
 * equal or copied, or no longer exist at the source.
 */
export function clearSettled(
  manifest: Pick<Manifest, 'failure' | 'clearFailures'>,
  keys: readonly string[],
  sinceMs: number,
): void {
  const nowMs = Date.now();
  // If the clock was set back meanwhile, the times cannot be compared.
  if (nowMs < sinceMs) return;
  manifest.clearFailures(
    keys.filter((key) => {
      const failure = manifest.failure(key);
      return failure !== undefined && !isSeen(failure, sinceMs, nowMs);
    }),
  );
}

/** Objects that earlier runs of the pass compared and did not copy. */
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
