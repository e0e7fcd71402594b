/**
 * Access to the few C library calls that Node lacks, through koffi. koffi is an optional dependency that only this
 * module loads, when a call is needed.
 * Tests: test/doctor/doctor.test.ts
 */
import { getSystemErrorMap } from 'node:util';
import type { KoffiFunction } from 'koffi';

export interface Libc {
  /** The function with the given C prototype. */
  func(prototype: string): (...args: unknown[]) => unknown;
  /** The same, called in Node's thread pool. `errorName` says nothing of it. */
  inPool(prototype: string): (...args: unknown[]) => Promise<unknown>;
  /** Error name of the last failed call, such as `EPERM`. */
  errorName(): string;
}

/** @throws if koffi is not installed or does not support this platform */
export async function loadLibc(): Promise<Libc> {
  const { default: koffi } = await import('koffi');
  const libc = koffi.load(null);
  return {
    func: (prototype) => libc.func(prototype),
    inPool: (prototype) => later(libc.func(prototype)),
    errorName: () => getSystemErrorMap().get(-koffi.errno())?.[0] ?? `errno ${koffi.errno()}`,
  };
}

function later(call: KoffiFunction): (...args: unknown[]) => Promise<unknown> {
  return (...args) =>
    new Promise((resolve, reject) => {
      call.async(...args, (error: unknown, result: unknown) => (error ? reject(error) : resolve(result)));
    });
}
