/**
 * Finds folders of the source that still exist and no longer hold anything: most likely the mount point of a disk that
 * is not mounted. Only a directory tree has such folders; a bucket's folder is gone with its last object.
 * Tests: test/engine/pass/guard.test.ts
 */
import type { RunSide } from '../pair.js';

/** Fewer objects are too few to tell a mistake from everyday work. */
export const MANY = 5;

/** An empty folder of the source. */
export interface Emptied {
  /** Relative to the source, with a slash at its end. */
  folder: string;
  /** Objects below it that are about to be deleted. */
  objects: number;
}

/**
 * The outermost empty folder with at least `MANY` of the keys below it; undefined if there is none.
 * @param pages of keys in byte order, in which all keys of a folder are neighbors
 * @throws what a listing of the source throws
 */
export async function emptiedFolder(
  source: Pick<RunSide, 'store' | 'prefix'>,
  pages: Iterable<readonly { key: string }[]>,
  signal: AbortSignal,
): Promise<Emptied | undefined> {
  /** The folders that hold the latest key, the outermost first. */
  const open: Emptied[] = [];
  let found: Emptied | undefined;
  const leaveUntil = async (key: string): Promise<void> => {
    for (let last = open.at(-1); last && !key.startsWith(last.folder); last = open.at(-1)) {
      open.pop();
      if (last.objects >= MANY && (await isEmptied(source, last.folder, signal))) found = last;
      const parent = open.at(-1);
      if (parent) parent.objects += last.objects;
    }
  };
  for (const page of pages) {
    for (const { key } of page) {
      await leaveUntil(key);
      if (found && open.length === 0) return found;
      enter(open, key);
    }
  }
  await leaveUntil('');
  return found;
}

/** Opens the folders of the key that are not open yet, and counts the key. */
function enter(open: Emptied[], key: string): void {
  for (let at = key.indexOf('/', open.at(-1)?.folder.length ?? 0); at >= 0; at = key.indexOf('/', at + 1)) {
    open.push({ folder: key.slice(0, at + 1), objects: 0 });
  }
  const innermost = open.at(-1);
  if (innermost) innermost.objects++;
}

async function isEmptied(
  { store, prefix }: Pick<RunSide, 'store' | 'prefix'>,
  folder: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (!(await store.hasFolder?.(prefix + folder))) return false;
  const { entries } = await store.list({ prefix: prefix + folder, maxKeys: 1, signal });
  return entries.length === 0;
}
