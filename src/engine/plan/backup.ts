/**
 * Where the destination's object is backed up before it is overwritten or deleted: `--backup-dir` and `--suffix`.
 * Tests: test/engine/transfer/backup.test.ts
 */
import mime from 'mime';
import { XsyncError } from '../../model/error.js';
import type { BackupTarget } from '../../model/ticket.js';
import type { RunOptions } from '../options.js';
import type { Backup, RunPair } from '../pair.js';
import type { Intents } from './intents.js';
import { placeOf } from './plan.js';

interface BackupContext {
  pair: RunPair;
  options: Pick<RunOptions, 'partSize' | 'objectAttempts' | 'carry'>;
  intents: Pick<Intents, 'unfinished'>;
}

interface KeepContext {
  pair: RunPair;
  options: Pick<RunOptions, 'policy' | 'partSize' | 'objectAttempts' | 'carry'>;
}

/** The backup of one object, for its ticket; undefined when none is wanted. */
export function backupTarget({ pair, options, intents }: BackupContext, key: string): BackupTarget | undefined {
  const { backup } = pair;
  if (!backup) return undefined;
  const { store, text } = backup.side;
  const { partSize, objectAttempts: attempts } = options;
  const before = intents.unfinished(key);
  const kept = attributesOf(options);
  return { place: placeOf(store), key: freeKey(pair, backup, key), text, before, partSize, attempts, ...kept };
}

function attributesOf({ carry }: Pick<RunOptions, 'carry'>): Pick<BackupTarget, 'tags' | 'acl'> {
  return { ...(carry?.tags && { tags: carry.tags }), ...(carry?.acl && { acl: carry.acl }) };
}

/** Where a mirror keeps the loser of a conflict: beside the winner, with a number that is free on both sides. */
export function keptTarget({ pair, options }: KeepContext, key: string): BackupTarget {
  const { policy, partSize, objectAttempts: attempts } = options;
  if (policy.mode !== 'mirror') throw new XsyncError('internal', 'only a mirror has conflicts');
  const { source, dest, manifest } = pair;
  const name = `${key}${policy.conflictSuffix}`;
  let known = 0;
  while (manifest.get(`${name}${known + 1}`)) known++;
  const numbered = { other: source.prefix + name, known };
  const at = { place: placeOf(dest.store), key: dest.prefix + name, text: dest.text };
  return { ...at, numbered, partSize, attempts, ...attributesOf(options) };
}

/** Beside the objects of the pair, the usual name may be that of another object, which must stay. */
function freeKey(pair: RunPair, backup: Backup, key: string): string {
  const usual = backupKey(pair, backup, key);
  if (backup.side !== pair.dest) return usual;
  const isTaken = (name: string): boolean => pair.manifest.get(name.slice(pair.dest.prefix.length)) !== undefined;
  let copy = 1;
  while (isTaken(besides(usual, copy))) copy++;
  return besides(usual, copy);
}

/** The full key of the backup of a destination object. */
export function backupKey({ dest, single }: RunPair, { side, suffix, keepExtension }: Backup, key: string): string {
  // A single object's prefix is its key.
  const named = single && side !== dest ? dest.prefix.slice(dest.prefix.lastIndexOf('/') + 1) : key;
  return suffixed(side.prefix + named, suffix, keepExtension);
}

/** `a/b.tar.gz` with `-1` becomes `a/b.tar.gz-1`, or with the extension kept `a/b-1.tar.gz`. */
export function suffixed(key: string, suffix: string, keepExtension: boolean): string {
  const at = keepExtension ? startOfExtensions(key) : key.length;
  return key.slice(0, at) + suffix + key.slice(at);
}

/**
 * Where a key's extensions start, by rclone's rule (lib/transform, `splitExtension`): the last one, and those before it
 * as long as each is that of a media type. A name that begins with a dot is an extension as a whole.
 */
function startOfExtensions(key: string): number {
  let start = extensionAt(key, key.length);
  for (let before = extensionAt(key, start); before < start; before = extensionAt(key, start)) {
    if (mime.getType(key.slice(before, start)) === null) break;
    start = before;
  }
  return start;
}

/** Where the last extension of `key.slice(0, end)` starts; `end` if it has none. */
function extensionAt(key: string, end: number): number {
  const dot = key.lastIndexOf('.', end - 1);
  return dot < 0 || end === 0 || key.lastIndexOf('/', end - 1) > dot ? end : dot;
}

/** Another name for a backup, because the one named `key` must stay: `a.txt~2`, `a.txt~3` and so on. */
export function besides(key: string, copy: number): string {
  return copy === 1 ? key : `${key}~${copy}`;
}

/** The key has the form of a backup that an earlier run with the same suffix made at the destination. */
export function isBackup({ dest, backup }: RunPair, key: string): boolean {
  if (backup?.side !== dest || backup.suffix === '') return false;
  const name = key.slice(key.lastIndexOf('/') + 1).replace(/~\d+$/, '');
  return name.endsWith(backup.suffix) || (backup.keepExtension && name.includes(`${backup.suffix}.`));
}
