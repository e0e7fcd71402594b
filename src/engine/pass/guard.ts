/** Checks made once, before a run moves anything. */
import { XsyncError } from '../../model/error.js';
import type { DeleteOptions } from '../options.js';
import type { Backup, RunPair, RunSide } from '../pair.js';
import { backupKey } from '../plan/backup.js';

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

/** @throws usage when the sides are the same place or one lies inside the other */
export function refuseOverlap(pair: RunPair): void {
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
  /** Objects in the manifest. */
  known: number;
  /** Objects that the source has. */
  sourceListed: number;
  /** Source keys that are also at the destination or in the manifest; 0 if there were none before a refused run. */
  common: number;
  /** --delete-unknown: objects that xsync did not put there are deleted too. */
  unknown: boolean;
  /** The run covers only named objects. */
  named: boolean;
}

/** What may be deleted without --max-delete: a share of the manifest's objects, or this many if that is more. */
const SAFE_PERCENT = 25;
const SAFE_OBJECTS = 1000;

/**
 * The last check before anything is deleted (invariant 6).
 * @throws guard, naming the flag that would allow it
 */
export function refuseDeletes(options: DeleteOptions, plan: DeletePlan): void {
  const { objects, known, sourceListed, common } = plan;
  const count = countOf(objects);
  if (sourceListed === 0 && !plan.named && !options.allowEmptySource) {
    throw new XsyncError('guard', `the source is empty, and ${count} would be deleted at the destination`, {
      remedy: 'check the source and its credentials; --allow-empty-source deletes anyway',
    });
  }
  if (plan.unknown && !plan.named && common === 0 && sourceListed > 0 && options.max === undefined) {
    const message = `the two sides had no key in common, and ${count} would be deleted at the destination`;
    throw new XsyncError('guard', message, {
      remedy: `check both paths; --max-delete ${objects} deletes anyway`,
    });
  }
  const most = mostDeletes(options.max, known);
  if (objects <= most) return;
  const limit = options.max === undefined ? `${most} (a quarter of the manifest's objects, or 1,000)` : `${most}`;
  throw new XsyncError('guard', `${count} would be deleted, which is more than --max-delete allows: ${limit}`, {
    remedy: `list them with --dry-run; --max-delete ${objects} deletes them`,
  });
}

export function countOf(objects: number): string {
  return objects === 1 ? '1 object' : `${objects} objects`;
}

function mostDeletes(max: DeleteOptions['max'], known: number): number {
  if (max === undefined) return Math.max(SAFE_OBJECTS, Math.floor((known * SAFE_PERCENT) / 100));
  return 'objects' in max ? max.objects : Math.floor((known * max.percent) / 100);
}
