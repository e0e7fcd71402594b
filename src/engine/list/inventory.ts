/**
 * A side's objects from an inventory instead of a listing, and what its rows are worth beside the manifest's.
 * Tests: test/cli/inventory.test.ts
 */
import type { Spool } from '../../manifest/port.js';
import type { ObjectEntry } from '../../model/object.js';
import type { Inventory, RunPair, RunSide } from '../pair.js';
import { type Bounds, contains } from './bounds.js';
import type { Triple } from './diff.js';
import { fromSpool, toSpool } from './list.js';

/** Entries in key-byte order, keys relative to the side's prefix. Yields nothing before the whole inventory was read. */
export async function* listInventory(
  { prefix }: Pick<RunSide, 'prefix'>,
  inventory: Inventory,
  spool: Spool,
  how: { signal: AbortSignal; bounds: Bounds; onPage(objects: number): void },
): AsyncGenerator<readonly ObjectEntry[]> {
  const { signal, bounds, onPage } = how;
  for await (const entries of inventory.entries(signal)) {
    const own = entries.flatMap((entry) => {
      if (!entry.key.startsWith(prefix)) return [];
      const key = entry.key.slice(prefix.length);
      return contains(bounds, key) ? [{ ...entry, key }] : [];
    });
    onPage(own.length);
    toSpool(spool, own);
  }
  yield* fromSpool(spool);
}

/**
 * The key with what is known of it best. A row that was written after the inventory of the source was taken knows a later
 * version than the inventory does.
 */
export function withLatest(triple: Triple, { source: { inventory } }: Pick<RunPair, 'source'>): Triple {
  const { source, row } = triple;
  if (!inventory || !row || row.atMs <= inventory.takenMs) return triple;
  if (!source) return { ...triple, sourceUnlisted: true };
  const { size, sourceEtag, sourceMtimeMs } = row;
  const { checksums: _, ...entry } = source;
  return { ...triple, source: { ...entry, size, etag: sourceEtag, mtimeMs: sourceMtimeMs } };
}
