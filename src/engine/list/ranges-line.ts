/**
 * Maps keys to numbers, to estimate from the density of the last thousand keys where the next thousand end.
 *
 * Each position of a key is a digit. Its base is the set of characters seen there; leading positions also get the
 * characters of those that follow, because a page shows few values of a leading digit. Estimates may be wrong.
 * Tests: test/engine/list/ranges.test.ts
 */
import { afterPrefix, compareKeys } from '../../model/key.js';

/** Values of the digits before the first one that varies, for carries. */
const CARRY = 1e4;
/** Values of the digits from there on: how finely a page can be divided. */
const DEPTH = 1e7;
/** Characters added to an alphabet after the last one seen. */
const NEXT = 64;
/** UTF-16 units of a key that are used, from the first digit on. */
const UNITS = 64;

/** Two keys, and how many lie in (first, last]. */
export interface Known {
  first: string;
  last: string;
  keys: number;
}

export class Line {
  /** The common prefix of all keys, before the first digit. */
  readonly #prefix: string;
  /** The characters of each position in code point order. */
  readonly #digits: readonly (readonly string[])[];
  readonly #total: number;
  readonly #perKey: number;
  /** Sorts after every key with the common prefix. */
  readonly #end: string | undefined;

  private constructor(prefix: string, digits: readonly (readonly string[])[], known: Known) {
    const { first, last, keys } = known;
    this.#end = afterPrefix(first.slice(0, commonUnits(first, last)));
    this.#prefix = prefix;
    this.#digits = digits;
    this.#total = digits.reduce((total, { length }) => total * length, 1);
    this.#perKey = ((this.#value(last) ?? 0) - (this.#value(first) ?? 0)) / keys;
  }

  /** @param sample keys nearby. @returns undefined if the keys allow no estimate */
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

  /** Estimates the key that lies `keys` keys after `after`; at most the end of the common prefix. */
  after(after: string, keys: number): string | undefined {
    const from = this.#value(after);
    if (from === undefined) return undefined;
    const guess = this.#key(Math.floor(from + keys * this.#perKey), (keys * this.#perKey) / 1000) ?? this.#end;
    return guess !== undefined && compareKeys(guess, after) > 0 ? guess : undefined;
  }

  /** Estimates how many keys lie in (after, until]; undefined if either lacks the common prefix. */
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
      // After the key's end, or after a character between two digits, all digits are zero.
      const rank: number = exact && character !== undefined ? rankOf(digit, character) : 0;
      exact &&= character !== undefined && digit[rank] === character;
      value = value * digit.length + rank;
    }
    return value;
  }

  /** The key of a number, without digits whose place value is below `least`. */
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

/** The characters of every position, up to the longest key. */
function columnsOf(rows: readonly (readonly string[])[], varying: number): string[][] {
  const seen: Set<string>[] = [];
  const longest = Math.max(...rows.map(({ length }) => length));
  for (let i = 0; i < longest; i++) {
    seen.push(new Set(rows.map((row) => row[i]).filter((character) => character !== undefined)));
  }
  // The positions around the first varying one form a field, whose positions share one alphabet.
  let end = varying;
  while ((seen[end]?.size ?? 0) > 1) end++;
  const field = new Set(seen.slice(varying, end).flatMap((column) => [...column]));
  return seen.map((column, i) => {
    const digit = i < end && [...column].every((character) => field.has(character));
    const widened = i <= varying ? alphabetOf(column) : undefined;
    return widened ?? [...(digit ? field : column)].sort(compareKeys);
  });
}

/** For a script whose characters are used consecutively: those seen and the next ones. */
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

/** Length of the common prefix in UTF-16 units; never splits a surrogate pair. */
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
