import { type Terminal, terminalWidth } from './terminal.js';
import { wrap } from './width.js';

/** Writes whole lines. On a terminal they are wrapped between words; a log or a pipe gets them as they are. */
export function writeLines(terminal: Terminal, text: string): void {
  terminal.write(terminal.isTTY ? wrapped(text, terminalWidth(terminal)) : text);
}

/** Further rows of a line are indented by two columns more than its first one. */
function wrapped(text: string, width: number): string {
  const lines = text.replace(/\n$/, '').split('\n');
  const rows = lines.flatMap((line) => wrap(line, width, `${/^ */.exec(line)?.[0] ?? ''}  `));
  return `${rows.join('\n')}\n`;
}
