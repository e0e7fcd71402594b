/** A part of a listing, from the cut that made it to the page that filled it. Tests: test/engine/list/ranges.test.ts */
import { compareKeys } from '../../model/key.js';
import type { ObjectEntry } from '../../model/object.js';
import type { Cut } from './ranges-hints.js';

/** Keys in (after, until] that have not been given out. */
export interface Range {
  after: string;
  /** Absent: to the end. */
  until?: string;
  /** Continues the page before. */
  token?: string;
  /** Requested as the listing of this prefix, which holds every key of the range up to `until`. */
  within?: Cut['within'];
  /** Where the cut before it came from. */
  from: 'start' | 'page' | 'row' | 'directory' | 'guess';
  /** Pages since the last cut that was not a guess. */
  pages: number;
  /** It ends this many manifest rows after its start. */
  rows?: number;
  /** The pacer's turn when a guessed range was requested. */
  turn?: number;
  /** Requested only to see what follows the range before it. */
  seam?: boolean;
  /** The manifest's first key in it. */
  expected?: string;
  state: 'waiting' | 'fetching' | 'done';
  /** No longer needed. */
  dropped: boolean;
  entries: ObjectEntry[];
  /** How many of the entries belong to the range; the rest lie after it. */
  count: number;
  next?: string;
}

export function rangeOf(range: Pick<Range, 'after' | 'from'> & Partial<Range>): Range {
  return { state: 'waiting', pages: 0, dropped: false, entries: [], count: 0, ...range };
}

/** How many of the entries, sorted by key, are at most `until`. */
export function countUpTo(entries: readonly { key: string }[], until: string): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(entries[middle]?.key ?? '', until) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first of the known entries that is missing from a page that should start with them. */
export function firstOdd(known: readonly ObjectEntry[], listed: readonly ObjectEntry[]): ObjectEntry | undefined {
  return known.find(({ key }, i) => listed[i]?.key !== key);
}
