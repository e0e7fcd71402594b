/** What a check says: plain data, the same for a person and for `--json`. */
import { isXsyncError, toXsyncError, type XsyncError } from '../model/error.js';

/**
 * - `ok`: as it should be;
 * - `warn`: works, and could work better;
 * - `fail`: something will not work;
 * - `skip`: not looked at, and `found` says why.
 */
export type Level = 'ok' | 'warn' | 'fail' | 'skip';

export interface Finding {
  /** Stable, documented name of the check. */
  check: string;
  level: Level;
  /** One line. */
  found: string;
  /** What to do; always there for `warn` and `fail`. */
  remedy?: string;
  /** Commands to type, verbatim, that carry the remedy out. */
  commands?: string[];
  /** The same as numbers and names, for programs. Times in ms, sizes in bytes, rates in bytes per second. */
  values?: Record<string, string | number | boolean | readonly string[]>;
}

/** A host, an endpoint or a place, and what was found there. */
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

/** A fault as a finding. `remedy` is for faults that bring none of their own, and names the right that was refused. */
export function faulty(check: string, error: XsyncError, remedy: string, level: 'warn' | 'fail' = 'fail'): Finding {
  const values = { code: error.code, ...(error.serviceCode !== undefined && { serviceCode: error.serviceCode }) };
  // The check knows what it asked for; the adapter only that it was refused.
  const known = error.code === 'access-denied' ? undefined : error.remedy;
  return { check, level, found: error.message, remedy: known ?? remedy, values };
}

/**
 * The outcome of a call, or its fault as a value.
 * @throws what is no finding: an interruption, and faults of our own
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
