/** Outside limits of the tuner: this host's open files, and the request rates that services document. */
import { readFileSync } from 'node:fs';
import type { Capabilities } from '../../store/port.js';

/** Files for the manifest, listings, inspections and Node itself. */
const OTHER_FILES = 100;
const LEAST = 4;

/** Files that this process may have open (RLIMIT_NOFILE); undefined if unknown or unlimited. */
export function openFilesLimit(
  read: () => string = () => readFileSync('/proc/self/limits', 'latin1'),
): number | undefined {
  let limits: string;
  try {
    limits = read();
  } catch {
    return undefined; // Not Linux.
  }
  const soft = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1]);
  return Number.isNaN(soft) ? undefined : soft;
}

/** How many of `wanted` requests may be in flight: each may use one file on either side. */
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
