/** The progress of a pass over the keys of a pair. The manifest stores it as JSON for `status`. */
import type { Manifest } from '../../manifest/port.js';
import type { Pass } from '../census.js';
import { PROGRESS, readFact, writeFact } from './facts.js';
import { failuresOf } from './failed.js';
import type { Fold } from './fold.js';
import { add, minus, nothing, plus, type Sum } from './sum.js';

/** How far the latest pass is, or was when it ended. */
export interface Progress {
  runId: string;
  command: string;
  /** Of the pass, which may be older than the run. */
  startedMs: number;
  updatedMs: number;
  /** The source has been listed completely, so `source` and `ahead` are the total. */
  listed: boolean;
  /** Objects of the source that were listed and are not compared yet. */
  ahead?: number;
  complete: boolean;
  /** Objects of the source compared so far. */
  source: Sum;
  /** Excluded by filters, or not objects (symbolic links). Not part of `source`. */
  excluded: Sum;
  /** Found equal or copied. */
  synced: Sum;
  /** Objects that are not copied yet, and their bytes that are not sent yet. */
  pending: Sum;
  /** Per second, over the last ten seconds. */
  rate: Sum;
  /** What the source had in the last complete pass. */
  last?: Sum;
}

/** What earlier runs did. */
export interface Before {
  /** Objects of the source that earlier runs of the same pass compared. */
  passed: Sum;
  /** Of those, the objects that they did not copy. */
  failed: Sum;
  /** What the source had in the last complete pass. */
  last?: Sum;
}

export function beforeRun(manifest: Manifest, pass: Pass): Before {
  const last = progressOfPass(manifest);
  const failed = nothing();
  for (const { size } of failuresOf(manifest, pass)) add(failed, size);
  return { passed: pass.passed, failed, last: last?.complete ? last.source : last?.last };
}

/** @param fold of the run that continues the pass */
export function progressOf(
  fold: Fold,
  { passed, failed, last }: Before,
): Pick<Progress, 'listed' | 'ahead' | 'source' | 'excluded' | 'synced' | 'pending' | 'last'> {
  const { sourceListed: listed, excluded, postponed, uncopied, heldNow } = fold;
  const { copied, skipped } = fold.sums;
  const pending = fold.pending.sums();
  const found = minus(skipped, excluded);
  const compared = copied.objects + skipped.objects + uncopied.objects + heldNow.objects + pending.objects;
  const ahead = Math.max(0, fold.sums.listed.source - compared);
  return {
    listed,
    ahead,
    source: plus(passed, copied, found, uncopied, heldNow, pending),
    excluded,
    synced: plus(minus(passed, failed), copied, minus(found, postponed)),
    pending: { objects: pending.objects, bytes: pending.left },
    last,
  };
}

/** Undefined before the first pass over the pair. */
export function progressOfPass(manifest: Pick<Manifest, 'getFact'>): Progress | undefined {
  return readFact(manifest, PROGRESS);
}

export function saveProgress(manifest: Pick<Manifest, 'setFact'>, progress: Progress): void {
  writeFact(manifest, PROGRESS, progress);
}
