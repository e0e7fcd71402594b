/** Tests: test/store/wrap/retry.test.ts */
import type { XsyncError } from '../../model/error.js';

export interface Backoff {
  /** Upper bound of the first wait; it doubles with each further one. */
  baseMs: number;
  /** Upper bound of every wait, unless the service requests a longer one. */
  capMs: number;
  /** Uniform in [0, 1). */
  random: () => number;
}

export const BACKOFF: Backoff = { baseMs: 200, capMs: 20_000, random: Math.random };

/** Longest wait that a service can request: a faulty header must not stall a run. */
const LONGEST_ASKED_MS = 5 * 60_000;

/** Waits from here on are reported by default: a run that stands still must say why. */
export const LONG_MS = 5000;

/**
 * How long to wait after `attempt` (from 1), in milliseconds: exponential backoff with full jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/) on top of the wait the service requests.
 */
export function backoffMs(attempt: number, error: XsyncError, { baseMs, capMs, random } = BACKOFF): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** (attempt - 1));
  const asked = Math.min(Math.max(error.retryAfterMs ?? 0, 0), LONGEST_ASKED_MS);
  return asked + Math.floor(random() * ceiling);
}
