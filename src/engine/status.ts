/** What the manifest says of its pair: read from it alone, so that it holds across restarts and from other processes. */
import type { FailureRow, Manifest, RunOutcome } from '../manifest/port.js';
import type { ErrorClass } from '../model/error.js';
import type { Summary } from './events.js';
import { type Progress, progressOfPass, type RunDetail, type Sum, synchronisedMs } from './journal.js';
import { type Lags, percentiles } from './lag.js';

const HOUR_MS = 3_600_000;
const PAGE = 1000;
const NAMED = 5;

/** Plain data; times in ms since 1970. `docs/json.md` documents it. */
export interface PairStatus {
  atMs: number;
  /** Found equal or copied, of what the source had when it was last looked at. Absent before the first pass. */
  history?: { objects: number; bytes: number; ofObjects: number; ofBytes: number; percent: number; listed: boolean };
  /**
   * Everything written to the source before this is at the destination. Absent before the first complete pass.
   * `heldBackBy` names failed objects that are older than the pass: without them it would be `withoutFailedMs`.
   */
  synchronised?: { untilMs: number; withoutFailedMs: number; heldBackBy: string[] };
  pending: Sum;
  failed: { objects: number; byClass: Partial<Record<ErrorClass, number>>; dropped: number; oldest: FailureRow[] };
  /** Rows of the manifest. */
  known: number;
  lastRun?: {
    id: string;
    command: string;
    startedMs: number;
    endedMs: number;
    outcome: RunOutcome;
    copied: Sum;
    deleted: Sum;
    failed: number;
    error?: { code: string; message: string };
  };
  /** While a run is at work: a second, and how long it will take at this pace. */
  rate?: Sum & { etaMs?: number };
  lag: { hour?: Lags; day?: Lags };
}

/** @param running a process is at work on the pair */
export function statusOf(manifest: Manifest, nowMs: number, running: boolean): PairStatus {
  const progress = progressOfPass(manifest);
  const failed = failedOf(manifest);
  return {
    atMs: nowMs,
    history: progress && historyOf(progress),
    synchronised: synchronisedOf(manifest, failed.youngestAllowed),
    pending: progress?.pending ?? { objects: 0, bytes: 0 },
    failed: failed.told,
    known: manifest.count(),
    lastRun: lastRunOf(manifest),
    rate: running && progress ? rateOf(progress) : undefined,
    lag: {
      hour: percentiles(manifest.lags(nowMs - HOUR_MS)),
      day: percentiles(manifest.lags(nowMs - 24 * HOUR_MS)),
    },
  };
}

function historyOf({ synced, source, listed }: Progress): PairStatus['history'] {
  const percent =
    source.bytes > 0
      ? (100 * synced.bytes) / source.bytes
      : source.objects > 0
        ? (100 * synced.objects) / source.objects
        : 100;
  // All but one object of a million is not all.
  const rounded = synced.objects < source.objects ? Math.min(99.99, percent) : 100;
  return { ...synced, ofObjects: source.objects, ofBytes: source.bytes, percent: rounded, listed };
}

interface Failed {
  told: PairStatus['failed'];
  /** The oldest failed objects by the time of their change. */
  youngestAllowed: { key: string; mtimeMs: number }[];
}

function failedOf(manifest: Manifest): Failed {
  const told: PairStatus['failed'] = { objects: 0, byClass: {}, dropped: 0, oldest: [] };
  let oldest: FailureRow[] = [];
  for (let after: string | undefined; ; ) {
    const rows = manifest.failures(after, PAGE);
    if (rows.length === 0) break;
    after = rows.at(-1)?.key;
    for (const row of rows) {
      if (row.dropped) told.dropped++;
      else {
        told.objects++;
        told.byClass[row.class] = (told.byClass[row.class] ?? 0) + 1;
      }
    }
    const live = rows.filter((row) => !row.dropped);
    oldest = [...oldest, ...live].sort((a, b) => a.sourceMtimeMs - b.sourceMtimeMs).slice(0, NAMED);
  }
  told.oldest = oldest;
  return { told, youngestAllowed: oldest.map(({ key, sourceMtimeMs }) => ({ key, mtimeMs: sourceMtimeMs })) };
}

/** A failed object that was written before the last pass is not at the destination: nothing after it is claimed. */
function synchronisedOf(manifest: Manifest, failed: Failed['youngestAllowed']): PairStatus['synchronised'] {
  const withoutFailedMs = synchronisedMs(manifest);
  if (withoutFailedMs === undefined) return undefined;
  const older = failed.filter(({ mtimeMs }) => mtimeMs < withoutFailedMs);
  const untilMs = Math.min(withoutFailedMs, ...older.map(({ mtimeMs }) => mtimeMs));
  return { untilMs, withoutFailedMs, heldBackBy: older.map(({ key }) => key) };
}

function lastRunOf(manifest: Manifest): PairStatus['lastRun'] {
  const [row] = manifest.runs(1);
  if (!row) return undefined;
  const { summary, error } = JSON.parse(row.detail) as RunDetail;
  const { copied, deleted, failed }: Summary = summary;
  const { id, command, startedMs, endedMs, outcome } = row;
  return {
    ...{ id, command, startedMs, endedMs, outcome, copied },
    deleted: { objects: deleted.objects, bytes: deleted.bytes },
    failed: failed.objects,
    error,
  };
}

function rateOf({ rate, pending, listed }: Progress): PairStatus['rate'] {
  const etaMs = listed && rate.bytes > 0 ? (1000 * pending.bytes) / rate.bytes : undefined;
  return { ...rate, etaMs };
}
