import type { XsyncError } from '../../model/error.js';

export interface Backoff {
  /** The first wait is at most this long, and each further one at most twice as long as the one before. */
  baseMs: number;
  /** No wait is longer, unless the service asks for it. */
  capMs: number;
  /** Uniform in [0, 1). */
  random: () => number;
}

export const BACKOFF: Backoff = { baseMs: 200, capMs: 20_000, random: Math.random };

/** A service that asks for more patience than this is asked again anyway: a header gone wrong must not stall a run. */
const LONGEST_ASKED_MS = 5 * 60_000;

/**
 * How long to wait before the attempt after `attempt` (from 1), in milliseconds: exponential with full jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/) on top of what the service asks for.
 */
export function backoffMs(attempt: number, error: XsyncError, { baseMs, capMs, random } = BACKOFF): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** (attempt - 1));
  const asked = Math.min(error.retryAfterMs ?? 0, LONGEST_ASKED_MS);
  return asked + Math.floor(random() * ceiling);
}
