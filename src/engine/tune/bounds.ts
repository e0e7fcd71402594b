/**
 * What bounds the tuner's search from outside: this host's open files, and the request rates that services document.
 * Tests: test/engine/tune/tune.test.ts
 */
import type { Capabilities } from '../../store/port.js';

/** Files for the manifest, listings, inspections and Node itself. */
const OTHER_FILES = 100;
const LEAST = 4;

/** Of `wanted` requests in flight, as many as there are files for: each may hold one on either side. */
export function affordableConnections(wanted: number, openFiles: number | undefined): number {
  if (openFiles === undefined) return wanted;
  return Math.min(wanted, Math.max(LEAST, Math.floor((openFiles - OTHER_FILES) / 2)));
}

/** Small objects per second by the services' documented rates: each costs a read and a write; undefined without any. */
export function operationsOf(source: Capabilities, dest: Capabilities): number | undefined {
  const most = Math.min(
    source.requestRates?.read ?? Number.POSITIVE_INFINITY,
    dest.requestRates?.write ?? Number.POSITIVE_INFINITY,
  );
  return most === Number.POSITIVE_INFINITY ? undefined : most;
}
