/**
 * The events that a run reports, as plain data: for the terminal, JSON lines, metrics and the report page. The engine
 * declares the reporter; the CLI implements it. `docs/json.md` documents the events.
 * Tests: test/cli/exit.test.ts
 */
import type { RunOutcome } from '../manifest/port.js';
import type { AttributeName, Fidelity } from '../model/attributes.js';
import type { ErrorClass, ErrorCode } from '../model/error.js';
import type { Cost } from '../model/prices.js';
import type { VerifiedBy } from '../model/verified.js';
import type { Counts } from '../store/wrap/meter.js';
import type { RetryNotice } from '../store/wrap/share.js';
import type { CopyReason, DeleteReason, Directed, KeepReason, SkipReason } from './decide/decide.js';

export type Side = 'source' | 'destination';

/** Why a run ended before it had seen every key. */
export type StopReason = 'interrupted' | 'max-transfer' | 'max-cost' | 'max-duration';

/** Why a failed object is not retried: not due yet, nothing that could help has changed, or dropped by the user. */
export type HeldReason = 'later' | 'unchanged' | 'dropped';

export interface Failure {
  key: string;
  size: number;
  class: ErrorClass;
  code: ErrorCode;
  message: string;
  remedy?: string;
  attempts: number;
  /** The operation that failed; absent for a copy. `list`: a row of a listing, which has no key. */
  operation?: 'delete' | 'list';
}

/** One side's object of a conflict. */
type Conflicting = { size: number; mtimeMs: number };

/** `direction` is there for what a mirror does at the source; everything else is about the usual way. */
export type RunEvent = Told & Directed;

type Told =
  | {
      type: 'start';
      runId: string;
      source: string;
      destination: string;
      dryRun: boolean;
      manifest: string;
      /** The manifest does not record the run: its ID leads to no report. */
      kept?: false;
    }
  | { type: 'notice'; level: 'info' | 'warn'; message: string }
  /** Cumulative; `done` once the whole side is listed. */
  | { type: 'listed'; side: Side; objects: number; done: boolean }
  /** A side lists out of order, and the listings start again: skips and failures are reported again. */
  | { type: 'again' }
  | {
      type: 'skip';
      key: string;
      size: number;
      reason: SkipReason;
      detail?: string;
      /** Source Last-Modified, ms, of what is still `settling`. */
      sourceMtimeMs?: number;
    }
  /** The object is queued; in a dry run, the last event about it. */
  | {
      type: 'plan';
      key: string;
      size: number;
      reason: CopyReason;
      detail?: string;
      /** Dry run only: the number of parts. A run reports it with `begin`. */
      parts?: number;
      /** Source Last-Modified, ms. */
      sourceMtimeMs: number;
      /** Dry run only: as in `copied`. */
      from?: string;
    }
  | { type: 'begin'; key: string; size: number; parts: number; resumedBytes: number }
  /** Bytes of one object that were sent to the destination since the previous such event of this object. */
  | { type: 'progress'; key: string; bytes: number }
  | {
      type: 'copied';
      key: string;
      size: number;
      verifiedBy: VerifiedBy;
      parts: number;
      resumedParts: number;
      resumedBytes: number;
      elapsedMs: number;
      /** Source Last-Modified, ms. */
      sourceMtimeMs: number;
      /** It replaced something at the destination. */
      replaced: boolean;
      /** Key of another object of the destination that was copied, instead of sending the bytes again. */
      from?: string;
      /** What became of its attributes; absent: nothing to tell. */
      fidelity?: Fidelity;
    }
  /** Gone from the source, and about to be deleted at the destination; in a dry run, the last event about it. */
  | { type: 'doom'; key: string; size: number; reason: DeleteReason }
  | { type: 'deleted'; key: string; size: number }
  /** Of a move: proved at the destination, and deleted at the source. */
  | { type: 'moved'; key: string; size: number }
  /** Attributes were set (would be, in a dry run) of an object whose bytes are the same. It is skipped, too. */
  | { type: 'attributes'; key: string; size: number; changed: AttributeName[]; fidelity?: Fidelity }
  /** Not at the source, and not deleted because xsync did not put it there. */
  | { type: 'keep'; key: string; size: number; reason: KeepReason }
  /** An object about to be overwritten or deleted was backed up under the key `to`. */
  | { type: 'backup'; key: string; size: number; to: string }
  /**
   * Of a mirror: changed on both sides, to different content. Without a winner both stay as they are. `keepsLoser`: under
   * another name, which the event `backup` tells.
   */
  | {
      type: 'conflict';
      key: string;
      size: number;
      source: Conflicting;
      destination: Conflicting;
      winner?: Side;
      keepsLoser: boolean;
    }
  /** Failed before, and not retried yet. */
  | { type: 'held'; key: string; size: number; class: ErrorClass; code: ErrorCode; why: HeldReason; untilMs?: number }
  | ({ type: 'failed' } & Failure)
  | ({ type: 'retry'; side: Side } & RetryNotice)
  /** The source changed while it was read; the object starts again. */
  | { type: 'restart'; key: string; message: string }
  /**
   * A part far slower than its siblings was requested a second time, on another connection. `won` is the request that
   * finished first; `bytes` are those that the other one moved in vain.
   */
  | { type: 'race'; key: string; part: number; bytes: number; won: 'first' | 'second' }
  /** The tuner's current settings; `message` also gives the reason. */
  | { type: 'tuned'; parts: number; objects: number; partSize: number; message: string }
  /** With `--queue`: workers that are there, jobs that none has taken, and what each has done for this run. */
  | { type: 'fleet'; there: number; waiting: number; workers: WorkerSum[] }
  /** `error`: the fault that ended the run. */
  | {
      type: 'end';
      summary: Summary;
      outcome: Exclude<RunOutcome, 'running'>;
      error?: { code: string; message: string };
    }
  /** Of a watch: the next poll is at `untilMs`. Listing costs that many requests at the current rate. */
  | { type: 'waiting'; untilMs: number; listRequests: number; listRequestsPerDay: number; listCostPerDay?: Cost[] }
  /** Of a watch: work fails at present. Reported once; retried until it succeeds. */
  | { type: 'trouble'; code: ErrorCode; message: string; remedy?: string }
  /** Of a watch: work succeeds again; `afterMs` since the first failure. */
  | { type: 'well'; afterMs: number };

