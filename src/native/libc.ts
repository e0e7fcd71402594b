/**
 * The C library, for the few calls of the system that Node does not have. It goes through koffi, an optional
 * dependency that only this module loads, and only when one of them is needed.
 */
import { getSystemErrorMap } from 'node:util';

export interface Libc {
  /** A function by its C prototype. */
  func(prototype: string): (...args: unknown[]) => unknown;
  /** Of the last call that failed, such as `EPERM`. */
  errorName(): string;
}

/** @throws when koffi is not installed, or not for this platform */
export async function loadLibc(): Promise<Libc> {
  const { default: koffi } = await import('koffi');
  const libc = koffi.load(null);
  return {
    func: (prototype) => libc.func(prototype),
    errorName: () => getSystemErrorMap().get(-koffi.errno())?.[0] ?? `errno ${koffi.errno()}`,
  };
}
