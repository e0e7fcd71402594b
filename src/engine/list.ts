/** One side's listing as a stream of batches in key-byte order, keys relative to the pair's prefix. */

import type { Spool } from '../manifest/port.js';
import { XsyncError } from '../model/error.js';
import { compareKeys } from '../model/key.js';
import type { ObjectEntry } from '../model/object.js';
import type { ListOptions, ListPage } from '../store/port.js';
import type { RunSide } from './options.js';
import { RangeListing, type RangeSettings } from './ranges.js';

/** Thrown inside the engine when a listing is not in byte order; the run then sorts that side and starts the diff again. */
export class OutOfOrder extends Error {
  constructor(
    readonly side: RunSide,
    key: string,
  ) {
    super(`${side.text} lists ${JSON.stringify(key)} out of order`);
  }
}

export interface ListContext {
  signal: AbortSignal;
  /** Called with the number of objects of each page. */
  onPage: (objects: number) => void;
  /** Present when the store may be listed in ranges, many at once. */
  ranges?: RangeSettings;
}

/** Pages are fetched one ahead of use, or in ranges. Any failure to list throws: a partial listing is never a short one. */
export async function* listOrdered(side: RunSide, context: ListContext): AsyncGenerator<ObjectEntry[]> {
  let last: string | undefined;
  for await (const entries of pagesOrRanges(side, context)) {
    for (const entry of entries) {
      if (last !== undefined && compareKeys(last, entry.key) >= 0) throw new OutOfOrder(side, entry.key);
      last = entry.key;
    }
    yield entries;
  }
}

/** As listOrdered for a store that lists in another order: everything goes through a sorted table on disk first. */
export async function* listSorted(side: RunSide, spool: Spool, context: ListContext): AsyncGenerator<ObjectEntry[]> {
  for await (const entries of pages(side, context)) {
    spool.add(entries.map((entry) => ({ key: entry.key, value: JSON.stringify(entry) })));
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

async function* pagesOrRanges(side: RunSide, context: ListContext): AsyncGenerator<ObjectEntry[]> {
  const { ranges, signal } = context;
  const asked = performance.now();
  const first = fetchPage(side, undefined, signal);
  const { nextToken } = await first;
  const far = performance.now() - asked >= FAR_MS;
  if (ranges && far && nextToken !== undefined) yield* inRanges(side, context, ranges, first);
  else yield* pages(side, context, first);
}

async function* pages(
  side: RunSide,
  context: ListContext,
  first = fetchPage(side, undefined, context.signal),
): AsyncGenerator<ObjectEntry[]> {
  let token: string | undefined;
  let next: Promise<ListPage> | undefined = first;
  while (next) {
    const page: ListPage = await next;
    if (page.nextToken !== undefined && page.nextToken === token) throw wrong(side, 'goes round in a circle');
    token = page.nextToken;
    next = page.nextToken === undefined ? undefined : fetchPage(side, page.nextToken, context.signal);
    context.onPage(page.entries.length);
    if (page.entries.length > 0) yield side.prefix === '' ? page.entries : page.entries.map((e) => relative(e, side));
  }
}

async function* inRanges(
  side: RunSide,
  { signal, onPage }: ListContext,
  settings: RangeSettings,
  first: Promise<ListPage>,
): AsyncGenerator<ObjectEntry[]> {
  let fetched: Promise<ListPage> | undefined = first;
  const list = async (options: ListOptions, after?: string): Promise<ListPage> => {
    // The page that showed how far the store is serves the first range.
    const own = after === undefined && options.startAfter === undefined && options.delimiter === undefined;
    const asked = own && options.token === undefined ? fetched : undefined;
    if (asked) fetched = undefined;
    const page = await (asked ?? side.store.list({ ...options, signal }));
    if (page.nextToken !== undefined && page.nextToken === options.token) throw wrong(side, 'goes round in a circle');
    // Cutting a page at a key needs its order. That of a delimiter listing is looked at where it is used.
    if (options.delimiter === undefined) checkOrder(side, page.entries, after);
    return page;
  };
  for await (const entries of new RangeListing(list, side.prefix, settings).pages()) {
    onPage(entries.length);
    yield side.prefix === '' ? entries : entries.map((entry) => relative(entry, side));
  }
}

function checkOrder(side: RunSide, entries: readonly ObjectEntry[], after: string | undefined): void {
  let last = after;
  for (const { key } of entries) {
    if (last !== undefined && compareKeys(last, key) >= 0) throw new OutOfOrder(side, key);
    last = key;
  }
}

function fetchPage(side: RunSide, token: string | undefined, signal: AbortSignal): Promise<ListPage> {
  const page = side.store.list({ prefix: side.prefix, token, signal });
  // A page fetched ahead may fail before it is awaited; the failure is reported when it is.
  page.catch(() => undefined);
  return page;
}

/** @throws invalid-response for a key that was not asked for: what is cut off it would not be the prefix */
function relative(entry: ObjectEntry, side: RunSide): ObjectEntry {
  if (!entry.key.startsWith(side.prefix)) throw wrong(side, `names ${JSON.stringify(entry.key)}, outside the prefix`);
  return { ...entry, key: entry.key.slice(side.prefix.length) };
}

function wrong(side: RunSide, what: string): XsyncError {
  return new XsyncError('invalid-response', `the listing of ${side.text} ${what}`, { subject: side.text });
}
