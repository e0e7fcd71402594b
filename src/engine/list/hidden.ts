/**
 * Looks for the folders that --exclude-if-present hides, before anything is compared: one more listing of each side.
 * Tests: test/engine/pass/hidden.test.ts
 */
import { isXsyncError } from '../../model/error.js';
import type { Halt } from '../flow/halt.js';
import type { RunOptions } from '../options.js';
import type { RunPair, RunSide } from '../pair.js';
import { listPages } from './list.js';
import { LIST_CONCURRENCY } from './ranges-pace.js';

type Asked = Pick<RunOptions, 'filter' | 'noTraverse' | 'listConcurrency'> & {
  mode: 'copy' | 'sync' | 'mirror' | 'check';
};

/**
 * Shows the filter the keys of the source, and those of the destination if something might be deleted or reported there:
 * what either side hides is left alone. What cannot be read hides nothing; the run reports it.
 */
export async function lookForHidden(
  { source, dest, single }: Pick<RunPair, 'source' | 'dest' | 'single'>,
  { filter, mode, noTraverse, listConcurrency }: Asked,
  halt: Pick<Halt, 'listings' | 'stops'>,
): Promise<void> {
  if (!filter?.hidden || single) return;
  const sides = mode === 'copy' || noTraverse ? [source] : [source, dest];
  await filter.hidden.renew(keysOf(sides, source, listConcurrency, halt));
}

async function* keysOf(
  sides: readonly RunSide[],
  source: RunSide,
  concurrency: number | undefined,
  halt: Pick<Halt, 'listings' | 'stops'>,
): AsyncGenerator<string[]> {
  for (const side of sides) {
    const how = { onUnlisted: () => {}, onDamaged: () => {}, signal: halt.listings };
    try {
      const pages =
        side.inventory?.entries(halt.listings) ?? listPages(side, concurrency ?? LIST_CONCURRENCY, () => {}, how);
      for await (const page of pages) {
        yield page.flatMap(({ key }) => (key.startsWith(side.prefix) ? [key.slice(side.prefix.length)] : []));
        if (halt.stops('plans')) return;
      }
    } catch (error) {
      // The destination may not exist yet; a stop aborts the listing.
      const expected = side !== source && isXsyncError(error, 'bucket-not-found');
      if (!expected && !(halt.stops('plans') && isXsyncError(error, 'aborted'))) throw error;
    }
  }
}
