/** What the page of one destination shows besides its status: a bounded number of rows. Tests: test/web/detail.test.ts */
import { readRun } from '../engine/record/facts.js';
import { outcomeOf } from '../engine/record/status.js';
import type { ConflictRow, FailureRow, LockHolder, Manifest, RunOutcome } from '../manifest/port.js';
import type { Cost } from '../model/prices.js';

const FAILED = 100;
const CONFLICTS = 100;
const RUNS = 12;

export interface Detail {
  /** The key after which the failed list is shown. */
  after?: string;
  /** In the order of their keys. */
  failed: readonly FailureRow[];
  /** There are others behind them. */
  more: boolean;
  /** Open ones. */
  conflicts: readonly ConflictRow[];
  /** The latest first. */
  runs: readonly RunLine[];
}

/** Times in ms since 1970. */
export interface RunLine {
  id: string;
  command: string;
  startedMs: number;
  endedMs: number;
  outcome: RunOutcome | 'killed';
  copied: number;
  bytes: number;
  failed: number;
  deleted: number;
  cost?: readonly Cost[];
}

export function detailOf(manifest: Manifest, after?: string, atWork?: LockHolder): Detail {
  const rows = manifest.failures(after, FAILED + 1);
  const conflicts = manifest.conflicts.list(CONFLICTS).filter(({ settledMs }) => settledMs === undefined);
  const runs = manifest.runs(RUNS).flatMap((run): RunLine[] => {
    const summary = readRun(run)?.summary;
    if (!summary) return [];
    const { id, command, startedMs, endedMs } = run;
    const { copied, failed, deleted, cost } = summary;
    const sums = { copied: copied.objects, bytes: copied.bytes, failed: failed.objects, deleted: deleted.objects };
    return [{ id, command, startedMs, endedMs, outcome: outcomeOf(run, atWork), ...sums, cost }];
  });
  return { after, failed: rows.slice(0, FAILED), more: rows.length > FAILED, conflicts, runs };
}

/** A key as part of an address or a form, which keep neither line ends nor NUL as they are. */
export function keyParameter(key: string): string {
  return Buffer.from(key).toString('base64url');
}

/** @returns undefined if it is not one of `keyParameter` */
export function keyOfParameter(text: string): string | undefined {
  const key = Buffer.from(text, 'base64url').toString();
  return keyParameter(key) === text ? key : undefined;
}
