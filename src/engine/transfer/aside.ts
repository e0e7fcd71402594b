/** Keeps what is about to be overwritten or deleted at the destination: `--backup-dir` and `--suffix`. */
import { isXsyncError, toXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { Backup, RunOptions, RunPair } from '../options.js';
import { planEntry } from '../plan/plan.js';
import { Unfinished } from './context.js';
import type { ObjectContext } from './perform.js';
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
  pair: RunPair,
  options: RunOptions,
  backup: Backup,
  key: string,
): Promise<void> {
  const { dest } = pair;
  try {
    const found = await dest.store.head(dest.prefix + key, { signal: context.halt.signal });
    const to = placeAside(pair, backup, key);
    await copyAside(context, pair, options, backup, { found: { ...found, key }, to });
    context.emit({ type: 'backup', key, size: found.size, to });
  } catch (error) {
    if (isXsyncError(error, 'object-not-found')) return;
    if (error instanceof Unfinished || isXsyncError(error, 'aborted')) throw error;
    throw explained(toXsyncError(error), backup);
  }
}

async function copyAside(
  context: ObjectContext,
  { dest, ...pair }: RunPair,
  options: RunOptions,
  { side }: Backup,
  { found, to }: { found: ObjectInfo; to: string },
): Promise<void> {
  const aside: RunPair = { ...pair, source: dest, dest: side };
  const entry = planEntry(found, 'new', aside, { ...options, storageClass: undefined });
  // Another service has classes of other names.
  const sameKind = side.store.identity.kind === dest.store.identity.kind;
  const quiet: ObjectContext = {
    ...context,
    source: dest.store,
    dest: side.store,
    checkpoints: NO_CHECKPOINTS,
    storageClass: sameKind ? found.storageClass : undefined,
    emit: () => undefined,
  };
  await transfer(quiet, { ...entry, destKey: to });
}

/** The full key under which an object of the destination is kept. */
export function placeAside({ dest, single }: RunPair, { side, suffix, keepExtension }: Backup, key: string): string {
  // A single object's prefix is its key.
  const named = single && side !== dest ? dest.prefix.slice(dest.prefix.lastIndexOf('/') + 1) : key;
  return suffixed(side.prefix + named, suffix, keepExtension);
}

/** Same code and class, so that it is treated as the fault that it is. */
function explained(fault: XsyncError, { side }: Backup): XsyncError {
  const { code, class: kind, subject, remedy, status, serviceCode } = fault;
  const message = `left as it is, since it could not be kept aside in ${side.text}: ${fault.message}`;
  return new XsyncError(code, message, { class: kind, subject, remedy, status, serviceCode, cause: fault });
}

/** An extension, a compressed file's inner one included: `.tar.gz` of `a.b.tar.gz`. Names that begin with a dot have none. */
const EXTENSION = /(?<=[^/])(\.[A-Za-z]+(?=\.(gz|bz2|xz|zst|lz4|br|Z)$))?\.[^./]+$/;

/** `a/b.tar.gz` with `-1` becomes `a/b.tar.gz-1`, or with the extension kept `a/b-1.tar.gz`, as rclone does. */
export function suffixed(key: string, suffix: string, keepExtension: boolean): string {
  const at = keepExtension ? (EXTENSION.exec(key)?.index ?? -1) : -1;
  return at < 0 ? key + suffix : key.slice(0, at) + suffix + key.slice(at);
}

/** By its name the key is one under which an earlier run with the same suffix kept something beside the objects. */
export function isAside({ dest }: RunPair, backup: Backup | undefined, key: string): boolean {
  if (backup?.side !== dest || backup.suffix === '') return false;
  const name = key.slice(key.lastIndexOf('/') + 1);
  return name.endsWith(backup.suffix) || (backup.keepExtension && name.includes(`${backup.suffix}.`));
}
