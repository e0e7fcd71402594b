/**
 * What the pairs of one process share that read the same source: its listing, and the bytes of its objects.
 * Tests: test/engine/fan/source.test.ts
 */
import { isXsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import type { Spool } from '../../model/spool.js';
import { type KeyRange, type ListedPage, type Pages, SharedListing } from './listing.js';
import { Reading, type ReadingOptions } from './reading.js';
import { type HoldMemory, SharedReads, type Wanting } from './reads.js';

export interface CommonSourceMeans {
  memory: HoldMemory;
  /** A temporary table. */
  spool(): Spool;
  /** Nobody reads the source any more. */
  left?(): void;
}

/** A listing is kept for those that begin at the same time, ms. */
const KEPT_MS = 1000;
/** Nobody waits longer for a pair that does not begin when it should, ms. */
const LATE_MS = 30_000;

interface Listed {
  range: KeyRange;
  listing: SharedListing<ListedPage>;
}

export class CommonSource {
  readonly reads: SharedReads;
  readonly #means: CommonSourceMeans;
  readonly #readers = new Set<SourceReader>();
  readonly #listings = new Set<Listed>();

  constructor(means: CommonSourceMeans) {
    this.#means = means;
    this.reads = new SharedReads(means.memory, () => this.#wanting());
  }

  /** Nobody else reads the source. */
  get isAlone(): boolean {
    return this.#readers.size < 2;
  }

  /** Of one pair, which is expected to begin. @param prefix of the keys that it may read */
  join(prefix: string): SourceReader {
    const reader = new SourceReader(this, prefix, () => {
      this.#readers.delete(reader);
      this.reads.review();
      this.tidy();
      if (this.#readers.size === 0) this.#means.left?.();
    });
    this.#readers.add(reader);
    return reader;
  }

  /**
   * The pages of a listing that covers the range and is new enough, or of a new one.
   */
  async *list(
    reading: Reading,
    range: KeyRange,
    pagesOf: (range: KeyRange) => Pages<ListedPage>,
    signal: AbortSignal,
  ): AsyncGenerator<ListedPage> {
    const { listing, range: whole } = this.#find(reading, range) ?? this.#begin(range);
    reading.takes(listing);
    let { after } = range;
    try {
      for await (const page of listing.read(pagesOf(whole), signal)) {
        yield page;
        after = page.entries.at(-1)?.key ?? after;
      }
    } catch (error) {
      // It may be allowed to list what it needs, and not the rest.
      if (whole.prefix === range.prefix || !isXsyncError(error, 'access-denied')) throw error;
      yield* alone(pagesOf(range), after, signal);
    } finally {
      this.tidy();
      setTimeout(() => this.tidy(), KEPT_MS).unref();
    }
  }

  /** Drops listings that nobody reads or waits for. */
  tidy(): void {
    for (const each of this.#listings) {
      const { listing, range } = each;
      const isNew = listing.isWhole && performance.now() - listing.startedMs < KEPT_MS;
      if (listing.isRead || (listing.isWhole && this.#awaits(range)) || (isNew && this.#readers.size > 0)) continue;
      this.#listings.delete(each);
      listing.dispose();
    }
  }

  #find({ listedSinceMs, last }: Reading, range: KeyRange): Listed | undefined {
    const fits = ({ range: whole, listing }: Listed): boolean =>
      listing !== last && listing.isWhole && listing.startedMs >= listedSinceMs && covers(whole, range);
    return [...this.#listings].findLast(fits);
  }

  #begin(range: KeyRange): Listed {
    const whole = range.after === undefined && range.until === undefined ? this.#widest(range) : range;
    const means = { spool: this.#means.spool, awaited: () => this.#awaits(whole) };
    const listed = { range: whole, listing: new SharedListing<ListedPage>(means) };
    this.#listings.add(listed);
    return listed;
  }

  /** Of somebody who is about to list it, too. */
  #widest(range: KeyRange): KeyRange {
    const due = [...this.#readers].filter((reader) => reader.awaitsListing && range.prefix.startsWith(reader.prefix));
    return due.reduce((widest, { prefix }) => (prefix.length < widest.prefix.length ? { prefix } : widest), range);
  }

  #awaits({ prefix: whole }: KeyRange): boolean {
    return [...this.#readers].some(({ awaitsListing, prefix }) => awaitsListing && prefix.startsWith(whole));
  }

  *#wanting(): Iterable<Wanting> {
    for (const reader of this.#readers) yield* reader.wanting();
  }
}

/** The part of one pair in a source. */
export class SourceReader {
  readonly source: CommonSource;
  readonly prefix: string;
  readonly #left: () => void;
  readonly #readings = new Set<Reading>();
  /** It has not begun. */
  readonly #expecting: Wanting;
  /** As `performance.now()`. */
  readonly joinedMs = performance.now();
  /** When it begins next, as `performance.now()`; absent: nobody knows. */
  #comesMs: number | undefined = this.joinedMs;
  #endedMs = Number.NEGATIVE_INFINITY;
  #last: SharedListing<ListedPage> | undefined;
  /** The pass after the one that it is in. */
  #later: Wanting;

  constructor(source: CommonSource, prefix: string, left: () => void) {
    this.source = source;
    this.prefix = prefix;
    this.#left = left;
    this.#expecting = expecting((key) => key.startsWith(prefix));
    this.#later = this.#nextPass();
  }

  /** It is about to list the source. */
  get awaitsListing(): boolean {
    return this.#isDue || [...this.#readings].some((reading) => reading.awaitsListing);
  }

  get #isDue(): boolean {
    const lateMs = this.#comesMs === undefined ? -1 : performance.now() - this.#comesMs;
    return lateMs >= 0 && lateMs < LATE_MS;
  }

  /** Its next run will begin then, as `performance.now()`. */
  comesAt(ms: number): void {
    this.#comesMs = ms;
  }

  /** A run begins. */
  begin(options: Omit<ReadingOptions, 'last'>): Reading {
    const reading = new Reading(
      this.source,
      { ...options, last: this.#last },
      {
        took: (listing) => {
          this.#last = listing;
          this.#later = this.#nextPass();
        },
        ended: () => {
          this.#readings.delete(reading);
          this.#endedMs = performance.now();
          this.source.reads.review();
          this.source.tidy();
        },
      },
    );
    this.#readings.add(reading);
    if (options.passes) this.#comesMs = undefined;
    return reading;
  }

  *wanting(): Iterable<Wanting> {
    if (this.#isDue) yield this.#expecting;
    else if (this.#readings.size > 0 || this.#comesSoon) yield this.#later;
    yield* this.#readings;
  }

  /** It may find what others have found in a listing that is newer than its own. */
  #nextPass(): Wanting {
    return expecting((key, foundMs) => key.startsWith(this.prefix) && foundMs > (this.#last?.startedMs ?? 0));
  }

  get #comesSoon(): boolean {
    const nowMs = performance.now();
    // It is about to say when.
    if (this.#comesMs === undefined) return nowMs - this.#endedMs < KEPT_MS;
    return this.#comesMs - nowMs < LATE_MS;
  }

  leave(): void {
    this.#comesMs = undefined;
    this.#left();
  }
}

/** Those after a key, for nobody else. */
async function* alone(pages: Pages<ListedPage>, after: string | undefined, signal: AbortSignal) {
  const own = { [Symbol.asyncIterator]: () => pages.fetch(after, signal) };
  yield* own;
}

function expecting(mayWant: Wanting['mayWant']): Wanting {
  return { behind: false, foundMs: 0, shared: () => {}, mayWant };
}

function covers(whole: KeyRange, { prefix, after, until }: KeyRange): boolean {
  const begins = whole.after === undefined || (after !== undefined && compareKeys(after, whole.after) >= 0);
  const ends = whole.until === undefined || (until !== undefined && compareKeys(until, whole.until) <= 0);
  return prefix.startsWith(whole.prefix) && begins && ends;
}
