/** Parses text files of Linux. Pure. */

/** The maximum of `min default max` (tcp_wmem, tcp_rmem), in bytes; undefined for other text. */
export function largestBuffer(text: string): number | undefined {
  const numbers = text.trim().split(/\s+/).map(Number);
  return numbers.length === 3 && numbers.every((number) => number > 0) ? numbers[2] : undefined;
}

/** The soft open-file limit in `/proc/self/limits`; `Infinity` when there is none. */
export function openFilesLimit(limits: string): number | undefined {
  const soft = /^Max open files\s+(\d+|unlimited)\s/m.exec(limits)?.[1];
  if (soft === undefined) return undefined;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}
