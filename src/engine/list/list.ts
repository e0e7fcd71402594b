/**
 * One side's listing as a stream of batches in key-byte order, keys relative to the pair's prefix.
 * Tests: test/engine/list/bounds.test.ts
 */
import { setMaxListeners } from 'node:events';

import type { Spool } from '../../manifest/port.js';
import { XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import type { ObjectEntry } from '../../model/object.js';
import { PageGuard } from '../../model/paging.js';
import type { ListOptions, ListPage, ObjectCatalog, UnlistedFolder } from '../../store/port.js';
import type { Reading } from '../fan/reading.js';
import type { RunSide } from '../pair.js';
import { type Bounds, below, contains, inside, reaches } from './bounds.js';
import { DamagedRows, INCOMPLETE } from './damaged.js';
import { RangeListing, type RangeSettings } from './ranges.js';
import { loopLoad } from './ranges-pace.js';
import { type SharedHow, sharedPages } from './shared.js';
import { spooled, unspooled } from './spooled.js';

/** The part of a RunSide that a listing needs. */
interface Listed extends Pick<RunSide, 'prefix' | 'text' | 'reading'> {
  store: ObjectCatalog;
}

/** A listing is not in byte order. The run catches this, sorts that side and starts the diff again. */
export class OutOfOrder extends Error {
  constructor(
    readonly side: Listed,
    readonly key: string,
  ) {
    super(`${side.text} lists ${JSON.stringify(key)} out of order`);
  }
}

/** What the pages of one listing have in common. */
interface Checked {
  damaged: DamagedRows;
}

export interface ListContext {
  signal: AbortSignal;
  /** Called with the number of objects of each page. */
  onPage: (objects: number) => void;
  /** Relative to the side's prefix. */
  bounds: Bounds;
  /** An earlier run found that the store's start-after is unreliable. */
  inexact: boolean;
  /** Present if the store may be listed in parallel ranges. */
  ranges?: RangeSettings;
  /** Called for each folder that could not be read, before the objects after it. Its prefix is a full one. */
  onUnlisted: (folder: UnlistedFolder) => void;
  /** Called once for each row that names no object of the side, and for keys that were listed twice. */
  onDamaged: (fault: XsyncError) => void;
  /** As in ListOptions. */
  enters?: ListOptions['enters'];
}

/** Fetches one page ahead, or in parallel ranges. @throws OutOfOrder, and the error of any page: never a partial listing */
export async function* listOrdered(side: Listed, context: ListContext): AsyncGenerator<readonly ObjectEntry[]> {
  let last: string | undefined;
  for await (const page of ownOrShared(side, context)) {
    const entries = relative(page, side);
    for (const { key } of entries) {
      if (last !== undefined && compareKeys(last, key) >= 0) throw new OutOfOrder(side, key);
      last = key;
    }
    const own = inside(entries, context.bounds);
    context.onPage(own.length);
    if (own.length > 0) yield own;
  }
}

function ownOrShared(side: Listed, context: ListContext): AsyncIterable<readonly ObjectEntry[]> {
  const { reading, store } = side;
  const shares = reading && store.capabilities.orderedListing === 'yes';
  return shares ? shared(side, reading, context) : pagesOrRanges(side, context);
}

/** Whoever is first lists for all pairs that read the source. */
async function* shared(side: Listed, reading: Reading, context: ListContext): AsyncGenerator<readonly ObjectEntry[]> {
  const { signal, onDamaged, ranges } = context;
  const range = { ...askedFor(side, context), prefix: side.prefix };
  const fetch: SharedHow['fetch'] = ({ prefix, ...bounds }, how) => {
    // The rows are of the keys below the pair's own prefix.
    const rows = prefix === side.prefix ? ranges?.rows : undefined;
    const own = ranges && { ...ranges, rows, onInexact: how.onInexact };
    return pagesOrRanges({ ...side, prefix }, { ...context, ...how, ranges: own, bounds: within(prefix, bounds) });
  };
  try {
    // All that read it must know how far it can be trusted.
    const onInexact = once((why: string) => ranges?.onInexact(why));
    yield* sharedPages(reading, { range, signal, onDamaged, onInexact, fetch });
  } catch (error) {
    throw error instanceof OutOfOrder ? new OutOfOrder(side, error.key) : error;
  }
}

function once(tell: (why: string) => void): (why: string) => void {
  let told = false;
  return (why) => {
    if (!told) tell(why);
    told = true;
  };
}

/** The bounds of full keys, for keys relative to the prefix. */
function within(prefix: string, { after, until }: Bounds): Bounds {
  return { after: after?.slice(prefix.length), until: until?.slice(prefix.length) };
}

/**
 * Every object below the side's prefix, with its full key, in the store's order; in parallel ranges where that is
 * faster. Aborts requests in flight when the caller stops.
 */
export async function* listPages(
  side: Listed,
  concurrency: number,
  onInexact: (why: string) => void,
  how: Pick<ListContext, 'onUnlisted' | 'onDamaged' | 'enters'> & { signal?: AbortSignal } = {
    onUnlisted: raise,
    onDamaged: refuse,
  },
): AsyncGenerator<readonly ObjectEntry[]> {
  const { local, orderedListing } = side.store.capabilities;
  const given = new AbortController();
  const signal = how.signal ? AbortSignal.any([given.signal, how.signal]) : given.signal;
  setMaxListeners(0, signal);
  const ranges = local || orderedListing !== 'yes' ? undefined : { concurrency, load: loopLoad(), onInexact };
  try {
    yield* pagesOrRanges(side, { ...how, signal, bounds: {}, inexact: false, ranges });
  } catch (error) {
    if (!(error instanceof OutOfOrder)) throw error;
    throw new XsyncError('invalid-response', error.message, {
      subject: side.text,
      remedy: 'Set `provider: other` for this remote, so that its order is not relied on.',
    });
  } finally {
    given.abort();
  }
}

function raise({ error }: UnlistedFolder): never {
  throw error;
}

function refuse(fault: XsyncError): never {
  throw fault;
}

/** As `listOrdered`, for a store that lists in another order: sorts everything in a table on disk first. */
export async function* listSorted(
  side: Listed,
  spool: Spool,
  context: ListContext,
): AsyncGenerator<readonly ObjectEntry[]> {
  let listed = 0;
  const { onDamaged } = context;
  for await (const page of pages(side, { ...context, damaged: new DamagedRows(side, onDamaged) }, {})) {
    const own = relative(page, side).filter(({ key }) => contains(context.bounds, key));
    listed += own.length;
    context.onPage(own.length);
    toSpool(spool, own);
  }
  for (const entries of fromSpool(spool)) {
    listed -= entries.length;
    yield entries;
  }
  // One of the two may be another key that was damaged on its way.
  if (listed > 0) onDamaged(twice(side, listed));
}

/** @param entries with the keys by which they are sorted */
export function toSpool(spool: Spool, entries: readonly ObjectEntry[]): void {
  spool.add(entries.map((entry) => ({ key: entry.key, value: spooled(entry) })));
}

/** What was added, in the order of keys. */
export function* fromSpool(spool: Spool): Generator<ObjectEntry[]> {
  for (let after: string | undefined; ; ) {
    const rows = spool.page(after, 1000);
    if (rows.length === 0) return;
    yield rows.map(({ value }) => unspooled(value));
    after = rows.at(-1)?.key;
  }
}

function twice({ text }: Listed, keys: number): XsyncError {
  const message = `${text} listed ${keys} ${keys === 1 ? 'key' : 'keys'} twice`;
  return new XsyncError('invalid-response', message, { subject: text, remedy: INCOMPLETE });
}

/**
 * A store that returns its first page sooner is listed in sequence: there the processor is the limit, and ranges would
 * only cost memory. A first page takes two or three round trips.
 */
const FAR_MS = 50;

async function* pagesOrRanges(side: Listed, context: Omit<ListContext, 'onPage'>): AsyncGenerator<ObjectEntry[]> {
  const { ranges, signal, enters, onDamaged } = context;
  const asked = performance.now();
  const bounds = askedFor(side, context);
  const damaged = new DamagedRows(side, onDamaged);
  const first = fetchPage(side, damaged, { startAfter: bounds.after, signal, enters });
  const { entries, nextToken } = await first;
  const far = performance.now() - asked >= FAR_MS;
  const early = bounds.after !== undefined && entries[0] && compareKeys(entries[0].key, bounds.after) <= 0;
  if (early) ranges?.onInexact(`it listed ${JSON.stringify(entries[0]?.key)} after ${JSON.stringify(bounds.after)}`);
  if (ranges && far && !early && nextToken !== undefined) {
    yield* inRanges(side, { signal, damaged }, { ...ranges, bounds }, first);
  } else yield* pages(side, { ...context, damaged }, bounds, first);
}

/** The bounds, as full keys, that the store can apply; entries outside are dropped in any case. */
function askedFor({ store, prefix }: Listed, { bounds, inexact }: Omit<ListContext, 'onPage'>): Bounds {
  // Without order a key inside may follow one after the end.
  if (store.capabilities.orderedListing !== 'yes') return {};
  return { ...below(prefix, bounds), ...(inexact ? { after: undefined } : {}) };
}

async function* pages(
  side: Listed,
  { signal, enters, onUnlisted, damaged }: Pick<ListContext, 'signal' | 'enters' | 'onUnlisted'> & Checked,
  bounds: Bounds,
  first = fetchPage(side, damaged, { startAfter: bounds.after, signal, enters }),
): AsyncGenerator<ObjectEntry[]> {
  const guard = new PageGuard(side.text);
  let next: Promise<ListPage> | undefined = first;
  while (next) {
    const page: ListPage = await next;
    const token = page.nextToken;
    const last = page.entries.at(-1);
    guard.follow({ first: page.entries[0]?.key, last: last?.key, token });
    const more = token !== undefined && !(last && reaches(bounds, last.key));
    next = more ? fetchPage(side, damaged, { token, signal, enters }) : undefined;
    for (const folder of page.unlisted ?? []) if (!reaches(bounds, folder.prefix)) onUnlisted(folder);
    if (page.entries.length > 0) yield page.entries;
  }
}

async function* inRanges(
  side: Listed,
  { signal, damaged }: Pick<ListContext, 'signal'> & Checked,
  settings: RangeSettings,
  first: Promise<ListPage>,
): AsyncGenerator<ObjectEntry[]> {
  let fetched: Promise<ListPage> | undefined = first;
  const guard = new PageGuard(side.text);
  const list = async (options: ListOptions, after?: string): Promise<ListPage> => {
    // The page that measured the latency serves the first range, which is always requested first.
    const asked = fetched;
    fetched = undefined;
    const page = await (asked ?? fetchPage(side, damaged, { ...options, signal }));
    if (page.nextToken !== undefined && page.nextToken === options.token)
      throw wrong(side, 'repeats a continuation token');
    guard.count({ last: page.entries.at(-1)?.key ?? page.prefixes.at(-1), token: page.nextToken });
    // Cutting a page at a key requires order. That of a delimiter listing is checked where it is used.
    if (options.delimiter === undefined) checkOrder(side, page.entries, after);
    return page;
  };
  yield* new RangeListing(list, side.prefix, settings).pages();
}

function checkOrder(side: Listed, entries: readonly ObjectEntry[], after: string | undefined): void {
  let last = after;
  for (const { key } of entries) {
    if (last !== undefined && compareKeys(last, key) >= 0) throw new OutOfOrder(side, key);
    last = key;
  }
}

/** A page without the rows that name no object of the side. */
function fetchPage(side: Listed, damaged: DamagedRows, options: ListOptions): Promise<ListPage> {
  const page = side.store.list({ prefix: side.prefix, ...options }).then((found) => damaged.without(found));
  // A page fetched ahead may fail before it is awaited; awaiting it reports the failure.
  page.catch(() => undefined);
  return page;
}

function relative(entries: readonly ObjectEntry[], { prefix }: Listed): readonly ObjectEntry[] {
  if (prefix === '') return entries;
  return entries.map((entry) => ({ ...entry, key: entry.key.slice(prefix.length) }));
}

function wrong(side: Listed, what: string): XsyncError {
  return new XsyncError('invalid-response', `the listing of ${side.text} ${what}`, { subject: side.text });
}
