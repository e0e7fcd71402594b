/**
 * Keys in terminal output. A key may contain any character, including those that move the cursor, change colors, set
 * the window title or reverse the text direction. Text for people is escaped; output for programs is verbatim.
 */

/**
 * C0 and C1 controls, DEL, line and paragraph separators, direction marks and overrides, zero-width and other invisible
 * format characters, and lone surrogates.
 */
const UNPRINTABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this expression finds them.
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Surrogate}/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text on one line, with every character that a terminal would act on escaped: `a\nb`, `\x1b[2J`, `\u202e`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.charCodeAt(0);
    return SHORT[character] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`);
  });
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

/** A key relative to its root. The key of a marker object at the root is empty. */
export function keyText(key: string): string {
  return key === '' ? './' : printable(key);
}
