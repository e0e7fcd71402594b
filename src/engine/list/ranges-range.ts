/** A part of a listing, from the cut that made it to the page that filled it. */
import { compareKeys } from '../../model/key.js';
import type { ObjectEntry } from '../../model/object.js';
import type { Cut } from './ranges-hints.js';

/** Keys in (after, until] that are still to be given out. */
export interface Range {
  after: string;
  /** Absent: to the end. */
  until?: string;
  /** Continues the page before. */
  token?: string;
  /** Asked for as the listing of this prefix, which holds every key of the range that is not beyond `until`. */
  within?: Cut['within'];
  /** Where the cut before it came from. */
  from: 'start' | 'page' | 'row' | 'directory' | 'guess';
  /** Pages since the last cut that was no guess. */
  pages: number;
  /** It was cut off at the manifest's row number so many after its start. */
  rows?: number;
  /** The pacer's turn when a guessed range was asked for. */
  turn?: number;
  /** Asked for only to see what follows the range before it. */
  seam?: boolean;
  /** The manifest's first key in it. */
  expected?: string;
  state: 'waiting' | 'fetching' | 'done';
  /** Nobody waits for it any more. */
  dropped: boolean;
  entries: ObjectEntry[];
  /** How many of the entries are the range's own; the rest is beyond it. */
  count: number;
  next?: string;
}

export function rangeOf(range: Pick<Range, 'after' | 'from'> & Partial<Range>): Range {
  return { state: 'waiting', pages: 0, dropped: false, entries: [], count: 0, ...range };
}

/** How many of the entries, which are in order, have keys up to `until`. */
export function countUpTo(entries: readonly { key: string }[], until: string): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(entries[middle]?.key ?? '', until) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first of the known entries that a page leaves out, where it should begin with them. */
export function firstOdd(known: readonly ObjectEntry[], listed: readonly ObjectEntry[]): ObjectEntry | undefined {
  return known.find(({ key }, i) => listed[i]?.key !== key);
}
