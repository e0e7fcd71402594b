/** The result of a check: plain data, the same for the terminal and for `--json`. Tests: test/doctor/host.test.ts */
import { isXsyncError, toXsyncError, type XsyncError } from '../model/error.js';

/**
 * - `ok`: correct;
 * - `warn`: works, but could work better;
 * - `fail`: something will not work;
 * - `skip`: not checked; `found` has the reason.
 */
export type Level = 'ok' | 'warn' | 'fail' | 'skip';

export interface Finding {
  /** The stable, documented name of the check. */
  check: string;
  level: Level;
  /** One line. */
  found: string;
  /** What to do; always present for `warn` and `fail`. */
  remedy?: string;
  /** Commands, verbatim, that apply the remedy. */
  commands?: string[];
  /** The same facts for programs. Times in ms, sizes in bytes, rates in bytes per second. */
  values?: Record<string, string | number | boolean | readonly string[]>;
}

/** A host, an endpoint or a location, and its findings. */
export interface Section {
  title: string;
  findings: Finding[];
}

type Values = Finding['values'];

export function ok(check: string, found: string, values?: Values): Finding {
  return { check, level: 'ok', found, ...(values && { values }) };
}

export function skip(check: string, found: string): Finding {
  return { check, level: 'skip', found };
}

export function warn(check: string, found: string, remedy: string, more: Pick<Finding, 'commands' | 'values'> = {}) {
  return { check, level: 'warn', found, remedy, ...more } satisfies Finding;
}

export function fail(check: string, found: string, remedy: string, more: Pick<Finding, 'commands' | 'values'> = {}) {
  return { check, level: 'fail', found, remedy, ...more } satisfies Finding;
}

/** An error as a finding. `remedy` is for errors without a remedy and for refused permissions. */
export function faulty(check: string, error: XsyncError, remedy: string, level: 'warn' | 'fail' = 'fail'): Finding {
  const values = { code: error.code, ...(error.serviceCode !== undefined && { serviceCode: error.serviceCode }) };
  // The check knows which permission it needs; the adapter only that the request was refused.
  const known = error.code === 'access-denied' ? undefined : error.remedy;
  return { check, level, found: error.message, remedy: known ?? remedy, values };
}

/**
 * The result of a call, or its error as a value.
 * @throws aborted: when interrupted
 * @throws internal: for bugs in xsync
 */
export async function attempt<T>(call: () => Promise<T>): Promise<{ value: T } | { error: XsyncError }> {
  try {
    return { value: await call() };
  } catch (thrown) {
    const error = toXsyncError(thrown);
    if (isXsyncError(error, 'aborted', 'internal')) throw error;
    return { error };
  }
}
