/** The wait before a request that the retry wrapper leaves alone is sent again. Tests: test/engine/transfer/pause.test.ts */
import type { XsyncError } from '../../model/error.js';
import { backoffMs, LONG_MS } from '../../store/wrap/backoff.js';
import { sleep } from '../../store/wrap/time.js';
import type { Means } from './means.js';

/** @throws aborted */
export async function pause(
  { halt, observe }: Pick<Means, 'halt' | 'observe'>,
  attempt: number,
  fault: XsyncError,
): Promise<void> {
  const delayMs = backoffMs(attempt, fault);
  if (delayMs >= LONG_MS) {
    const message = `waiting ${Math.ceil(delayMs / 1000)} s before the next attempt: ${fault.message}`;
    observe({ type: 'notice', level: 'warn', message });
  }
  await sleep(delayMs, halt.signal);
}
