/**
 * Widths of text on a terminal. Separate from `printable.ts` because only part of the program needs them.
 * Tests: test/cli/render/printable.test.ts
 */
import { createRequire } from 'node:module';
import type stringWidth from 'string-width';

const require = createRequire(import.meta.url);
let measure: typeof stringWidth | undefined;

// biome-ignore lint/suspicious/noControlCharactersInRegex: a color sequence starts with ESC.
const COLOUR = /\u001b\[[0-9;]*m/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: a color sequence starts with ESC.
const COLOUR_OR_TEXT = /\u001b\[[0-9;]*m|[^\u001b]+/g;
/** ASCII, and the signs in our own texts; each takes one column. */
const PLAIN = /^[ -~…→█░·—✗✓µ↔×]*$/;

/**
 * Terminal columns of printable text; color sequences take none. The first text that is not plain loads
 * string-width, whose tables take 6 MiB.
 */
export function displayWidth(text: string): number {
  const bare = text.replace(COLOUR, '');
  if (PLAIN.test(bare)) return bare.length;
  measure ??= (require('string-width') as { default: typeof stringWidth }).default;
  return measure(bare);
}

/** Graphemes; a color sequence counts as one. */
function split(text: string): string[] {
  const graphemes = new Intl.Segmenter();
  const parts = text.match(COLOUR_OR_TEXT) ?? [];
  return parts.flatMap((part) =>
    part.startsWith('\u001b') ? part : Array.from(graphemes.segment(part), ({ segment }) => segment),
  );
}

/** At most `width` columns: `…` replaces the middle, because the start and end of a key matter most. */
export function shorten(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width <= 1) return width === 1 ? '…' : '';
  const characters = split(text);
  const end = take(characters.toReversed(), Math.floor((width - 1) * 0.6));
  const start = take(characters, width - 1 - displayWidth(end.join('')));
  return `${start.join('')}…${end.toReversed().join('')}`;
}

/** Shortened or padded with spaces to exactly `width` columns. */
export function fit(text: string, width: number): string {
  const short = shorten(text, width);
  return short + ' '.repeat(Math.max(0, width - displayWidth(short)));
}

/**
 * Breaks a printable line into pieces of at most `width` columns, at spaces if possible. wrap-ansi would compose
 * characters, so that a key copied from the screen would be a different key.
 */
export function wrap(text: string, width: number, indent = ''): string[] {
  const lines: string[] = [];
  let rest = text;
  let room = width;
  // No character takes more than two columns, and to measure can load string-width.
  while (2 * rest.length > room && displayWidth(rest) > room) {
    const piece = take(split(rest), room).join('');
    const space = piece.lastIndexOf(' ');
    const cut = space > room / 3 ? space : piece.length;
    if (cut === 0) break;
    lines.push((lines.length > 0 ? indent : '') + rest.slice(0, cut).trimEnd());
    rest = rest.slice(cut).trimStart();
    room = Math.max(1, width - displayWidth(indent));
  }
  return [...lines, (lines.length > 0 ? indent : '') + rest];
}

function take(characters: readonly string[], width: number): string[] {
  let used = 0;
  const taken: string[] = [];
  for (const character of characters) {
    used += displayWidth(character);
    if (used > width) break;
    taken.push(character);
  }
  return taken;
}
