/** The end of a call. Tests: test/serverless/time.test.ts */
import { XsyncError } from '../model/error.js';
import type { Invocation } from './invocation.js';

/** Aborted so long before the cloud ends the call. */
export function stopAt({ leftMs }: Pick<Invocation, 'leftMs'>, marginS: number): AbortSignal {
  const ms = leftMs() - marginS * 1000;
  return ms <= 0 ? AbortSignal.abort() : AbortSignal.timeout(ms);
}

/** @throws timeout */
export function unlessTimeIsUp(stop: AbortSignal): void {
  if (stop.aborted) throw new XsyncError('timeout', 'the call ends before everything could be looked at');
}
