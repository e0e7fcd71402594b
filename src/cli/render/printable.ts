/**
 * Keys on a screen. A key may hold any character, also those that move the cursor, change colours, set the window's
 * title or reverse the direction of what follows. What a person sees is escaped; what a program reads is verbatim.
 */

/**
 * C0 and C1 controls, DEL, line and paragraph separators, the marks and overrides of direction, zero-width and other
 * invisible format characters, and lone surrogates.
 */
const UNPRINTABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is what this is for.
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Surrogate}/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text on one line and without any character that a terminal would obey: `a\nb`, `\x1b[2J`, `\u202e`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.charCodeAt(0);
    return SHORT[character] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`);
  });
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

/** A key relative to its root; a marker object at the root itself has an empty one. */
export function keyText(key: string): string {
  return key === '' ? './' : printable(key);
}

/**
 * Terminal columns that the (printable) text takes: East Asian wide characters and emoji two, combining marks and
 * our own colour sequences none.
 */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of split(text)) width += characterWidth(character);
  return width;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: a colour sequence starts with ESC.
const CHARACTER = /\u001b\[[0-9;]*m|./gsu;

/** Characters, a colour sequence counting as one. */
function split(text: string): string[] {
  return text.match(CHARACTER) ?? [];
}

const NARROW = /^[\u0020-\u02ff]$/;
const MARK = /^[\p{Mn}\p{Me}]$/u;
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18aff}\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]$|^\p{Emoji_Presentation}$/u;

function characterWidth(character: string): number {
  if (NARROW.test(character)) return 1;
  if (MARK.test(character) || character.startsWith('\u001b')) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** At most `width` columns: the middle gives way to `…`, since a key's start and end say most. */
export function shorten(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width <= 1) return width === 1 ? '…' : '';
  const characters = split(text);
  const end = take(characters.toReversed(), Math.floor((width - 1) * 0.6));
  const start = take(characters, width - 1 - displayWidth(end.join('')));
  return `${start.join('')}…${end.toReversed().join('')}`;
}

/** Cut or padded with spaces to exactly `width` columns. */
export function fit(text: string, width: number): string {
  const short = shorten(text, width);
  return short + ' '.repeat(Math.max(0, width - displayWidth(short)));
}

/** Breaks a printable line so that no piece takes more than `width` columns; at spaces where there are any. */
export function wrap(text: string, width: number, indent = ''): string[] {
  const lines: string[] = [];
  let rest = text;
  let room = width;
  while (displayWidth(rest) > room) {
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
    used += characterWidth(character);
    if (used > width) break;
    taken.push(character);
  }
  return taken;
}
