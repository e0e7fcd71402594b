/** The end of a call. Tests: test/serverless/time.test.ts */
import { XsyncError } from '../model/error.js';
import type { Invocation } from './invocation.js';

/**
 * Call it first.
 * @throws config: no call is long enough to do anything, and one that calls itself to go on would do so for ever
 */
export function refuseShortCalls({ leftMs }: Pick<Invocation, 'leftMs'>, marginS: number): void {
  const ms = leftMs();
  if (ms > marginS * 1000) return;
  const message = `a call of ${Math.round(ms / 1000)} s does nothing: XSYNC_MARGIN_SECONDS keeps its last ${marginS} s`;
  throw new XsyncError('config', message, {
    subject: 'XSYNC_MARGIN_SECONDS',
    remedy: 'Give the function a longer timeout.',
  });
}

/** Aborted so long before the cloud ends the call. */
export function stopAt({ leftMs }: Pick<Invocation, 'leftMs'>, marginS: number): AbortSignal {
  const ms = leftMs() - marginS * 1000;
  return ms <= 0 ? AbortSignal.abort() : AbortSignal.timeout(ms);
}

/** @throws timeout */
export function unlessTimeIsUp(stop: AbortSignal): void {
  if (stop.aborted) throw new XsyncError('timeout', 'the call ends before everything could be looked at');
}
