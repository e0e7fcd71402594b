import type { Writable } from 'node:stream';

/** An output stream that may be a terminal. */
export type Terminal = Writable & { isTTY?: boolean; columns?: number; rows?: number };

/** Columns that text may take: one stays free, where some terminals wrap already. */
export function terminalWidth(terminal: Terminal): number {
  return Math.max(20, (terminal.columns ?? 80) - 1);
}
