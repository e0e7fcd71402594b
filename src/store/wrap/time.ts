/** Tests: test/store/wrap/retry.test.ts */
import { setTimeout } from 'node:timers/promises';
import { XsyncError } from '../../model/error.js';

/** Resolves after `ms`; rejects with `aborted` as soon as the signal fires. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

export const sleep: Sleep = async (ms, signal) => {
  try {
    await setTimeout(ms, undefined, { signal });
  } catch (error) {
    throw new XsyncError('aborted', 'the wait was aborted', { cause: error });
  }
};
