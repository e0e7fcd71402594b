/**
 * One listing that several pairs read, each at its own pace: the first one makes the requests, with its own retries and
 * counts, and whoever is ahead asks for the next page. If the first one ends before the others, its requests go on, and if
 * one of them fails then, another pair goes on where it stopped. Pages that somebody still needs are in memory, and those
 * further behind in a temporary file.
 * Tests: test/engine/fan/listing.test.ts
 */
import { XsyncError } from '../../model/error.js';
import type { ObjectEntry } from '../../model/object.js';
import type { Spool } from '../../model/spool.js';
import { whileWanted } from './wanted.js';

/** Full keys: those that start with `prefix`, after `after`, and up to `until`. */
export interface KeyRange {
  prefix: string;
  after?: string;
  until?: string;
}

/** With full keys. */
export interface ListedPage {
  entries: readonly ObjectEntry[];
  /** Rows that name no object. */
  damaged: readonly XsyncError[];
  /** Why the store cannot be listed from any key. */
  inexact?: string;
}

/** How the pages of a listing are fetched and kept. */
export interface Pages<P extends object> {
  /** The pages after this key, or from the first one, until the signal fires. */
  fetch(after: string | undefined, signal: AbortSignal): AsyncIterator<P>;
  lastKey(page: P): string | undefined;
  /** As text, for the temporary file. */
  write(page: P): string;
  read(text: string): P;
}

/** Pages in memory. */
const WINDOW = 32;

interface Reader {
  /** Index of its next page. */
  at: number;
}

interface Leader<P extends object> {
  reader: Reader;
  pages: AsyncIterator<P>;
  stop: AbortController;
}

export interface SharedListingMeans {
  /** A temporary table. */
  spool(): Spool;
  /** Whether somebody may still begin to read it. */
  awaited(): boolean;
}

export class SharedListing<P extends object> {
  /** As `performance.now()`. */
  readonly startedMs = performance.now();
  /** The same, ms since 1970. */
  readonly beganMs = Date.now();
  readonly #means: SharedListingMeans;
  readonly #readers = new Set<Reader>();
  /** The last pages. */
  readonly #window: P[] = [];
  /** Pages so far. */
  #count = 0;
  /** Pages from the first on that nobody needed when they left the window. */
  #dropped = 0;
  #spool: Spool | undefined;
  #lastKey: string | undefined;
  #leader: Leader<P> | undefined;
  #fetching: Promise<void> | undefined;
  #ended = false;
  #failed: { error: unknown } | undefined;

  constructor(means: SharedListingMeans) {
    this.#means = means;
  }

  /** It can be read from its beginning. */
  get isWhole(): boolean {
    return this.#dropped === 0 && this.#failed === undefined;
  }

  get isRead(): boolean {
    return this.#readers.size > 0;
  }

  /**
   * All pages.
   * @param signal ends the reading; the others go on
   * @throws the error that ended the listing, for all that read it; aborted
   */
  async *read(pages: Pages<P>, signal: AbortSignal): AsyncGenerator<P> {
    const reader = { at: 0 };
    this.#readers.add(reader);
    // Its run may have forgotten it.
    const leave = (): void => {
      this.#readers.delete(reader);
    };
    signal.addEventListener('abort', leave, { once: true });
    try {
      for (let page = await this.#next(reader, pages, signal); page; page = await this.#next(reader, pages, signal)) {
        yield page;
      }
    } finally {
      signal.removeEventListener('abort', leave);
      leave();
    }
  }

  dispose(): void {
    const leader = this.#leader;
    this.#leader = undefined;
    leader?.stop.abort();
    // It may be in the middle of a page, whose error nobody wants.
    leader?.pages.return?.().catch(() => undefined);
    // Its readers remember which one they had.
    this.#window.splice(0);
    this.#forget();
  }

  #forget(): void {
    this.#spool?.dispose();
    this.#spool = undefined;
  }

  async #next(reader: Reader, pages: Pages<P>, signal: AbortSignal): Promise<P | undefined> {
    for (;;) {
      if (signal.aborted) throw new XsyncError('aborted', 'the listing was stopped');
      if (reader.at < this.#count) return this.#page(reader.at++, pages);
      if (this.#failed) throw this.#failed.error;
      if (this.#ended) return undefined;
      this.#fetching ??= this.#fetch(reader, pages).finally(() => {
        this.#fetching = undefined;
      });
      await whileWanted(this.#fetching, signal);
    }
  }

  #page(index: number, pages: Pages<P>): P {
    const inMemory = this.#window[index - (this.#count - this.#window.length)];
    if (inMemory) return inMemory;
    const text = this.#spool?.get(name(index));
    if (text === undefined) throw new XsyncError('internal', `page ${index} of a shared listing was dropped`);
    return pages.read(text);
  }

  /** Never rejects: what went wrong is for whoever reads on. */
  async #fetch(reader: Reader, pages: Pages<P>): Promise<void> {
    const leader = this.#leader ?? this.#lead(reader, pages);
    try {
      const { done, value } = await leader.pages.next();
      if (done) this.#ended = true;
      else this.#add(value, pages);
    } catch (error) {
      this.#leader = undefined;
      if (this.#readers.has(leader.reader)) this.#failed = { error };
    }
  }

  #lead(reader: Reader, pages: Pages<P>): Leader<P> {
    const stop = new AbortController();
    const leader = { reader, stop, pages: pages.fetch(this.#lastKey, stop.signal) };
    this.#leader = leader;
    return leader;
  }

  #add(page: P, pages: Pages<P>): void {
    this.#window.push(page);
    this.#count++;
    this.#lastKey = pages.lastKey(page) ?? this.#lastKey;
    while (this.#window.length > WINDOW) this.#shift(pages);
  }

  #shift(pages: Pages<P>): void {
    const index = this.#count - this.#window.length;
    const page = this.#window.shift();
    const needed = this.#means.awaited() || [...this.#readers].some(({ at }) => at <= index);
    if (!page || !needed) {
      this.#dropped = index + 1;
      this.#forget();
      return;
    }
    this.#spool ??= this.#means.spool();
    this.#spool.add([{ key: name(index), value: pages.write(page) }]);
  }
}

/** Sorts by its bytes as the index does. */
function name(index: number): string {
  return String(index).padStart(12, '0');
}
