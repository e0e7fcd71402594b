/**
 * Keys as numbers, so that where the next thousand keys end can be guessed from how densely the last thousand lay.
 *
 * A position of a key is a digit; its base is the set of characters seen there, widened at the leading ones by those of the
 * positions that follow, because a page shows few of a leading digit's values. Nothing depends on a guess being right.
 */
import { afterPrefix, compareKeys } from '../../model/key.js';

/** Of the digits before the first that varies: how many values a carry may run through. */
const CARRY = 1e4;
/** Values of the digits from there on, which is how finely a page can be divided. */
const DEPTH = 1e7;
/** Characters of an alphabet beyond the last that was seen. */
const NEXT = 64;
/** UTF-16 units of a key that are looked at, from the first digit on. */
const UNITS = 64;

/** Two keys, and how many lie in (first, last]. */
export interface Known {
  first: string;
  last: string;
  keys: number;
}

export class Line {
  /** What all keys have before the first digit. */
  readonly #prefix: string;
  /** The characters of each position in code point order. */
  readonly #digits: readonly (readonly string[])[];
  readonly #total: number;
  readonly #perKey: number;
  /** Follows every key that begins as all these do. */
  readonly #end: string | undefined;

  private constructor(prefix: string, digits: readonly (readonly string[])[], known: Known) {
    const { first, last, keys } = known;
    this.#end = afterPrefix(first.slice(0, commonUnits(first, last)));
    this.#prefix = prefix;
    this.#digits = digits;
    this.#total = digits.reduce((total, { length }) => total * length, 1);
    this.#perKey = ((this.#value(last) ?? 0) - (this.#value(first) ?? 0)) / keys;
  }

  /** Undefined when the keys do not tell where one lies. @param sample keys around there */
  static through(known: Known, sample: readonly string[]): Line | undefined {
    const { first, last } = known;
    const common = commonUnits(first, last);
    const from = Math.max(0, common - UNITS / 2);
    const start = isLow(first.charCodeAt(from)) ? from + 1 : from;
    const shared = first.slice(0, common);
    const rows = [first, last, ...sample]
      .filter((key) => key.startsWith(shared))
      .map((key) => Array.from(key.slice(start, start + UNITS)));
    const varying = Array.from(first.slice(start, common)).length;
    const columns = columnsOf(rows, varying);
    let [begin, values] = [varying, 1];
    while (begin > 0 && values * (columns[begin - 1]?.length ?? 1) <= CARRY) values *= columns[--begin]?.length ?? 1;
    let end = varying;
    for (values = 1; end < columns.length && values < DEPTH; end++) values *= columns[end]?.length ?? 1;
    const prefix = first.slice(0, start) + (rows[0] ?? []).slice(0, begin).join('');
    const line = new Line(prefix, columns.slice(begin, end), known);
    return line.#perKey > 0 ? line : undefined;
  }

  /** Where about `keys` keys after `after` end; at most behind what these keys have in common. */
  after(after: string, keys: number): string | undefined {
    const from = this.#value(after);
    if (from === undefined) return undefined;
    const guess = this.#key(Math.floor(from + keys * this.#perKey), (keys * this.#perKey) / 1000) ?? this.#end;
    return guess !== undefined && compareKeys(guess, after) > 0 ? guess : undefined;
  }

  /** About how many keys lie in (after, until]; undefined when one of them is off the line. */
  between(after: string, until: string): number | undefined {
    const [from, to] = [this.#value(after), this.#value(until)];
    return from === undefined || to === undefined ? undefined : (to - from) / this.#perKey;
  }

  #value(key: string): number | undefined {
    if (!key.startsWith(this.#prefix)) return undefined;
    const start = this.#prefix.length;
    const characters = Array.from(key.slice(start, start + UNITS));
    let value = 0;
    let exact = true;
    for (const [i, digit] of this.#digits.entries()) {
      const character = characters[i];
      // After the key's end, or after a character that lies between two digits, only zeros follow.
      const rank: number = exact && character !== undefined ? rankOf(digit, character) : 0;
      exact &&= character !== undefined && digit[rank] === character;
      value = value * digit.length + rank;
    }
    return value;
  }

  /** The key of a number, without the digits that are worth less than `least`. */
  #key(value: number, least: number): string | undefined {
    if (value >= this.#total) return undefined;
    let key = this.#prefix;
    let worth = this.#total;
    let rest = value;
    for (const digit of this.#digits) {
      if (worth < least) break;
      worth /= digit.length;
      const rank = Math.min(digit.length - 1, Math.floor(rest / worth));
      rest -= rank * worth;
      key += digit[rank] ?? '';
    }
    return key;
  }
}

/** Every position's characters, as far as all keys go. */
function columnsOf(rows: readonly (readonly string[])[], varying: number): string[][] {
  const seen: Set<string>[] = [];
  const longest = Math.max(...rows.map(({ length }) => length));
  for (let i = 0; i < longest; i++) {
    seen.push(new Set(rows.map((row) => row[i]).filter((character) => character !== undefined)));
  }
  // The field that the first varying position lies in: its characters stand for one kind of digit.
  let end = varying;
  while ((seen[end]?.size ?? 0) > 1) end++;
  const field = new Set(seen.slice(varying, end).flatMap((column) => [...column]));
  return seen.map((column, i) => {
    const digit = i < end && [...column].every((character) => field.has(character));
    const widened = i <= varying ? alphabetOf(column) : undefined;
    return widened ?? [...(digit ? field : column)].sort(compareKeys);
  });
}

/** Of a script whose characters are used one after the other, those that come next. */
function alphabetOf(column: ReadonlySet<string>): string[] | undefined {
  const points = [...column].map((character) => character.codePointAt(0) ?? 0);
  const [least, most] = [Math.min(...points), Math.max(...points)];
  if (least < 0x80 || points.length * 2 <= most - least) return undefined;
  return Array.from({ length: most - least + 1 + NEXT }, (_, i) => least + i)
    .filter((point) => point <= 0x10ffff && !isSurrogate(point))
    .map((point) => String.fromCodePoint(point));
}

/** How many digits are smaller than the character. */
function rankOf(digits: readonly string[], character: string): number {
  let [low, high] = [0, digits.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(digits[middle] ?? '', character) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Length in UTF-16 units of what both start with; never half of a character. */
function commonUnits(a: string, b: string): number {
  let n = 0;
  while (n < a.length && a.charCodeAt(n) === b.charCodeAt(n)) n++;
  return n > 0 && isLow(Math.max(a.charCodeAt(n) || 0, b.charCodeAt(n) || 0)) ? n - 1 : n;
}

function isSurrogate(point: number): boolean {
  return point >= 0xd800 && point <= 0xdfff;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
