/** Checks made once, before a run moves anything. */
import { XsyncError } from '../../model/error.js';
import type { DeleteOptions } from '../options.js';
import type { Backup, References, RunPair, RunSide } from '../pair.js';
import { backupKey } from '../plan/backup.js';
import { type Emptied, MANY } from './emptied.js';

/** @throws usage when the backup location lies inside a side, or a side inside it */
export function refuseBackupInside(pair: RunPair, backup: Backup): void {
  const { side } = backup;
  const { source, dest, single } = pair;
  if (side === dest) return;
  const aside = placeOf(side);
  for (const other of [source, dest]) {
    const place = placeOf(other);
    if (place.home !== aside.home) continue;
    const inside = place.path.startsWith(aside.path) || aside.path.startsWith(place.path);
    // The backup of a single object may be in the same folder, under another name.
    const own = placeOf({ ...side, prefix: backupKey(pair, backup, '') });
    const overlaps = single ? own.path === place.path : inside;
    if (!overlaps) continue;
    throw new XsyncError('usage', `--backup-dir: ${side.text} and ${other.text} overlap`, {
      subject: '--backup-dir',
      remedy: 'choose a location outside it, or give only --suffix',
    });
  }
}

/** @throws usage when a place of --compare-dest or --copy-dest overlaps the destination */
export function refuseReferencesInside({ dest }: RunPair, { sides, copies }: References): void {
  const place = placeOf(dest);
  for (const side of sides) {
    const other = placeOf(side);
    if (place.home !== other.home) continue;
    if (!other.path.startsWith(place.path) && !place.path.startsWith(other.path)) continue;
    const option = copies ? '--copy-dest' : '--compare-dest';
    throw new XsyncError('usage', `${option}: ${side.text} and the destination ${dest.text} overlap`, {
      subject: option,
      remedy: 'choose a path outside the destination',
    });
  }
}

/** @throws usage when the sides are the same place or one lies inside the other */
export function refuseOverlap(pair: Pick<RunPair, 'source' | 'dest' | 'single'>): void {
  const { source, dest } = pair;
  const a = placeOf(source);
  const b = placeOf(dest);
  if (a.home !== b.home) return;
  if (a.path === b.path) {
    throw new XsyncError('usage', `source and destination are the same place: ${source.text}`, {
      remedy: 'give two different places',
    });
  }
  if (pair.single) return;
  const [outer, inner] = a.path.length < b.path.length ? [source, dest] : [dest, source];
  if (placeOf(inner).path.startsWith(placeOf(outer).path)) {
    throw new XsyncError('usage', `${inner.text} lies inside ${outer.text}`, {
      remedy: 'a copy into itself would never end; choose a destination outside it',
    });
  }
}

/** Two sides can overlap if they have the same `home`: one local host, or one bucket. */
function placeOf({ store, prefix }: RunSide): { home: string; path: string } {
  const { kind, endpoint, bucket } = store.identity;
  if (store.capabilities.local) return { home: `${kind} ${endpoint}`, path: `${bucket.replace(/\/+$/, '')}/${prefix}` };
  return { home: `${kind} ${endpoint} ${bucket}`, path: prefix };
}

/** What a run is about to delete, and what the guards compare it with. */
export interface DeletePlan {
  /** Objects about to be deleted. */
  objects: number;
  /** Their bytes; absent if they need not be added up. */
  bytes?: number;
  /** Objects in the manifest. */
  known: number;
  /** Objects that the run compares: those about to be deleted, and those that the source still has. */
  compared: number;
  /** Objects that the source has, at least. Absent if a change event named each key. */
  sourceListed?: number;
  /** A folder that is empty at the source, and its objects that are about to be deleted. */
  emptied?: Emptied;
  /** How messages name the sides; absent: by their roles. */
  names?: { source: string; dest: string };
  /** --delete-unknown, and the sides had no key in common before this run or an earlier refused one. */
  strangers: boolean;
  /** What is counted; an object when absent. */
  what?: 'version';
}

/** One object may have been renamed. */
const SEVERAL = 2;

