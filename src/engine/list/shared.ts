/**
 * A side's listing where other pairs list the same source: one of them lists it for all.
 * Tests: test/engine/fan/source.test.ts
 */
import { setMaxListeners } from 'node:events';
import type { XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import type { ObjectEntry } from '../../model/object.js';
import type { KeyRange, ListedPage, Pages } from '../fan/listing.js';
import type { Reading } from '../fan/reading.js';
import { inside } from './bounds.js';
import { plain, type SpooledFault, spooled, thrown, unspooled } from './spooled.js';

export interface SharedHow {
  /** What the pair wants. */
  range: KeyRange;
  signal: AbortSignal;
  /** As in ListContext. */
  onDamaged: (fault: XsyncError) => void;
  /** As in RangeSettings. */
  onInexact: (why: string) => void;
  /** Lists the source for all. */
  fetch(
    range: KeyRange,
    how: Pick<SharedHow, 'signal' | 'onDamaged' | 'onInexact'>,
  ): AsyncIterable<readonly ObjectEntry[]>;
}

/** Full keys of the range. @throws the error of any page */
export async function* sharedPages(reading: Reading, how: SharedHow): AsyncGenerator<readonly ObjectEntry[]> {
  const { range, signal, onDamaged, onInexact } = how;
  const { prefix } = range;
  for await (const { entries, damaged, inexact } of reading.list(range, (whole) => pagesOf(whole, how), signal)) {
    if (inexact !== undefined) onInexact(inexact);
    for (const fault of damaged) onDamaged(fault);
    const own = entries.filter(({ key }) => key.startsWith(prefix));
    const [first] = entries;
    if (own.length > 0) yield own;
    else if (first && compareKeys(first.key, prefix) > 0) return;
  }
}

function pagesOf(whole: KeyRange, how: SharedHow): Pages<ListedPage> {
  return {
    fetch: (after, signal) => fetched({ ...whole, after: after ?? whole.after }, signal, how),
    lastKey: ({ entries }) => entries.at(-1)?.key,
    write: ({ entries, damaged, ...rest }) =>
      JSON.stringify({ ...rest, entries: entries.map(spooled), damaged: damaged.map(plain) } satisfies SpooledPage),
    read: (text) => {
      const { entries, damaged, ...rest } = JSON.parse(text) as SpooledPage;
      return { ...rest, entries: entries.map(unspooled), damaged: damaged.map(thrown) };
    },
  };
}

type SpooledPage = Omit<ListedPage, 'entries' | 'damaged'> & { entries: string[]; damaged: SpooledFault[] };

async function* fetched(range: KeyRange, signal: AbortSignal, { fetch }: SharedHow): AsyncGenerator<ListedPage> {
  let damaged: XsyncError[] = [];
  let inexact: string | undefined;
  const onInexact = (why: string): void => {
    inexact = why;
  };
  // Every page in flight adds a listener.
  setMaxListeners(0, signal);
  for await (const page of fetch(range, { signal, onDamaged: (fault) => damaged.push(fault), onInexact })) {
    // From a store that cannot begin after a key.
    const entries = inside(page, { after: range.after });
    if (entries.length > 0 || damaged.length > 0) yield { entries, damaged, inexact };
    damaged = [];
  }
  if (damaged.length > 0 || inexact !== undefined) yield { entries: [], damaged, inexact };
}
