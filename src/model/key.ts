/**
 * Object keys. A key is a JavaScript string of well-formed Unicode that stands for its UTF-8 bytes; it is never
 * normalized, re-encoded or trimmed. Stores list in UTF-8 byte order, which is code point order. JavaScript's `<`
 * compares UTF-16 units and puts astral characters (surrogates, 0xD800-0xDFFF) before U+E000-U+FFFF, so it must not
 * be used for keys.
 * Tests: test/store/local/walk.test.ts
 */

/** Orders two keys by their UTF-8 bytes: negative, zero or positive. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

/** Ranks surrogates above every other unit, so that ranks have code point order. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** Length of the key in UTF-8 bytes, which is what the services limit. */
export function keyBytes(key: string): number {
  return Buffer.byteLength(key, 'utf8');
}

/** The smallest key greater than every key that starts with `prefix`; undefined if there is none. */
export function afterPrefix(prefix: string): string | undefined {
  for (const points = [...prefix]; points.length > 0; ) {
    const last = points.pop()?.codePointAt(0) ?? 0;
    if (last < 0x10ffff) {
      const next = last === 0xd7ff ? 0xe000 : last + 1;
      return points.join('') + String.fromCodePoint(next);
    }
  }
  return undefined;
}
