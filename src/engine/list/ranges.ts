/**
 * One side's listing, fetched as parallel ranges of keys and given out in key order, in constant memory.
 *
 * A list holds the ranges not yet given out, in key order and without gaps: (a, b], (b, c], … (z, end). Ranges far ahead
 * would fill the memory, so cuts are made from the front, a page at a time, by the manifest's rows, by directories, or by
 * the density of the last keys. A cut may be wrong: a page that ends inside its range is continued with its token, and
 * one that ends after it takes over what it covers. Neighbors usually overlap by a few keys, which must agree; a store
 * where they do not is listed in sequence.
 */
import { compareKeys } from '../../model/key.js';
import type { ObjectEntry } from '../../model/object.js';
import type { ListOptions, ListPage } from '../../store/port.js';
import type { Bounds } from './bounds.js';
import { DirectoryHints, RowHints, type RowsAfter } from './ranges-hints.js';
import { Density, type Load, Pacer } from './ranges-pace.js';
import { countUpTo, firstOdd, type Range, rangeOf } from './ranges-range.js';

export interface RangeSettings {
  /** Requests in flight, at most. */
  concurrency: number;
  /** Full keys. */
  bounds?: Bounds;
  /** The last run's keys, relative to the prefix. */
  rows?: RowsAfter;
  load?: Load;
  /** The store's start-after is unreliable; the rest is listed in sequence. */
  onInexact(why: string): void;
}

/** Lists one page, with keys in order. @param after with a token: all keys of the page must follow it */
type List = (options: ListOptions, after?: string) => Promise<ListPage>;

/** Pages in memory and in flight, for each that may be in flight. */
const AHEAD = 1.25;
/** Pages before the first guess, so that a small bucket costs no more requests than in sequence. */
const SURE = 3;
/** Delimiter listings allowed: one per this many pages, and a few at the start. */
const PAGES_A_PROBE = 8;
const FIRST_PROBES = 16;
/** Known keys that a page must start with, to prove that it leaves out none. */
const PROOF = 20;
/** Seams that disagree before the store counts as inexact; a write at the seam can also cause one. */
const STRIKES = 3;

export class RangeListing {
  readonly #list: List;
  readonly #prefix: string;
  readonly #settings: RangeSettings;
  readonly #bounds: Bounds;
  readonly #rows: RowHints | undefined;
  readonly #directories: DirectoryHints;
  readonly #density = new Density();
  readonly #pacer: Pacer;
  #ranges: Range[];
  /** The range given out last. */
  #given: Range | undefined;
  /** The last key given out. */
  #lastKey: string | undefined;
  /** The listing was restarted, and contains keys already given out. */
  #again = false;
  #inFlight = 0;
  #guesses = 0;
  #pages = 0;
  #probes = 0;
  #strikes = 0;
  #sequential = false;
  #closed = false;
  #failed: { error: unknown } | undefined;
  #wake: () => void = () => undefined;

  /** @param list lists one page of the side. @param prefix with which every key starts */
  constructor(list: List, prefix: string, settings: RangeSettings) {
    this.#list = list;
    this.#prefix = prefix;
    this.#settings = settings;
    this.#bounds = settings.bounds ?? {};
    this.#rows = settings.rows && new RowHints(settings.rows, prefix);
    this.#directories = new DirectoryHints(prefix);
    this.#pacer = new Pacer(settings.concurrency, settings.load ?? (() => 0));
    this.#lastKey = this.#bounds.after;
    this.#ranges = [rangeOf({ after: this.#bounds.after ?? '', until: this.#bounds.until, from: 'start' })];
  }

