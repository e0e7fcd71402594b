/** Tests: test/cli/render/display.test.ts */
import type { Writable } from 'node:stream';

/** An output stream that may be a terminal. */
export type Terminal = Writable & { isTTY?: boolean; columns?: number; rows?: number };

/** Columns available for text. The last one stays free, because some terminals wrap there. */
export function terminalWidth(terminal: Terminal): number {
  return Math.max(20, (terminal.columns ?? 80) - 1);
}
