/** The status of a pair, read from its manifest alone: it survives restarts, and other processes can read it. */
import type { FailureRow, LockHolder, Manifest, RunOutcome, RunRow } from '../../manifest/port.js';
import type { ErrorClass } from '../../model/error.js';
import type { Cost } from '../../model/prices.js';
import { readFact, readRun, SPENT } from './facts.js';
import { synchronisedMs } from './journal.js';
import { type Lags, percentiles } from './lag.js';
import { type Progress, progressOfPass } from './progress.js';
import { minus, nothing, plus, type Sum } from './sum.js';

const HOUR_MS = 3_600_000;
const NAMED = 5;

/** Plain data; times in ms since 1970. `docs/status.md` defines each figure. */
export interface PairStatus {
  atMs: number;
  /** The process that holds the lock of the pair. */
  atWork?: LockHolder;
  /** How much of the source, as far as it was listed, is at the destination. Absent before the first pass. */
  history?: History;
  /**
   * Everything written to the source before `untilMs` is at the destination; 0 if no such time is known. Absent before the
   * first complete pass. Without the `behind` older objects that failed, it would be `withoutFailedMs`.
   */
  synchronised?: { untilMs: number; withoutFailedMs: number; behind: number };
  /** To be copied, as far as known. */
  pending: Sum;
  /** `oldest`: those that miss the oldest changes. Dropped objects are only counted. */
  failed: Sum & { byClass: Partial<Record<ErrorClass, number>>; dropped: number; oldest: FailureRow[] };
  /** Open conflicts of a mirror; 0 of any other pair. */
  conflicts: number;
  /** Rows of the manifest. */
  known: number;
  /** The latest; absent when what it wrote down cannot be read. `killed`: it did not live to say how it ended. */
  lastRun?: {
    id: string;
    command: string;
    startedMs: number;
    /** Of a run that is running or was killed: when it last wrote to the manifest. */
    endedMs: number;
    outcome: RunOutcome | 'killed';
    copied: Sum;
    deleted: Sum;
    failed: number;
    /** Of a run between remotes with prices. */
    cost?: Cost[];
    error?: { code: string; message: string };
  };
  /** What all runs that have ended since `sinceMs` have cost; absent while no remote has had prices. */
  spent?: { sinceMs: number; cost: Pick<Cost, 'currency' | 'amount'>[] };
  /** Per second, of the active run; `etaMs` is how long the pending objects take at this rate. */
  rate?: Sum & { etaMs?: number };
  /** Time from a change at the source to its arrival, for objects that arrived in the last hour or day. */
  lag: { hour?: Lags; day?: Lags };
}

export interface History extends Sum {
  ofObjects: number;
  ofBytes: number;
  /** Of the objects, listed and not compared yet, so that their bytes are in no figure. */
  ahead?: number;
  /** Of the bytes; of the objects while some are `ahead`. Below 100 while one object is missing. */
  percent: number;
  /** Excluded by filters, or not objects (symbolic links). Not part of the other figures. */
  excluded: Sum;
  /** When this was written. */
  atMs: number;
  /** False while the size of the source is not known: `of…` is what was found so far. */
  total: boolean;
}

/** How much older than allowed the time up to which the sides are synchronized is, ms; without one, since 1970. */
export function behindMs({ atMs, synchronised }: PairStatus, rpoMs: number): number {
  return Math.max(0, atMs - (synchronised?.untilMs ?? 0) - rpoMs);
}

/** @param atWork the process that holds the lock of the pair */
export function statusOf(manifest: Manifest, nowMs: number, atWork?: LockHolder): PairStatus {
  const progress = progressOfPass(manifest);
  const withoutFailedMs = synchronisedMs(manifest, nowMs);
  const { untilMs, behind, missing, ...failed } = failedOf(manifest, withoutFailedMs);
  return {
    atMs: nowMs,
    atWork,
    history: progress && historyOf(progress, missing),
    synchronised: withoutFailedMs === undefined ? undefined : { untilMs, withoutFailedMs, behind },
    pending: progress?.pending ?? nothing(),
    failed,
    conflicts: manifest.conflicts.countOpen(),
    known: manifest.count(),
    lastRun: lastRunOf(manifest, atWork),
    spent: spentOf(manifest),
    rate: atWork && progress && !progress.complete ? rateOf(progress) : undefined,
    lag: {
      hour: percentiles(manifest.lags(nowMs - HOUR_MS, nowMs)),
      day: percentiles(manifest.lags(nowMs - 24 * HOUR_MS, nowMs)),
    },
  };
}

