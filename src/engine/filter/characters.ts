/** Sets of characters in Go's regular expressions: classes by name, ranges, properties and their other cases. */

export type Range = readonly [first: number, last: number];

/** What brackets may hold: ranges of characters, or a Unicode property. */
export type Item = readonly Range[] | RegExp;

const LAST_CODE_POINT = 0x10ffff;

/** Beyond this many code points a range is taken to hold both cases of its letters already. */
const FOLD_LIMIT = 0x400;

export const PERL_CLASSES: Record<string, readonly Range[]> = {
  d: ranges('09'),
  w: ranges('09', 'AZ', '__', 'az'),
  s: ranges('\t\n', '\f\r', '  '),
};

export const POSIX_CLASSES: Record<string, readonly Range[]> = {
  alnum: ranges('09', 'AZ', 'az'),
  alpha: ranges('AZ', 'az'),
  ascii: ranges('\0\x7f'),
  blank: ranges('\t\t', '  '),
  cntrl: ranges('\0\x1f', '\x7f\x7f'),
  digit: ranges('09'),
  graph: ranges('!~'),
  lower: ranges('az'),
  print: ranges(' ~'),
  punct: ranges('!/', ':@', '[`', '{~'),
  space: ranges('\t\r', '  '),
  upper: ranges('AZ'),
  word: ranges('09', 'AZ', '__', 'az'),
  xdigit: ranges('09', 'AF', 'af'),
};

function ranges(...pairs: string[]): Range[] {
  return pairs.map((pair) => [pair.charCodeAt(0), pair.charCodeAt(1)]);
}

/** The code point of an item that is one character. */
export function singleOf(item: Item): number | undefined {
  if (item instanceof RegExp || item.length !== 1) return undefined;
  const [first, last] = item[0] ?? [0, 1];
  return first === last ? first : undefined;
}

export function complement(of: readonly Range[]): Range[] {
  const gaps: Range[] = [];
  let from = 0;
  for (const [first, last] of [...of].sort((a, b) => a[0] - b[0])) {
    if (first > from) gaps.push([from, first - 1]);
    from = Math.max(from, last + 1);
  }
  if (from <= LAST_CODE_POINT) gaps.push([from, LAST_CODE_POINT]);
  return gaps;
}

/** Whether a code point is among the items, or (negated) among none of them; in any case of its letters with `fold`. */
export function membership(items: readonly Item[], negated: boolean, fold: boolean): (codePoint: number) => boolean {
  const own = items.flatMap((item) => (item instanceof RegExp ? [] : item));
  const properties = items.filter((item) => item instanceof RegExp);
  const ranges = fold ? [...own, ...own.flatMap(otherCases)] : own;
  const listed = (code: number) =>
    ranges.some(([first, last]) => code >= first && code <= last) ||
    properties.some((property) => property.test(String.fromCodePoint(code)));
  return negated ? (code) => !listed(code) : listed;
}

/** Letters that fold onto an ASCII letter besides its two cases: the long s and the Kelvin sign. */
const THIRD_CASE: Record<string, string> = { s: '\u017f', k: '\u212a' };

function otherCases([first, last]: Range): Range[] {
  const found: Range[] = [];
  if (last - first > FOLD_LIMIT) return found;
  for (let code = first; code <= last; code++) {
    const char = String.fromCodePoint(code);
    for (const other of [char.toLowerCase(), char.toUpperCase(), ...(THIRD_CASE[char.toLowerCase()] ?? [])]) {
      const point = other.codePointAt(0) ?? 0;
      if (other !== char && String.fromCodePoint(point) === other) found.push([point, point]);
    }
  }
  return found;
}
