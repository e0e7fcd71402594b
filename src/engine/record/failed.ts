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

/** Keys per batch of a retry. Each key needs its own requests. */
const BATCH = 1000;

/** The whole failed list, a page at a time. */
export function* failurePages(manifest: Pick<Manifest, 'failures'>): Generator<FailureRow[], void, void> {
  for (let after: string | undefined; ; ) {
    const rows = manifest.failures(after, PAGE);
    after = rows.at(-1)?.key;
    if (after === undefined) return;
    yield rows;
  }
}

/** The rows that a retry is about: that of one key, or all of them. */
export function retryPages(
  manifest: Pick<Manifest, 'failure' | 'failures'>,
  key?: string,
): Iterable<readonly FailureRow[]> {
  if (key === undefined) return failurePages(manifest);
  const row = manifest.failure(key);
  return row ? [[row]] : [];
}

/**
 * The keys of failed objects in batches for a retry.
 * @param given they were named, so those that were given up are tried, too
 */
export async function* retryBatches(
  pages: Iterable<readonly FailureRow[]> | AsyncIterable<readonly FailureRow[]>,
  given: boolean,
): AsyncGenerator<string[], void> {
  const keys: string[] = [];
  for await (const page of pages) {
    keys.push(...page.filter((row) => given || !row.dropped).map(({ key }) => key));
    while (keys.length >= BATCH) yield keys.splice(0, BATCH);
  }
  if (keys.length > 0) yield keys;
}

/** Objects that earlier runs of the pass compared and did not copy. */
export function* failuresOf(
  manifest: Pick<Manifest, 'failures'>,
  { after: end, startedMs }: Pass,
): Generator<FailureRow, void, void> {
  if (end === undefined) return;
  for (const rows of failurePages(manifest)) {
    for (const row of rows) {
      if (compareKeys(row.key, end) > 0) return;
      if (row.seenMs >= startedMs) yield row;
    }
  }
}
