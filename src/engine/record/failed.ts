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

/** Errors whose cause is unknown, so it may end by itself. Earlier versions recorded the first as permanent. */
const NOT_UNDERSTOOD: readonly string[] = ['invalid-response', 'internal'];

/**
 * Why the object is not tried now; undefined when it is. Temporary failures, and those that nobody understood,
 * wait longer after each attempt. Failures that need a person, or that would repeat, wait until the source has another version or the settings change.
 * @param now the version at the source, the settings of both sides, and the time in ms since 1970
 */
export function heldBack(
  failure: FailureRow,
  now: { sourceEtag: string; settings: string; timeMs: number },
): { why: HeldReason; untilMs?: number } | undefined {
  if (failure.sourceEtag !== now.sourceEtag) return undefined;
  if (failure.dropped) return { why: 'dropped' };
  const lasts = failure.class !== 'temporary' && !NOT_UNDERSTOOD.includes(failure.code);
  if (lasts) return failure.settings === now.settings ? { why: 'unchanged' } : undefined;
  const untilMs = failure.lastMs + waitAfter(failure.attempts);
  return now.timeMs < untilMs ? { why: 'later', untilMs } : undefined;
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
  manifest.clearFailures(keys.filter((key) => (manifest.failure(key)?.seenMs ?? sinceMs) < sinceMs));
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
