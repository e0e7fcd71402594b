/**
 * The three streams of a diff: the listings of both sides, or HEADs of named keys, and the manifest's rows.
 * Tests: test/engine/list/bounds.test.ts
 */
import { setMaxListeners } from 'node:events';
import type { ManifestRow, Spool } from '../../manifest/port.js';
import { isXsyncError, toXsyncError, XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import type { ObjectEntry } from '../../model/object.js';
import type { UnlistedFolder } from '../../store/port.js';
import type { Reporter, Side } from '../events.js';
import type { Halt } from '../flow/halt.js';
import { endsRun } from '../flow/halt.js';
import { type Limiter, limiter } from '../flow/queue.js';
import type { RunOptions } from '../options.js';
import type { RunPair, RunSide } from '../pair.js';
import { type Bounds, inside, isVoid, reaches } from './bounds.js';
import type { Unlisted } from './diff.js';
import { listInventory } from './inventory.js';
import { type ListContext, listOrdered, listSorted, type OutOfOrder } from './list.js';
import type { RangeSettings } from './ranges.js';
import { LIST_CONCURRENCY, loopLoad } from './ranges-pace.js';
import { UnlistedKeys } from './unlisted.js';

type Stream<T> = AsyncIterator<readonly T[]>;

/** The manifest's facts for sides that list out of order, so that the next run sorts from the start. */
const FACT = { source: 'source-unordered', destination: 'destination-unordered' } as const;

/** The same for sides that cannot be listed in ranges. */
const INEXACT = { source: 'source-inexact', destination: 'destination-inexact' } as const;

const PAGE = 1000;

export interface StreamContext {
  emit: Reporter;
  halt: Halt;
  /** The HEAD of a named object failed, or a folder (its key ends in a slash) could not be listed. */
  failed(key: string, fault: XsyncError): void;
  /** A listing has a row that names no object, or keys twice: one failure without a key. */
  damaged(fault: XsyncError): void;
  /** The listing of a side cannot be right; `what` is a clause. */
  odd?(what: string, side: Side): void;
}

/** What a diff merges. */
interface Opened {
  source: Stream<ObjectEntry>;
  dest?: Stream<ObjectEntry>;
  rows: Stream<ManifestRow>;
  unlisted: Unlisted;
}

/** A HEAD that failed. */
const UNKNOWN = Symbol('unknown');

export type StreamOptions = Pick<
  RunOptions,
  'only' | 'filter' | 'noTraverse' | 'createBucket' | 'dryRun' | 'checkers' | 'listConcurrency'
> & {
  /** Sides to sort unless they guarantee order, because the run could not tolerate disorder noticed late. */
  distrusted: readonly Side[];
  /** The objects that the filter excludes are wanted at the destination, to delete them. */
  excludedToo?: boolean;
  /** Objects may be written without knowing what the destination has: a HEAD of it that is refused says nothing. */
  unseen?: boolean;
  /** Called with each folder of a source on disk, more than once and in any order; relative to the pair's prefix. */
  onFolder?: (folder: string) => void;
  /** Objects are deleted at the source, too, if the destination does not have them. */
  bothWays?: boolean;
  /** Ask nothing about named objects of the destination: they are written in any case. */
  forced?: boolean;
};

export class Streams {
  readonly #pair: RunPair;
  readonly #options: StreamOptions;
  readonly #context: StreamContext;
  readonly #spools: Spool[] = [];
  readonly #limitHeads: Readonly<Record<Side, Limiter>>;
  #unlisted = { source: new UnlistedKeys(), destination: new UnlistedKeys() };
  /** Aborts the requests of a listing that is abandoned. */
  #listing = new AbortController();

  constructor(pair: RunPair, options: StreamOptions, context: StreamContext) {
    this.#pair = pair;
    this.#options = options;
    this.#context = context;
    this.#limitHeads = { source: limiter(options.checkers), destination: limiter(options.checkers) };
  }

  /** @param bounds ignored for a single object and for named ones */
  open(bounds: Bounds = {}): Opened {
    const { source, dest } = this.#pair;
    this.#unlisted = { source: new UnlistedKeys(), destination: new UnlistedKeys() };
    const unlisted = this.#unlisted;
    const few = this.#pair.single ? [''] : this.#options.only;
    // All three are merged in this order.
    const wanted = few ? [...new Set(few)].sort(compareKeys) : this.#options.filter?.files;
    if (wanted) {
      return {
        source: this.#heads('source', source, wanted),
        dest: this.#options.noTraverse ? undefined : this.#destHeads(dest, wanted),
        rows: this.#rowsOf(wanted),
        unlisted,
      };
    }
    return {
      source: this.#list('source', source, bounds),
      dest: this.#options.noTraverse ? undefined : this.#listDestination(bounds),
      rows: this.#rows(bounds),
      unlisted: { ...unlisted, destIsOld: dest.inventory !== undefined },
    };
  }

  sortFromNowOn(fault: OutOfOrder): void {
    const side = fault.side === this.#pair.source ? 'source' : 'destination';
    this.#context.odd?.(fault.message, side);
    const message = `${fault.message}; its listing is sorted on disk from now on`;
    this.#context.emit({ type: 'notice', level: 'warn', message });
    this.#pair.manifest.setFact(FACT[side], 'yes');
    this.dispose();
  }

  dispose(): void {
    this.#listing.abort();
    this.#listing = new AbortController();
    for (const spool of this.#spools.splice(0)) spool.dispose();
  }

  #list(name: Side, side: RunSide, bounds: Bounds): AsyncGenerator<readonly ObjectEntry[]> {
    const { inventory } = side;
    if (!inventory && !this.#mustSort(name, side)) return this.#counted(name, side, bounds, listOrdered);
    const spool = this.#pair.manifest.spool();
    this.#spools.push(spool);
    if (!inventory) return this.#counted(name, side, bounds, (s, context) => listSorted(s, spool, context));
    const pages = this.#counted(name, side, bounds, (s, context) => listInventory(s, inventory, spool, context));
    return inventory.needsHeads ? this.#described(name, side, pages) : pages;
  }

  /** The objects that are still there, with what a HEAD says of each. */
  async *#described(
    name: Side,
    side: RunSide,
    pages: AsyncGenerator<readonly ObjectEntry[]>,
  ): AsyncGenerator<ObjectEntry[]> {
    for await (const page of pages) {
      yield await this.#headPage(
        name,
        side,
        page.map(({ key }) => key),
      );
    }
  }

  #mustSort(name: Side, { store }: RunSide): boolean {
    if (this.#pair.manifest.getFact(FACT[name]) !== undefined) return true;
    if (store.capabilities.orderedListing !== 'unknown') return false;
    return this.#options.distrusted.includes(name);
  }

  async *#counted(
    name: Side,
    side: RunSide,
    bounds: Bounds,
    list: (side: RunSide, context: ListContext) => AsyncGenerator<readonly ObjectEntry[]>,
  ): AsyncGenerator<readonly ObjectEntry[]> {
    const { emit, halt } = this.#context;
    let objects = 0;
    const onDamaged = (fault: XsyncError): void => this.#context.damaged(fault);
    const onPage = (n: number): void => {
      objects += n;
      emit({ type: 'listed', side: name, objects, done: false });
    };
    const signal = AbortSignal.any([halt.listings, this.#listing.signal]);
    // Every page in flight adds a listener.
    setMaxListeners(0, signal);
    const inexact = this.#pair.manifest.getFact(INEXACT[name]) !== undefined;
    const ranges = inexact ? undefined : this.#ranges(name, side);
    const onUnlisted = ({ prefix, error }: UnlistedFolder): void => this.#folderFailed(name, side, prefix, error);
    const enters = this.#entersOf(name, side);
    const context = { signal, onPage, onDamaged, bounds, inexact, ranges, onUnlisted, enters };
    if (!isVoid(bounds)) yield* this.#notingLinks(name, side, list(side, context));
    emit({ type: 'listed', side: name, objects, done: true });
  }

  /** What lies below a link that is not followed is not known to be gone. */
  async *#notingLinks(
    name: Side,
    { store }: RunSide,
    pages: AsyncGenerator<readonly ObjectEntry[]>,
  ): AsyncGenerator<readonly ObjectEntry[]> {
    const blind = (name === 'destination' && !this.#options.bothWays) || this.#pair.links === 'keep';
    if (blind || !store.capabilities.local) return yield* pages;
    for await (const page of pages) {
      for (const { key, special } of page) if (special === 'symlink') this.#unlisted[name].add(`${key}/`);
      yield page;
    }
  }

  #folderFailed(name: Side, { prefix }: RunSide, folder: string, error: XsyncError): void {
    const key = folder.slice(prefix.length);
    this.#unlisted[name].add(key);
    this.#context.failed(key, error);
  }

  /** Folders in which the filter finds nothing are not read. */
  #entersOf(name: Side, { prefix }: RunSide): ((folder: string) => boolean) | undefined {
    const { filter, excludedToo, onFolder } = this.#options;
    const seen = name === 'source' ? onFolder : undefined;
    const asks = filter && !(excludedToo && name === 'destination');
    if (!asks && !seen) return undefined;
    return (folder) => {
      if (folder.length <= prefix.length) return true;
      const key = folder.slice(prefix.length);
      if (asks && !filter.mayContain(key)) return false;
      seen?.(key);
      return true;
    };
  }

  /** Undefined for a side that must be listed in sequence. */
  #ranges(name: Side, { store, text }: RunSide): RangeSettings | undefined {
    const { manifest } = this.#pair;
    const { local, orderedListing } = store.capabilities;
    if (local || orderedListing !== 'yes') return undefined;
    return {
      concurrency: this.#options.listConcurrency ?? LIST_CONCURRENCY,
      load: loopLoad(),
      rows: (after, rows) => manifest.quantile(after, rows),
      onInexact: (why) => {
        manifest.setFact(INEXACT[name], 'yes');
        this.#context.odd?.(`${text} listed keys that were not asked for (${why})`, name);
        const message = `${text} cannot be listed from an arbitrary key (${why}); it is listed in sequence from now on`;
        this.#context.emit({ type: 'notice', level: 'warn', message });
      },
    };
  }

  /** A local root that does not exist yet, or in a dry run a bucket that a run would create, counts as empty. */
  async *#listDestination(bounds: Bounds): AsyncGenerator<readonly ObjectEntry[]> {
    const { dest } = this.#pair;
    try {
      yield* this.#list('destination', dest, bounds);
    } catch (error) {
      if (!isXsyncError(error, 'bucket-not-found')) throw error;
      if (dest.store.capabilities.local || (this.#options.createBucket && this.#options.dryRun)) return;
      throw new XsyncError('bucket-not-found', error.message, {
        subject: error.subject,
        remedy: 'create the bucket first, or add --create-bucket',
        cause: error,
      });
    }
  }

  async *#rows(bounds: Bounds): AsyncGenerator<readonly ManifestRow[]> {
    if (isVoid(bounds)) return;
    for (let { after } = bounds; ; ) {
      const rows = this.#pair.manifest.page(after, PAGE);
      const own = inside(rows, bounds);
      if (own.length > 0) yield own;
      after = rows.at(-1)?.key;
      if (after === undefined || reaches(bounds, after)) return;
    }
  }

  async *#rowsOf(keys: Iterable<string>): AsyncGenerator<ManifestRow[]> {
    for (const { page } of inPages(keys)) yield page.flatMap((key) => this.#pair.manifest.get(key) ?? []);
  }

  #destHeads(dest: RunSide, keys: Iterable<string>): Stream<ObjectEntry> {
    return this.#options.forced ? this.#knownOf(keys) : this.#heads('destination', dest, keys);
  }

  /** The destination's objects that the manifest knows. */
  async *#knownOf(keys: Iterable<string>): AsyncGenerator<ObjectEntry[]> {
    for (const { page } of inPages(keys)) yield page.flatMap((key) => this.#known(key) ?? []);
  }

  /** Sends a HEAD for each named object, in the order of `keys`; leaves out those that do not exist. */
  async *#heads(name: Side, side: RunSide, keys: Iterable<string>): AsyncGenerator<ObjectEntry[]> {
    let objects = 0;
    for (const { page, done } of inPages(keys)) {
      const found = await this.#headPage(name, side, page);
      objects += found.length;
      this.#context.emit({ type: 'listed', side: name, objects, done });
      yield found;
    }
  }

  async #headPage(name: Side, side: RunSide, keys: readonly string[]): Promise<ObjectEntry[]> {
    const { listings } = this.#context.halt;
    const page = await Promise.all(
      keys.map((key) => this.#limitHeads[name](() => this.#headOne(name, side, key, listings))),
    );
    for (const [index, entry] of page.entries()) if (entry === UNKNOWN) this.#unlisted[name].add(keys[index] ?? '');
    return page.filter((entry) => entry !== undefined && entry !== UNKNOWN);
  }

  /**
   * A failed HEAD does not stop the others. That of a destination is sent again when its object is decided, and then
   * reported. @throws the error if every other would meet it too
   */
  #failAlone(name: Side, key: string, error: unknown): typeof UNKNOWN {
    const fault = toXsyncError(error);
    if (fault.class === 'temporary' || endsRun(fault)) throw error;
    if (name === 'source') this.#context.failed(key, fault);
    else if (fault.code !== 'not-readable') throw error;
    return UNKNOWN;
  }

  /** The destination's object as the manifest knows it, for credentials that may only write. */
  #known(key: string): ObjectEntry | undefined {
    const row = this.#pair.manifest.get(key);
    return row && { key, size: row.size, etag: row.destEtag, mtimeMs: row.sourceMtimeMs };
  }

  async #headOne(
    name: Side,
    side: RunSide,
    key: string,
    signal: AbortSignal,
  ): Promise<ObjectEntry | typeof UNKNOWN | undefined> {
    try {
      return { ...(await side.store.head(side.prefix + key, { signal })), key };
    } catch (error) {
      if (name === 'destination' && this.#options.unseen && isXsyncError(error, 'access-denied'))
        return this.#known(key);
      const missing =
        isXsyncError(error, 'object-not-found') ||
        (name === 'destination' && isXsyncError(error, 'bucket-not-found') && side.store.capabilities.local) ||
        // It cannot exist; the attempt to write it reports why.
        (name === 'destination' && isXsyncError(error, 'key-not-representable'));
      if (!missing) return this.#failAlone(name, key, error);
      // A change event may be that of a delete.
      if (name === 'source' && !this.#options.only && !side.inventory) {
        this.#context.emit({
          type: 'notice',
          level: 'warn',
          message: `${side.text}: no object ${JSON.stringify(key)}`,
        });
      }
      return undefined;
    }
  }
}

/** `done` is true of the last page. */
function* inPages(keys: Iterable<string>): Generator<{ page: readonly string[]; done: boolean }> {
  let page: string[] = [];
  for (const key of keys) {
    if (page.length === PAGE) {
      yield { page, done: false };
      page = [];
    }
    page.push(key);
  }
  if (page.length > 0) yield { page, done: true };
}
