/** Reads what Linux reports about this process and host as text, below `/proc`. */
import { readFileSync } from 'node:fs';

/** The text of a file below `/proc`; undefined where the system has no such file, or hides it. */
export function procText(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined; // Not Linux.
  }
}

/** The soft limit of open files in the text of `/proc/self/limits`: a number, `Infinity` for none, undefined if unknown. */
export function openFilesLimit(limits: string | undefined = procText('/proc/self/limits')): number | undefined {
  const soft = /^Max open files\s+(\d+|unlimited)\s/m.exec(limits ?? '')?.[1];
  if (soft === undefined) return undefined;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}