  /** Every key within the bounds once, in order. @throws the error of any page: never a partial listing */
  async *pages(): AsyncGenerator<ObjectEntry[]> {
    try {
      this.#schedule();
      for (;;) {
        if (this.#failed) throw this.#failed.error;
        const head = this.#ranges[0];
        if (!head) return;
        if (head.state !== 'done') {
          await new Promise<void>((wake) => {
            this.#wake = wake;
          });
        } else if (this.#joins(head)) {
          const own = this.#giveOut(head);
          this.#schedule();
          if (own.length > 0) yield own;
        }
      }
    } finally {
      this.#closed = true;
    }
  }

  #giveOut(head: Range): ObjectEntry[] {
    this.#ranges.shift();
    this.#given = head;
    let own = head.count === head.entries.length ? head.entries : head.entries.slice(0, head.count);
    if (this.#again && this.#lastKey !== undefined && own[0] && compareKeys(own[0].key, this.#lastKey) <= 0) {
      own = own.slice(countUpTo(own, this.#lastKey));
    }
    this.#lastKey = own.at(-1)?.key ?? this.#lastKey;
    this.#density.given(own);
    if (this.#lastKey !== undefined) this.#directories.passed(own.length, this.#lastKey);
    return own;
  }

  /** Starts as many requests as allowed, for the nearest ranges first. */
  #schedule(): void {
    if (this.#closed || this.#failed) return;
    const most = Math.ceil(this.#pacer.width * AHEAD);
    const held = this.#ranges.filter(({ state }) => state === 'done').length;
    // A large directory started far ahead would use the memory that the near ones need.
    let ahead = 0;
    for (let i = 0; i < this.#ranges.length && this.#inFlight < this.#pacer.width; i++) {
      const range = this.#ranges[i];
      if (range?.from === 'directory') ahead += this.#directories.keysEach / this.#density.page;
      if (range?.state !== 'waiting') continue;
      // Never hold back the range that is given out next.
      if (i > 0 && (this.#inFlight + held >= most || ahead > most)) return;
      if (i > 0 && range.from === 'guess' && this.#guesses >= this.#pacer.guesses) continue;
      if (!this.#sequential) this.#cut(range, i);
      this.#fetch(range);
    }
  }

  #cut(range: Range, i: number): void {
    if (range.from === 'start') return;
    const rows = this.#rows?.after(range.after);
    const seen = this.#ranges.slice(0, i).findLast(({ state, entries }) => state === 'done' && entries.length > 1);
    const base = (seen ?? this.#given)?.entries ?? [];
    if (rows) {
      if (this.#split(i, { after: rows.until, from: 'row', expected: rows.next })) range.rows = rows.rows;
    } else if (this.#pages >= SURE) {
      const several = Math.floor(this.#density.fill / this.#directories.keysEach);
      const { until, within } = this.#directories.after(range.after, Math.max(1, several)) ?? {};
      if (until !== undefined) this.#split(i, { after: until, from: 'directory', within });
    }
    if (!rows && this.#pages < SURE) return;
    const dense = range.from === 'guess' || (range.from === 'page' && range.pages > (range.rows === undefined ? 0 : 1));
    if (!dense || this.#guesses >= this.#pacer.guesses) return;
    const guess = this.#density.after(range.after, range.until, base, this.#pacer.lens);
    if (guess?.startsWith(this.#prefix)) this.#split(i, { after: guess, from: 'guess', rows: range.rows });
  }

  /** Cuts the range at `i` in two. */
  #split(i: number, second: Pick<Range, 'after' | 'from'> & Partial<Range>): boolean {
    const range = this.#ranges[i];
    if (!range || compareKeys(second.after, range.after) <= 0) return false;
    if (range.until !== undefined && compareKeys(second.after, range.until) >= 0) return false;
    this.#ranges.splice(i + 1, 0, rangeOf({ until: range.until, ...second }));
    range.until = second.after;
    return true;
  }

  #fetch(range: Range): void {
    range.state = 'fetching';
    // A prefix's listing ends with the prefix, so it cannot replace a range that continues after it.
    const { until } = range;
    const end = range.within?.until;
    if (end !== undefined && (until === undefined || compareKeys(until, end) > 0)) range.within = undefined;
    if (range.from === 'guess') {
      this.#guesses++;
      range.turn = this.#pacer.turn;
    }
    const { token, within, after } = range;
    const startAfter = token === undefined && !within && after !== '' ? after : undefined;
    const follows = token === undefined ? undefined : after;
    this.#ask({ prefix: within?.prefix ?? this.#prefix, token, startAfter }, follows, (page) => {
      if (range.from === 'guess') this.#guesses--;
      if (!range.dropped) this.#arrived(range, page);
    });
  }

  #probe(entries: ObjectEntry[]): void {
    if (this.#inFlight >= this.#pacer.width || this.#probes * PAGES_A_PROBE > this.#pages + FIRST_PROBES) return;
    const wanted = this.#directories.wanted(entries);
    if (!wanted) return;
    this.#probes++;
    const { directory, token } = wanted;
    this.#ask({ prefix: directory, delimiter: '/', token }, undefined, (page) => {
      this.#directories.learn(directory, page);
    });
  }

  #ask(options: ListOptions, follows: string | undefined, then: (page: ListPage) => void): void {
    this.#inFlight++;
    const asked = this.#list(options, follows).then((page) => {
      this.#inFlight--;
      then(page);
      this.#schedule();
    });
    const failed = (error: unknown): void => {
      this.#failed ??= { error };
    };
    void asked.catch(failed).then(() => this.#wake());
  }

  #arrived(range: Range, { entries, nextToken }: ListPage): void {
    const first = entries[0]?.key;
    if (first !== undefined && range.token === undefined && compareKeys(first, range.after) <= 0) {
      this.#distrust(`it listed ${JSON.stringify(first)} after ${JSON.stringify(range.after)}`);
      return;
    }
    this.#pages++;
    const i = this.#ranges.indexOf(range);
    const last = entries.at(-1)?.key;
    Object.assign(range, { state: 'done', entries, next: nextToken });
    this.#endAt(range, range.until);
    this.#learn(range);
    if (nextToken === undefined && range.within?.until !== undefined) {
      this.#takeOver(i, range.within.until);
    } else if (range.seam) {
      this.#proves(range);
    } else if (nextToken === undefined) {
      for (const later of this.#ranges.splice(i + 1)) later.dropped = true;
      this.#endAt(range, this.#bounds.until);
    } else if (last === undefined) {
      // An empty page that is not the last.
      Object.assign(range, { state: 'waiting', token: nextToken });
    } else if (range.until === undefined || compareKeys(last, range.until) < 0) {
      this.#continue(i, last, nextToken);
    } else {
      this.#takeOver(i, last, nextToken);
    }
  }

  /** The page ended inside its range: adds a range for the rest. */
  #continue(i: number, last: string, token: string): void {
    const range = this.#ranges[i];
    if (!range) return;
    const { within, rows, pages } = range;
    this.#split(i, { after: last, from: 'page', token, within, rows, pages: pages + 1 });
    const cold = this.#pages >= SURE && this.#rows?.after(last) === undefined;
    if (cold && !this.#sequential) this.#probe(range.entries);
  }

  /** The page continued past its range, up to `last`: drops or shortens later ranges not requested yet. */
  #takeOver(i: number, last: string, token?: string): void {
    const range = this.#ranges[i];
    if (!range) return;
    for (;;) {
      const later = this.#ranges[i + 1];
      if (later?.state !== 'waiting' || compareKeys(later.after, last) >= 0) break;
      if (later.until !== undefined && compareKeys(later.until, last) <= 0) {
        this.#ranges.splice(i + 1, 1);
        range.until = later.until;
      } else {
        if (token === undefined || range.within) break;
        range.until = last;
        Object.assign(later, { after: last, token, within: undefined, from: 'page', pages: 0, expected: undefined });
        break;
      }
    }
    this.#endAt(range, range.until);
  }

  #endAt(range: Range, until: string | undefined): void {
    range.until = until;
    range.count = until === undefined ? range.entries.length : countUpTo(range.entries, until);
  }

  #learn(range: Range): void {
    const { entries, count, from, rows, until } = range;
    const more = count === entries.length && range.next !== undefined && entries.at(-1)?.key !== until;
    if (range.next !== undefined) this.#density.full(entries.length);
    const page = this.#density.page;
    if (rows !== undefined && from === 'row') this.#rows?.learn(rows, more ? 'more' : count, page);
    if (from === 'guess') this.#density.guessed(!more);
    this.#pacer.learn(count / page, range.turn);
  }

  /** Whether `range` provably follows the last range given out; if unknown, requests a seam to find out. */
  #joins(range: Range): boolean {
    const before = this.#given;
    if (!before || range.token !== undefined || range.seam) return true;
    // A prefix's listing covers only the prefix; its directory's listing showed that nothing follows before the next.
    const alone = before.within !== undefined && before.next === undefined;
    if (alone ? range.within : before.next === undefined && !before.seam) return true;
    const over = before.entries.slice(before.count);
    if (over.length === 0 && !before.seam) {
      if (range.expected !== undefined && range.entries[0]?.key === range.expected) return true;
      // Nothing overlaps. The page's token gives what follows, or else a listing from a key shortly before the seam.
      const until = (alone ? this.#lastKey : before.until) ?? '';
      const after = alone ? (before.entries.at(-1 - PROOF) ?? before.entries[0])?.key : until;
      const within = alone ? undefined : before.within;
      this.#ranges.unshift(
        rangeOf({ after: after ?? until, until, from: 'page', token: before.next, within, seam: true }),
      );
      this.#schedule();
      return false;
    }
    const ends = range.next === undefined && !range.within;
    const n = ends ? over.length : Math.min(over.length, range.entries.length);
    const odd = firstOdd(over.slice(0, n), range.entries);
    if (odd === undefined) return true;
    if (++this.#strikes < STRIKES) this.#goOnFromGiven();
    else this.#distrust(`after ${JSON.stringify(range.after)} it left out ${JSON.stringify(odd.key)}`);
    return false;
  }

  /** A seam must start with the known keys. */
  #proves(seam: Range): void {
    const known = (this.#given?.entries ?? []).filter(({ key }) => compareKeys(key, seam.after) > 0);
    const own = seam.entries.slice(0, seam.count);
    seam.entries = seam.entries.slice(seam.count);
    seam.count = 0;
    if (seam.token !== undefined) return;
    const odd = firstOdd(known, own);
    if (odd) this.#distrust(`after ${JSON.stringify(seam.after)} it left out ${JSON.stringify(odd.key)}`);
  }

  #distrust(why: string): void {
    this.#sequential = true;
    this.#settings.onInexact(why);
    this.#goOnFromGiven();
  }

  /** Drops what was fetched ahead and continues with the token of the last page given out. */
  #goOnFromGiven(): void {
    for (const range of this.#ranges) range.dropped = true;
    const { entries = [], count = 0, next, within, until } = this.#given ?? {};
    const last = entries.at(-1)?.key;
    const end = this.#bounds.until;
    if (next === undefined || last === undefined || within) {
      // No token to continue with: start again and skip what was given out.
      this.#given = undefined;
      this.#again = true;
      this.#ranges = [rangeOf({ after: '', until: end, from: 'start' })];
    } else {
      const known = rangeOf({ after: until ?? '', until: end, token: next, from: 'page', state: 'done', next });
      known.entries = entries.slice(count);
      this.#ranges = [known];
      if (end === undefined || compareKeys(last, end) < 0) {
        known.until = last;
        this.#ranges.push(rangeOf({ after: last, until: end, token: next, from: 'page' }));
      }
      this.#endAt(known, known.until);
      if (known.entries.length === 0) this.#ranges.shift();
    }
    this.#schedule();
  }
}