/** What may be deleted without --max-delete: a share of the manifest's objects, or this many if that is more. */
const SAFE_PERCENT = 25;
const SAFE_OBJECTS = 1000;

/**
 * The last check before anything is deleted (invariant 6).
 * @throws guard, naming the flag that would allow it
 */
export function refuseDeletes(options: DeleteOptions, plan: DeletePlan): void {
  if (!options.allowEmptySource) refuseEmptied(plan);
  if (options.max === undefined) refuseImplausible(options, plan);
  refuseBytes(options, plan);
  const { objects, known, names, what } = plan;
  const most = mostDeletes(options.max, known);
  if (objects <= most) return;
  const limit =
    options.max === undefined ? `${most} (a quarter of the manifest's ${what ?? 'object'}s, or 1,000)` : `${most}`;
  const message = `${countOf(objects, what)} would be deleted${at(names)}, which is more than --max-delete allows: ${limit}`;
  throw tooMany(message, objects);
}

/** @throws guard */
function refuseEmptied({ objects, sourceListed, emptied, names, what }: DeletePlan): void {
  const { source, dest } = names ?? { source: 'the source', dest: 'the destination' };
  const flag = names ? '--allow-empty-side' : '--allow-empty-source';
  if (sourceListed === 0) {
    throw new XsyncError('guard', `${source} is empty, and ${countOf(objects, what)} would be deleted at ${dest}`, {
      remedy: `check ${source} and its credentials; ${flag} deletes anyway`,
    });
  }
  if (!emptied) return;
  const { folder, objects: below } = emptied;
  const message = `the folder ${folder} of ${source} is empty, and ${countOf(below)} would be deleted at ${dest}`;
  throw new XsyncError('guard', message, {
    subject: folder,
    remedy: `check that it is mounted; ${flag} deletes anyway`,
  });
}

/** @throws guard */
function refuseBytes({ maxBytes }: DeleteOptions, { objects, bytes, names }: DeletePlan): void {
  if (maxBytes === undefined || bytes === undefined || bytes <= maxBytes) return;
  const message = `${countOf(objects)} of ${bytes} bytes would be deleted${at(names)}, which is more than --max-delete-size allows: ${maxBytes} bytes`;
  throw new XsyncError('guard', message, {
    remedy: `list them with --dry-run; --max-delete-size ${bytes}B deletes them`,
  });
}

/** Deletes that only --max-delete allows. @throws guard */
function refuseImplausible({ allowEmptySource }: DeleteOptions, plan: DeletePlan): void {
  const { objects, compared, sourceListed, strangers, names, what = 'object' } = plan;
  if (strangers && sourceListed !== 0) {
    const message = `the two sides had no key in common, and ${countOf(objects)} would be deleted at the destination`;
    throw new XsyncError('guard', message, {
      remedy: `check both paths; --max-delete ${objects} deletes anyway`,
    });
  }
  // A source that may become empty may become nearly empty.
  if (allowEmptySource || objects <= compared / 2) return;
  // Where deletes go both ways, a side that has none of several is most likely another disk.
  const many = names && objects === compared ? SEVERAL : MANY;
  if (compared < many) return;
  throw tooMany(`${objects} of ${compared} ${what}s would be deleted${at(names)}, which is more than half`, objects);
}

function at(names: DeletePlan['names']): string {
  return names === undefined ? '' : ` at ${names.dest}`;
}

function tooMany(message: string, objects: number): XsyncError {
  return new XsyncError('guard', message, {
    remedy: `list them with --dry-run; --max-delete ${objects} deletes them`,
  });
}

export function countOf(objects: number, what: DeletePlan['what'] | 'object' = 'object'): string {
  return objects === 1 ? `1 ${what}` : `${objects} ${what}s`;
}

function mostDeletes(max: DeleteOptions['max'], known: number): number {
  if (max === undefined) return Math.max(SAFE_OBJECTS, Math.floor((known * SAFE_PERCENT) / 100));
  return 'objects' in max ? max.objects : Math.floor((known * max.percent) / 100);
}
