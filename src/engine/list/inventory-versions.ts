/**
 * A side's versions from an inventory instead of a list, in the order of a list. What an inventory does not tell for sure,
 * the bucket is asked: it may lack what was written shortly before it was taken, and its times may not tell an order. A
 * version that it left out could not be put below a newer one later.
 * Tests: test/cli/inventory-versions.test.ts
 */
import type { Spool, SpoolEntry } from '../../model/spool.js';
import type { VersionEntry } from '../../store/port.js';
import type { Inventory, RunSide } from '../pair.js';
import { type Bounds, contains } from './bounds.js';
import { versionsOfKey } from './versions.js';

/** Versions of one key in memory; a key with more is listed. */
const MOST = 1000;

/** More digits than a time has, in ms since 1970. */
const DIGITS = 16;
const LAST_MS = Number.MAX_SAFE_INTEGER;

interface How {
  signal: AbortSignal;
  /** A table to sort in. */
  spool(): Spool;
  bounds: Bounds;
  /** Called after each page, and at the end. @param objects versions so far, without delete markers */
  listed(objects: number, done: boolean): void;
}

/**
 * Keys are relative to the side's prefix, the newest version of a key comes first. Yields nothing before the whole inventory
 * was read.
 * @throws as `Inventory.versions`, and as `listVersions` for the keys that are listed
 */
export async function* inventoryVersions(
  side: RunSide,
  inventory: Pick<Inventory, 'versions' | 'completeUntilMs'>,
  how: How,
): AsyncGenerator<VersionEntry> {
  const spool = how.spool();
  try {
    yield* sorted(side, inventory, spool, how);
  } finally {
    spool.dispose();
  }
}

async function* sorted(
  side: RunSide,
  inventory: Pick<Inventory, 'versions' | 'completeUntilMs'>,
  spool: Spool,
  how: How,
): AsyncGenerator<VersionEntry> {
  let objects = 0;
  for await (const page of inventory.versions(how.signal)) {
    const own = page.filter(({ key }) => key.startsWith(side.prefix) && contains(how.bounds, below(side, key)));
    objects += own.filter(({ deleteMarker }) => !deleteMarker).length;
    spool.add(own.map((version) => spooled({ ...version, key: below(side, version.key) })));
    how.listed(objects, false);
  }
  for (const versions of keysIn(spool)) {
    const [{ key } = { key: '' }] = versions;
    if (isSure(versions, inventory.completeUntilMs)) yield* versions;
    else for await (const version of versionsOfKey(side, key, how)) yield { ...version, key };
  }
  how.listed(objects, true);
}

function below({ prefix }: Pick<RunSide, 'prefix'>, key: string): string {
  return key.slice(prefix.length);
}

/** Whether nothing can have been written between these versions, and their times tell their order. */
function isSure(versions: readonly VersionEntry[], completeUntilMs: number): boolean {
  const [newest, ...older] = versions;
  if (!newest?.isLatest || newest.mtimeMs >= completeUntilMs || versions.length > MOST) return false;
  if (older.some(({ isLatest }) => isLatest)) return false;
  return older.every(({ mtimeMs }, index) => mtimeMs < (older[index - 1]?.mtimeMs ?? newest.mtimeMs + 1));
}

/** The versions of each key, the newest first; of one with more than `MOST`, only so many and one more. */
function* keysIn(spool: Spool): Generator<VersionEntry[]> {
  let open: VersionEntry[] = [];
  for (let after: string | undefined; ; ) {
    const page = spool.page(after, MOST);
    for (const { value } of page) {
      const version = JSON.parse(value) as VersionEntry;
      if (open[0] && open[0].key !== version.key) {
        yield open;
        open = [];
      }
      if (open.length <= MOST) open.push(version);
    }
    after = page.at(-1)?.key;
    if (after === undefined) break;
  }
  if (open.length > 0) yield open;
}

/** Sorted by key, and then as a list has them. A NUL sorts before all that a longer key could go on with. */
function spooled(version: VersionEntry): SpoolEntry {
  const { key, isLatest, mtimeMs, versionId } = version;
  const age = String(LAST_MS - mtimeMs).padStart(DIGITS, '0');
  return { key: `${key}\0${isLatest ? 0 : 1}${age}${versionId}`, value: JSON.stringify(version) };
}