export type Reporter = (event: RunEvent) => void;

/** Requests by kind, retries included, and payload bytes. */
export type Traffic = Counts;

/** An object that lost attributes. */
export interface LossyObject {
  key: string;
  lost: Fidelity['lost'];
}

/** By attribute: objects that have it as it was, in another form, or not or only in part. */
export interface FidelitySum {
  kept: Partial<Record<AttributeName, number>>;
  mapped: Partial<Record<AttributeName, number>>;
  lost: Partial<Record<AttributeName, number>>;
  /** Why, without the names of tags and entries; the first `COUNTED_REASONS` of them. */
  reasons: { became: 'mapped' | 'lost'; attribute: AttributeName; reason: string; objects: number }[];
  /** Objects that lost something; the first of them in `list`. */
  objects: number;
  list: LossyObject[];
}

/** What a mirror did at its source, and the conflicts it found. */
export interface MirrorSum {
  /** From the destination to the source. */
  copied: { objects: number; bytes: number };
  /** At the source. */
  deleted: { objects: number; bytes: number };
  /** `kept`: the loser is kept under another name; `open`: both stay as they are. */
  conflicts: { objects: number; kept: number; open: number };
}

/** What one machine did for a run: objects, and parts of those that are shared. `bytesPerSecond`: since the run's start. */
export interface WorkerSum {
  name: string;
  objects: number;
  bytes: number;
  bytesPerSecond: number;
}

export interface Summary {
  runId: string;
  source: string;
  destination: string;
  dryRun: boolean;
  /** ms since 1970. */
  startedMs: number;
  elapsedMs: number;
  listed: { source: number; destination: number };
  /** In a dry run: what would be copied. */
  copied: { objects: number; bytes: number };
  /** Of the copied: what an earlier, interrupted run already sent. */
  resumed: { objects: number; parts: number; bytes: number };
  skipped: { objects: number; bytes: number; byReason: Partial<Record<SkipReason, number>> };
  failed: { objects: number; byClass: Partial<Record<ErrorClass, number>>; list: Failure[] };
  /** Failed before and not retried yet. */
  held: { objects: number; byClass: Partial<Record<ErrorClass, number>>; dropped: number };
  /** sync: deleted, or in a dry run what would be. `left`: gone from the source, but still at the destination. */
  deleted: { objects: number; bytes: number; left: number };
  /** move: deleted at the source after its copy was proved. Absent for other commands. */
  moved?: { objects: number; bytes: number };
  /** Of the copied: copies of other objects of the destination, which sent no bytes (--track-renames). Absent: none. */
  renamed?: { objects: number; bytes: number };
  /** mirror: of the copied and deleted, those at the source; and the conflicts. Absent for other commands. */
  mirror?: MirrorSum;
  /** sync: not at the source, and left at the destination. */
  kept: { objects: number; bytes: number; byReason: Partial<Record<KeepReason, number>> };
  /** sync: the first sign that a listing cannot be right, as a clause. The next run lists again. */
  oddity?: string;
  /** Copied to the backup location before it was overwritten or deleted. */
  backedUp: { objects: number; bytes: number };
  /**
   * Neither copied, skipped nor failed because the run was stopped or broken: left for the next one. Filters may exclude
   * some of them. `atLeast`: the source was not listed to its end.
   */
  unfinished: { objects: number; atLeast?: boolean };
  verified: Partial<Record<VerifiedBy, number>>;
  /** Objects whose attributes alone were set; absent: none. */
  refreshed?: number;
  /** Attributes of the copied objects; absent: nothing to tell. */
  fidelity?: FidelitySum;
  retries: number;
  restarts: number;
  /** With `--queue`: what each worker did. */
  workers?: WorkerSum[];
  /** Parts that were requested twice because they were slow, and the bytes that were moved in vain. */
  waste: { parts: number; bytes: number };
  /**
   * From the run's start to its end. A watch's runs over changed keys share the pair with runs at the same time: the
   * traffic of those is counted in each of them.
   */
  traffic: { source: Traffic; destination: Traffic };
  /** Dry run only: the requests that the copies and deletes would need on each side. */
  planned?: { source: Traffic['requests']; destination: Traffic['requests'] };
  /** The price of `traffic`, or of `planned` in a dry run; only when the remotes have prices. */
  cost?: Cost[];
  stopped?: StopReason;
}

/** Further reasons are not counted: the services may word them for each object. */
export const COUNTED_REASONS = 50;

/** Further objects that lost attributes are counted, but not held in memory. */
export const LISTED_LOSSES = 100;

/** Further failures are counted and written to the manifest, but not held in memory. */
export const LISTED_FAILURES = 100;
