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
