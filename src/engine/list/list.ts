/** One side's listing as a stream of batches in key-byte order, keys relative to the pair's prefix. */
import { setMaxListeners } from 'node:events';

import type { Spool } from '../../manifest/port.js';
import { XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import type { ObjectEntry } from '../../model/object.js';
import type { ListOptions, ListPage, ObjectCatalog } from '../../store/port.js';
import type { RunSide } from '../pair.js';
import { type Bounds, below, contains, inside, reaches } from './bounds.js';
import { RangeListing, type RangeSettings } from './ranges.js';
import { loopLoad } from './ranges-pace.js';

/** What is listed: part of a RunSide. */
interface Listed extends Pick<RunSide, 'prefix' | 'text'> {
  store: ObjectCatalog;
}

/** Thrown inside the engine when a listing is not in byte order; the run then sorts that side and starts the diff again. */
export class OutOfOrder extends Error {
  constructor(
    readonly side: Listed,
    key: string,
  ) {
    super(`${side.text} lists ${JSON.stringify(key)} out of order`);
  }
}

export interface ListContext {
  signal: AbortSignal;
  /** Called with the number of objects of each page. */
  onPage: (objects: number) => void;
  /** Relative to the side's prefix. */
  bounds: Bounds;
  /** The store's start-after cannot be relied on, as an earlier run has found. */
  inexact: boolean;
  /** Present when the store may be listed in ranges, many at once. */
  ranges?: RangeSettings;
}

/** Pages are fetched one ahead of use, or in ranges. Any failure to list throws: a partial listing is never a short one. */
export async function* listOrdered(side: Listed, context: ListContext): AsyncGenerator<readonly ObjectEntry[]> {
  let last: string | undefined;
  for await (const page of pagesOrRanges(side, context)) {
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

/**
 * Every object below the side's prefix, with its full key, in the order in which the store lists them; in ranges where
 * that is quicker. No page is left in flight when the caller stops.
 */
export async function* listPages(
  side: Listed,
  concurrency: number,
  onInexact: (why: string) => void,
): AsyncGenerator<readonly ObjectEntry[]> {
  const { local, orderedListing } = side.store.capabilities;
  const given = new AbortController();
  setMaxListeners(0, given.signal);
  const ranges = local || orderedListing !== 'yes' ? undefined : { concurrency, load: loopLoad(), onInexact };
  try {
    yield* pagesOrRanges(side, { signal: given.signal, bounds: {}, inexact: false, ranges });
  } catch (error) {
    if (!(error instanceof OutOfOrder)) throw error;
    throw new XsyncError('invalid-response', error.message, {
      subject: side.text,
      remedy: 'Set `provider: other` for this remote: its order is then not relied on.',
    });
  } finally {
    given.abort();
  }
}

/** As listOrdered for a store that lists in another order: everything goes through a sorted table on disk first. */
export async function* listSorted(
  side: Listed,
  spool: Spool,
  context: ListContext,
): AsyncGenerator<readonly ObjectEntry[]> {
  for await (const page of pages(side, context, {})) {
    const own = relative(page, side).filter(({ key }) => contains(context.bounds, key));
    context.onPage(own.length);
    spool.add(own.map((entry) => ({ key: entry.key, value: JSON.stringify(entry) })));
  }
  for (let after: string | undefined; ; ) {
    const rows = spool.page(after, 1000);
    if (rows.length === 0) return;
    yield rows.map((row) => JSON.parse(row.value) as ObjectEntry);
    after = rows.at(-1)?.key;
  }
}

/**
 * A store that answers its first page sooner is listed in sequence: the processor is the limit there, and ranges would
 * only cost memory. In milliseconds; a first page takes two or three round trips.
 */
const FAR_MS = 50;

async function* pagesOrRanges(side: Listed, context: Omit<ListContext, 'onPage'>): AsyncGenerator<ObjectEntry[]> {
  const { ranges, signal } = context;
  const asked = performance.now();
  const bounds = askedFor(side, context);
  const first = fetchPage(side, { startAfter: bounds.after, signal });
  const { entries, nextToken } = await first;
  const far = performance.now() - asked >= FAR_MS;
  const early = bounds.after !== undefined && entries[0] && compareKeys(entries[0].key, bounds.after) <= 0;
  if (early) ranges?.onInexact(`it listed ${JSON.stringify(entries[0]?.key)} after ${JSON.stringify(bounds.after)}`);
  if (ranges && far && !early && nextToken !== undefined) {
    yield* inRanges(side, context, { ...ranges, bounds }, first);
  } else yield* pages(side, context, bounds, first);
}

/** The bounds, in full keys, that may be left to a store; what it lists beyond them is dropped all the same. */
function askedFor({ store, prefix }: Listed, { bounds, inexact }: Omit<ListContext, 'onPage'>): Bounds {
  // Without order a key inside may follow one beyond the end.
  if (store.capabilities.orderedListing !== 'yes') return {};
  return { ...below(prefix, bounds), ...(inexact ? { after: undefined } : {}) };
}

async function* pages(
  side: Listed,
  { signal }: Pick<ListContext, 'signal'>,
  bounds: Bounds,
  first = fetchPage(side, { startAfter: bounds.after, signal }),
): AsyncGenerator<ObjectEntry[]> {
  let token: string | undefined;
  let next: Promise<ListPage> | undefined = first;
  while (next) {
    const page: ListPage = await next;
    if (page.nextToken !== undefined && page.nextToken === token) throw wrong(side, 'goes round in a circle');
    token = page.nextToken;
    const last = page.entries.at(-1);
    const more = token !== undefined && !(last && reaches(bounds, last.key));
    next = more ? fetchPage(side, { token, signal }) : undefined;
    if (page.entries.length > 0) yield page.entries;
  }
}

async function* inRanges(
  side: Listed,
  { signal }: Pick<ListContext, 'signal'>,
  settings: RangeSettings,
  first: Promise<ListPage>,
): AsyncGenerator<ObjectEntry[]> {
  let fetched: Promise<ListPage> | undefined = first;
  const list = async (options: ListOptions, after?: string): Promise<ListPage> => {
    // The page that showed how far the store is serves the first range, which is asked for before any other.
    const asked = fetched;
    fetched = undefined;
    const page = await (asked ?? side.store.list({ ...options, signal }));
    if (page.nextToken !== undefined && page.nextToken === options.token) throw wrong(side, 'goes round in a circle');
    // Cutting a page at a key needs its order. That of a delimiter listing is looked at where it is used.
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

function fetchPage(side: Listed, options: ListOptions): Promise<ListPage> {
  const page = side.store.list({ prefix: side.prefix, ...options });
  // A page fetched ahead may fail before it is awaited; the failure is reported when it is.
  page.catch(() => undefined);
  return page;
}

/** @throws invalid-response for a key that was not asked for: what is cut off it would not be the prefix */
function relative(entries: readonly ObjectEntry[], side: Listed): readonly ObjectEntry[] {
  const { prefix } = side;
  if (prefix === '') return entries;
  return entries.map((entry) => {
    if (!entry.key.startsWith(prefix)) throw wrong(side, `names ${JSON.stringify(entry.key)}, outside the prefix`);
    return { ...entry, key: entry.key.slice(prefix.length) };
  });
}

function wrong(side: Listed, what: string): XsyncError {
  return new XsyncError('invalid-response', `the listing of ${side.text} ${what}`, { subject: side.text });
}
