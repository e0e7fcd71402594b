/**
 * --compare-dest and --copy-dest: looks for an object in other places before it is copied. One HEAD for each place, until
 * one has it, and one of the source if no checksum decides. Tests: test/engine/pass/elsewhere.test.ts
 */
import { sameChecksum } from '../../model/checksum.js';
import { isXsyncError } from '../../model/error.js';
import type { ObjectEntry, ObjectInfo } from '../../model/object.js';
import type { ObjectCatalog } from '../../store/port.js';
import type { RunSide } from '../pair.js';
import type { TransferPolicy } from './decide.js';
import { compareInspected, headIfThere } from './inspect.js';

/** The same object as the source's, in another place. */
export interface Elsewhere {
  /** Index of the place. */
  place: number;
  /** Its full key there. */
  key: string;
  etag: string;
  size: number;
  mtimeMs: number;
  /** A checksum proves that it is the same; otherwise only its size and time. */
  proven: boolean;
}

interface Looking {
  /** The object's key there, relative to each place. */
  name: string;
  places: readonly RunSide[];
  source: RunSide;
  policy: TransferPolicy;
  signal: AbortSignal;
}

/** @throws what HEAD throws; a place that does not exist has nothing */
export async function findElsewhere(
  { name, places, source, policy, signal }: Looking,
  object: ObjectEntry,
): Promise<Elsewhere | undefined> {
  for (const [place, { store, prefix }] of places.entries()) {
    const key = prefix + name;
    const found = await headOrNothing(store, key, signal);
    if (!found) continue;
    const reason = await likeness(
      { store: source.store, key: source.prefix + object.key, policy, signal },
      object,
      found,
    );
    if (reason === undefined) continue;
    const { etag, size, mtimeMs } = found;
    return { place, key, etag, size, mtimeMs, proven: reason === 'same-checksum' };
  }
  return undefined;
}

async function headOrNothing(store: ObjectCatalog, key: string, signal: AbortSignal): Promise<ObjectInfo | undefined> {
  try {
    return await headIfThere(store, key, signal);
  } catch (error) {
    if (isXsyncError(error, 'bucket-not-found')) return undefined;
    throw error;
  }
}

/** By what the two are the same; undefined if they are not. */
async function likeness(
  { store, key, policy, signal }: { store: ObjectCatalog; key: string; policy: TransferPolicy; signal: AbortSignal },
  object: ObjectEntry,
  found: ObjectInfo,
): Promise<string | undefined> {
  const how = { ...policy, update: false, immutable: false };
  const same = sameChecksum(object.checksums ?? {}, found.checksums);
  const known = same === 'hint-differs' ? undefined : same;
  const decided = known !== undefined || policy.compare === 'size-only' || object.size !== found.size;
  const info = decided ? { ...found, ...object, checksums: found.checksums } : await store.head(key, { signal });
  const verdict = compareInspected(how, info, found, known);
  return verdict.action === 'skip' ? verdict.reason : undefined;
}
