/** Abort and pace handling for adapters that do their own I/O. Tests: test/store/wrap/throttle.test.ts */
import { XsyncError } from '../model/error.js';
import type { TransferOptions } from './port.js';

/** @throws aborted */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new XsyncError('aborted', 'the call was aborted', { cause: signal.reason });
}

/** Reports `bytes` to the pace and waits for it, but not after an abort. @throws aborted */
export async function paceBytes(options: TransferOptions, bytes: number): Promise<void> {
  throwIfAborted(options.signal);
  const held = options.pace?.(bytes);
  if (held) await untilAborted(held, options.signal);
}

/** Settles as `work` does, or rejects as soon as the signal fires; the work then continues unobserved. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  throwIfAborted(signal);
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new XsyncError('aborted', 'the call was aborted', { cause: signal.reason }));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}
