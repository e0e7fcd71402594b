/** What the manifest says of its pair: read from it alone, so that it holds across restarts and from other processes. */
import type { FailureRow, LockHolder, Manifest, RunOutcome, RunRow } from '../../manifest/port.js';
import type { ErrorClass } from '../../model/error.js';
import { readRun } from './facts.js';
import { synchronisedMs } from './journal.js';
import { type Lags, percentiles } from './lag.js';
import { type Progress, progressOfPass } from './progress.js';
import { add, increase, minus, nothing, type Sum } from './sum.js';

const HOUR_MS = 3_600_000;
const PAGE = 1000;
const NAMED = 5;

/** Plain data; times in ms since 1970. `docs/status.md` says exactly what each figure means. */
export interface PairStatus {
  atMs: number;
  /** The process that holds the pair. */
  atWork?: LockHolder;
  /** What is at the destination, of what the source has as far as it was looked at. Absent before the first pass. */
  history?: History;
  /**
   * Everything written to the source before `untilMs` is at the destination. Absent before the first complete pass.
   * Without the `behind` failed objects that are older, it would be `withoutFailedMs`.
   */
  synchronised?: { untilMs: number; withoutFailedMs: number; behind: number };
  /** To be copied, as far as it is known. */
  pending: Sum;
  /** `oldest` by the time of their change; what was given up is only counted. */
  failed: Sum & { byClass: Partial<Record<ErrorClass, number>>; dropped: number; oldest: FailureRow[] };
  /** Rows of the manifest. */
  known: number;
  /** The latest; absent when what it wrote down cannot be read. `killed`: it did not live to say how it ended. */
  lastRun?: {
    id: string;
    command: string;
    startedMs: number;
    /** Its last sign of life, when it is running or was killed. */
    endedMs: number;
    outcome: RunOutcome | 'killed';
    copied: Sum;
    deleted: Sum;
    failed: number;
    error?: { code: string; message: string };
  };
  /** Of the run that is at work: a second, and how long what is pending takes at this pace. */
  rate?: Sum & { etaMs?: number };
  /** From a change at the source to its arrival, of the objects that arrived in the last hour or day. */
  lag: { hour?: Lags; day?: Lags };
}

export interface History extends Sum {
  ofObjects: number;
  ofBytes: number;
  /** Of the bytes; below 100 as long as one object is missing. */
  percent: number;
  /** Left out by filters, or no objects (symbolic links), and no part of the rest. */
  excluded: Sum;
  /** When it was looked at. */
  atMs: number;
  /** False while it is not known how much the source has: `of…` is what was found so far. */
  total: boolean;
}

/** @param atWork who holds the pair's lock */
export function statusOf(manifest: Manifest, nowMs: number, atWork?: LockHolder): PairStatus {
  const progress = progressOfPass(manifest);
  const withoutFailedMs = synchronisedMs(manifest);
  const { behind, missing, ...failed } = failedOf(manifest, withoutFailedMs);
  return {
    atMs: nowMs,
    atWork,
    history: progress && historyOf(progress, missing),
    synchronised: withoutFailedMs === undefined ? undefined : untilOf(withoutFailedMs, behind, failed),
    pending: progress?.pending ?? nothing(),
    failed,
    known: manifest.count(),
    lastRun: lastRunOf(manifest, atWork),
    rate: atWork && progress && !progress.complete ? rateOf(progress) : undefined,
    lag: {
      hour: percentiles(manifest.lags(nowMs - HOUR_MS)),
      day: percentiles(manifest.lags(nowMs - 24 * HOUR_MS)),
    },
  };
}

/**
 * While a pass goes on, what it has not come to yet counts as the last one left it. After it, nothing is missing but
 * what failed, given up or not, and of that a retry may have copied some since.
 */
function historyOf(progress: Progress, failed: Sum): History {
  const { source, synced, last, listed, complete, excluded } = progress;
  const of =
    listed || !last ? source : { objects: atLeast(last, source, 'objects'), bytes: atLeast(last, source, 'bytes') };
  const missing = minus(source, synced);
  if (complete) {
    missing.objects = Math.min(missing.objects, failed.objects);
    missing.bytes = Math.min(missing.bytes, failed.bytes);
  }
  const there = minus(of, missing);
  const share = of.bytes > 0 ? there.bytes / of.bytes : of.objects > 0 ? there.objects / of.objects : 1;
  // All but one object of a million is not all.
  const percent = missing.objects > 0 ? Math.min(99.99, 100 * share) : 100;
  const total = listed || last !== undefined;
  return { ...there, ofObjects: of.objects, ofBytes: of.bytes, percent, excluded, atMs: progress.updatedMs, total };
}

function atLeast(a: Sum, b: Sum, what: keyof Sum): number {
  return Math.max(a[what], b[what]);
}

/**
 * @param beforeMs failed objects that changed before count as `behind`
 * @returns `missing`: with what was given up
 */
function failedOf(manifest: Manifest, beforeMs = 0): PairStatus['failed'] & { behind: number; missing: Sum } {
  const told: PairStatus['failed'] = { ...nothing(), byClass: {}, dropped: 0, oldest: [] };
  const missing = nothing();
  let behind = 0;
  for (let after: string | undefined; ; ) {
    const rows = manifest.failures(after, PAGE);
    if (rows.length === 0) break;
    after = rows.at(-1)?.key;
    const live = rows.filter((row) => !row.dropped);
    told.dropped += rows.length - live.length;
    for (const { size } of rows) add(missing, size);
    for (const row of live) {
      add(told, row.size);
      increase(told.byClass, row.class);
      if (row.sourceMtimeMs < beforeMs) behind++;
    }
    told.oldest = [...told.oldest, ...live].sort((a, b) => a.sourceMtimeMs - b.sourceMtimeMs).slice(0, NAMED);
  }
  return { ...told, behind, missing };
}

/** A failed object that was written before the last pass is not at the destination: nothing after it is claimed. */
function untilOf(
  withoutFailedMs: number,
  behind: number,
  { oldest: [oldest] }: PairStatus['failed'],
): PairStatus['synchronised'] {
  const untilMs = Math.min(withoutFailedMs, oldest?.sourceMtimeMs ?? withoutFailedMs);
  return { untilMs, withoutFailedMs, behind };
}

function lastRunOf(manifest: Manifest, atWork?: LockHolder): PairStatus['lastRun'] {
  const [row] = manifest.runs(1);
  if (!row) return undefined;
  const detail = readRun(row);
  if (!detail) return undefined;
  const { copied, deleted, failed } = detail.summary;
  const { id, command, startedMs, endedMs } = row;
  const outcome = outcomeOf(row, atWork);
  return {
    ...{ id, command, startedMs, endedMs, outcome, copied },
    deleted: { objects: deleted.objects, bytes: deleted.bytes },
    failed: failed.objects,
    error: detail.error,
  };
}

/** A run that has not said how it ended, and that is older than the process which holds the pair, was killed. */
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