/**
 * While a pass is running, keys that it has not reached count as the last pass left them. After it, only failed objects
 * are missing, dropped ones included; a retry may have copied some of them since.
 */
function historyOf(progress: Progress, failed: Sum): History {
  const { source, synced, last, listed, complete, excluded, ahead = 0 } = progress;
  const of =
    (listed && ahead === 0) || !last
      ? source
      : { objects: atLeast(last, source, 'objects'), bytes: atLeast(last, source, 'bytes') };
  const missing = minus(source, synced);
  if (complete) {
    missing.objects = Math.min(missing.objects, failed.objects);
    missing.bytes = Math.min(missing.bytes, failed.bytes);
  }
  const there = minus(of, missing);
  // Only the number of those that are still to be compared is known.
  if (!complete && !last && ahead > 0) {
    const objects = of.objects + ahead;
    const percent = Math.min(99.99, (100 * there.objects) / objects);
    const found = { ofObjects: objects, ofBytes: of.bytes, ahead, total: listed };
    return { ...there, ...found, percent, excluded, atMs: progress.updatedMs };
  }
  const share = of.bytes > 0 ? there.bytes / of.bytes : of.objects > 0 ? there.objects / of.objects : 1;
  // One missing object of a million must not show as 100.
  const percent = missing.objects > 0 ? Math.min(99.99, 100 * share) : 100;
  const total = listed || last !== undefined;
  return { ...there, ofObjects: of.objects, ofBytes: of.bytes, percent, excluded, atMs: progress.updatedMs, total };
}

function atLeast(a: Sum, b: Sum, what: keyof Sum): number {
  return Math.max(a[what], b[what]);
}

/**
 * @param upToMs what the last pass claims
 * @returns `untilMs`: what is left of that, because what failed objects miss is older; `behind`: how many do;
 *   `missing`: all failed objects, dropped ones included
 */
function failedOf(
  manifest: Manifest,
  upToMs = 0,
): PairStatus['failed'] & { untilMs: number; behind: number; missing: Sum } {
  const failed: PairStatus['failed'] = { ...nothing(), byClass: {}, dropped: 0, oldest: [] };
  const sums = manifest.failureSums(upToMs);
  const missing = plus(...sums);
  let untilMs = upToMs;
  let behind = 0;
  for (const sum of sums) {
    if (sum.dropped) {
      failed.dropped += sum.objects;
      continue;
    }
    failed.objects += sum.objects;
    failed.bytes += sum.bytes;
    failed.byClass[sum.class] = sum.objects;
    behind += sum.behind;
    untilMs = Math.min(untilMs, sum.arrivedMs);
  }
  if (failed.objects > 0) failed.oldest = manifest.oldestFailures(NAMED);
  return { ...failed, untilMs, behind, missing };
}

function spentOf(manifest: Manifest): PairStatus['spent'] {
  const spent = readFact(manifest, SPENT);
  if (!spent) return undefined;
  const cost = Object.entries(spent.amounts).map(([currency, amount]) => ({ currency, amount }));
  return { sinceMs: spent.sinceMs, cost };
}

function lastRunOf(manifest: Manifest, atWork?: LockHolder): PairStatus['lastRun'] {
  const [row] = manifest.runs(1);
  if (!row) return undefined;
  const detail = readRun(row);
  if (!detail) return undefined;
  const { copied, deleted, failed, cost } = detail.summary;
  const { id, command, startedMs, endedMs } = row;
  const outcome = outcomeOf(row, atWork);
  return {
    ...{ id, command, startedMs, endedMs, outcome, copied },
    deleted: { objects: deleted.objects, bytes: deleted.bytes },
    failed: failed.objects,
    cost,
    error: detail.error,
  };
}

/** A run without an outcome that is older than the process that holds the lock was killed. */
export function outcomeOf(
  { outcome, startedMs }: Pick<RunRow, 'outcome' | 'startedMs'>,
  atWork: Pick<LockHolder, 'sinceMs'> | undefined,
): RunOutcome | 'killed' {
  if (outcome !== 'running') return outcome;
  return atWork && startedMs >= atWork.sinceMs ? 'running' : 'killed';
}

function rateOf({ rate, pending, listed }: Progress): PairStatus['rate'] {
  const etaMs = listed && rate.bytes > 0 ? (1000 * pending.bytes) / rate.bytes : undefined;
  return { ...rate, etaMs };
}
