/** Keeps what is about to be overwritten or deleted at the destination: `--backup-dir` and `--suffix`. */
import { isXsyncError } from '../model/error.js';
import type { ObjectContext } from './object.js';
import type { Backup, RunOptions, RunPair } from './options.js';
import { planEntry } from './plan.js';
import { transfer } from './transfer.js';

/** An upload that is interrupted here begins anew; `xsync cleanup` finds what it left. */
const NO_CHECKPOINTS: ObjectContext['checkpoints'] = {
  upload: () => undefined,
  beginUpload: () => undefined,
  endUpload: () => undefined,
  addPart: () => undefined,
  parts: () => [],
  dropParts: () => undefined,
};

/**
 * Copies the destination's object aside, by the service where it can. Nothing to do when it is not there any more.
 * @throws whatever the copy throws: then the object must not be touched
 */
export async function keepAside(
  context: ObjectContext,
  { dest, ...pair }: RunPair,
  options: RunOptions,
  { side, suffix, keepExtension }: Backup,
  key: string,
): Promise<void> {
  try {
    const found = await dest.store.head(dest.prefix + key, { signal: context.halt.signal });
    // A single object's prefix is its key.
    const named = pair.single && side !== dest ? dest.prefix.slice(dest.prefix.lastIndexOf('/') + 1) : key;
    const destKey = suffixed(side.prefix + named, suffix, keepExtension);
    const aside: RunPair = { ...pair, source: dest, dest: side };
    const entry = planEntry({ ...found, key }, 'new', aside, { ...options, storageClass: undefined });
    const quiet: ObjectContext = {
      ...context,
      source: dest.store,
      dest: side.store,
      checkpoints: NO_CHECKPOINTS,
      storageClass: found.storageClass,
      emit: () => undefined,
    };
    await transfer(quiet, { ...entry, destKey });
    context.emit({ type: 'backup', key, size: found.size, to: destKey });
  } catch (error) {
    if (!isXsyncError(error, 'object-not-found')) throw error;
  }
}

/** `a/b.tar.gz` with `-1` becomes `a/b.tar.gz-1`, or with the extension kept `a/b-1.tar.gz`, as rclone does. */
export function suffixed(key: string, suffix: string, keepExtension: boolean): string {
  const nameAt = key.lastIndexOf('/') + 1;
  const dot = keepExtension ? key.indexOf('.', nameAt + 1) : -1;
  return dot < 0 ? key + suffix : key.slice(0, dot) + suffix + key.slice(dot);
}
