/** Tests: test/engine/fan/reads.test.ts */
import { XsyncError } from '../../model/error.js';

/** What somebody else works on, for one that may stop waiting for it. @throws aborted */
export function whileWanted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new XsyncError('aborted', 'the wait for another rule was stopped'));
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    const rest = (): void => signal.removeEventListener('abort', stop);
    work.finally(rest).then(resolve, reject);
  });
}
