/** How far a pass over the keys of a pair is. The manifest stores it as JSON for `status`. */
import type { Manifest } from '../../manifest/port.js';
import type { Pass } from '../census.js';
import { failuresOf } from './failed.js';
import type { Fold } from './fold.js';
import { add, minus, nothing, plus, type Sum } from './sum.js';

const FACT = 'progress';

/** How far the latest pass is, or was when it ended. */
export interface Progress {
  runId: string;
  command: string;
  /** Of the pass, which may be older than the run. Times in ms. */
  startedMs: number;
  updatedMs: number;
  /** The source has been listed to its end: the total is known. */
  listed: boolean;
  complete: boolean;
  /** Of the source, what has been looked at. */
  source: Sum;
  /** Left out by filters, or no objects (symbolic links); no part of `source`. */
  excluded: Sum;
  /** Found equal, or copied. */
  synced: Sum;
  /** To be copied; of what is being copied, the bytes that have not gone out. */
  pending: Sum;
  /** Per second, over the last seconds. */
  rate: Sum;
  /** What the source had in the last complete pass. */
  last?: Sum;
}

/** What a run continues from. */
export interface Before {
  /** Of the source: what earlier runs of the same pass compared. */
  passed: Sum;
  /** Of the passed: what they did not copy. */
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

/** @param fold of the events of the run that continues the pass */
export function progressOf(
  fold: Fold,
  { passed, failed, last }: Before,
): Pick<Progress, 'listed' | 'source' | 'excluded' | 'synced' | 'pending' | 'last'> {
  const { sourceListed: listed, excluded, postponed, uncopied, heldNow } = fold;
  const { copied, skipped } = fold.sums;
  const pending = fold.pending.sums();
  const found = minus(skipped, excluded);
  return {
    listed,
    source: plus(passed, copied, found, uncopied, heldNow, pending),
    excluded,
    synced: plus(minus(passed, failed), copied, minus(found, postponed)),
    pending: { objects: pending.objects, bytes: pending.left },
    last,
  };
}

/** Undefined before the first pass over the pair. */
export function progressOfPass(manifest: Pick<Manifest, 'getFact'>): Progress | undefined {
  const text = manifest.getFact(FACT);
  return text === undefined ? undefined : (JSON.parse(text) as Progress);
}

export function saveProgress(manifest: Pick<Manifest, 'setFact'>, progress: Progress): void {
  manifest.setFact(FACT, JSON.stringify(progress));
}
