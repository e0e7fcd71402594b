/**
 * One run over a source that several pairs read: what it has listed, and which objects it may still read.
 * Tests: test/engine/fan/source.test.ts
 */
import { compareKeys } from '../../model/key.js';
import type { ObjectStore } from '../../store/port.js';
import type { KeyRange, ListedPage, Pages, SharedListing } from './listing.js';
import type { SharedReads, Wanting } from './reads.js';
import { FannedStore } from './store.js';

/** What it shares with others. */
export interface Common {
  readonly isAlone: boolean;
  readonly reads: SharedReads;
  list(
    reading: Reading,
    range: KeyRange,
    pagesOf: (range: KeyRange) => Pages<ListedPage>,
    signal: AbortSignal,
  ): AsyncGenerator<ListedPage>;
}

export interface ReadingOptions {
  /** Of its keys. */
  prefix: string;
  /** A listing that began since then is new enough; as `performance.now()`. */
  listedSinceMs: number;
  /** It lists the source. */
  lists: boolean;
  /** It is not one over changed keys alone. */
  passes: boolean;
  /** How this thread reads objects; `now`: nothing is kept for it. */
  reads: 'in-order' | 'now' | 'nothing';
  /** A listing that the pair has had before. */
  last: SharedListing<ListedPage> | undefined;
}

interface Hooks {
  took(listing: SharedListing<ListedPage>): void;
  ended(): void;
}

/** Keys that a traversal covers, relative to the prefix. */
export interface Covered {
  only?: ReadonlySet<string>;
  after?: string;
  until?: string;
  /** Objects are read in another order. */
  inAnyOrder?: boolean;
}

export class Reading implements Wanting {
  readonly listedSinceMs: number;
  behind = false;
  /** Bytes that others had read. */
  sharedBytes = 0;
  readonly #source: Common;
  readonly #options: ReadingOptions;
  readonly #hooks: Hooks;
  readonly #open = new Set<string>();
  #covered: Covered | undefined;
  #passed: string | undefined;
  #listing: SharedListing<ListedPage> | undefined;
  #isOver = false;

  constructor(source: Common, options: ReadingOptions, hooks: Hooks) {
    this.#source = source;
    this.#options = options;
    this.#hooks = hooks;
    this.listedSinceMs = options.listedSinceMs;
  }

  /** Of changed keys, nobody else learns from a listing. */
  get foundMs(): number {
    return this.#listing?.startedMs ?? Number.NEGATIVE_INFINITY;
  }

  get isAlone(): boolean {
    return this.#source.isAlone;
  }

  /** That must not be read again. */
  get last(): SharedListing<ListedPage> | undefined {
    return this.#options.last;
  }

  get awaitsListing(): boolean {
    return this.#options.lists && this.#listing === undefined && !this.#isOver;
  }

  /** When what it lists was true, ms since 1970; undefined before it lists. */
  get listedMs(): number | undefined {
    return this.#listing?.beganMs;
  }

  /** A store whose reads are shared. */
  over(store: ObjectStore): ObjectStore {
    return this.#options.reads === 'nothing' ? store : new FannedStore(store, this, this.#source.reads);
  }

  /** As `CommonSource.list`. */
  list(
    range: KeyRange,
    pagesOf: (range: KeyRange) => Pages<ListedPage>,
    signal: AbortSignal,
  ): AsyncGenerator<ListedPage> {
    return this.#source.list(this, range, pagesOf, signal);
  }

  takes(listing: SharedListing<ListedPage>): void {
    this.#listing = listing;
    this.#hooks.took(listing);
  }

  /** A traversal begins, over these keys. */
  covers(covered: Covered): void {
    this.#covered = covered;
    this.#passed = covered.after;
  }

  /** All keys up to this one have been decided; those that are read are held. */
  passed(key: string): void {
    this.#passed = key;
  }

  /** The key's object may be read, until the returned function is called. */
  hold(key: string): () => void {
    this.#open.add(key);
    return () => {
      this.#open.delete(key);
      this.#source.reads.review(this.#options.prefix + key);
    };
  }

  /** Some keys have passed. */
  review(): void {
    this.#source.reads.review();
  }

  mayWant(key: string): boolean {
    const { prefix, reads } = this.#options;
    if (this.#isOver || reads !== 'in-order' || !key.startsWith(prefix)) return false;
    const own = key.slice(prefix.length);
    const { only, until, inAnyOrder } = this.#covered ?? {};
    if (this.#open.has(own)) return true;
    if (only && !only.has(own)) return false;
    if (until !== undefined && compareKeys(own, until) > 0) return false;
    return inAnyOrder === true || this.#passed === undefined || compareKeys(own, this.#passed) > 0;
  }

  shared(bytes: number): void {
    this.sharedBytes += bytes;
  }

  end(): void {
    this.#isOver = true;
    this.#hooks.ended();
  }
}
