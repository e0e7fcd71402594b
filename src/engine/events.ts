/**
 * What a run tells while it goes: a stream of plain-data events that a terminal, JSON lines and later Prometheus and
 * a report page all read. The engine declares the reporter; the CLI implements it. `docs/json.md` documents them.
 */
import type { RunOutcome } from '../manifest/port.js';
import type { ErrorClass, ErrorCode } from '../model/error.js';
import type { Cost } from '../model/prices.js';
import type { VerifiedBy } from '../model/verified.js';
import type { Counts } from '../store/wrap/meter.js';
import type { RetryNotice } from '../store/wrap/share.js';
import type { CopyReason, DeleteReason, KeepReason, SkipReason } from './decide/decide.js';

export type Side = 'source' | 'destination';

/** Why a run ended before everything was looked at. */
export type StopReason = 'interrupted' | 'max-transfer' | 'max-duration';

/** Why a failed object is not tried again: its time has not come, somebody must change something, it was given up. */
export type HeldReason = 'later' | 'unchanged' | 'dropped';

export interface Failure {
  key: string;
  size: number;
  class: ErrorClass;
  code: ErrorCode;
  message: string;
  remedy?: string;
  attempts: number;
  /** What failed, when it was no copy. */
  operation?: 'delete';
}

export type RunEvent =
  | {
      type: 'start';
      runId: string;
      source: string;
      destination: string;
      dryRun: boolean;
      manifest: string;
      /** The manifest forgets the run when it has ended: its id leads to no report. */
      kept?: false;
    }
  | { type: 'notice'; level: 'info' | 'warn'; message: string }
  /** Cumulative; `done` once the side has been listed whole. */
  | { type: 'listed'; side: Side; objects: number; done: boolean }
  /** A side lists out of order, and the listings start again: what was told of skips and failures is told once more. */
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
  /** In a dry run the last word on an object; otherwise it has been queued. */
  | {
      type: 'plan';
      key: string;
      size: number;
      reason: CopyReason;
      detail?: string;
      /** Of a dry run: the parts that the object would be sent in. In a run, `begin` says it. */
      parts?: number;
      /** Source Last-Modified, ms. */
      sourceMtimeMs: number;
    }
  | { type: 'begin'; key: string; size: number; parts: number; resumedBytes: number }
  /** Bytes of one object that went out to the destination since the last such event of this object. */
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
    }
  /** Gone from the source: to be deleted at the destination. In a dry run the last word on it. */
  | { type: 'doom'; key: string; size: number; reason: DeleteReason }
  | { type: 'deleted'; key: string; size: number }
  /** Not at the source, and not xsync's to delete. */
  | { type: 'keep'; key: string; size: number; reason: KeepReason }
  /** What is about to be overwritten or deleted lies under another name now. */
  | { type: 'backup'; key: string; size: number; to: string }
  /** Failed before, and not to be tried again yet. */
  | { type: 'held'; key: string; size: number; class: ErrorClass; code: ErrorCode; why: HeldReason; untilMs?: number }
  | ({ type: 'failed' } & Failure)
  | ({ type: 'retry'; side: Side } & RetryNotice)
  /** The source changed while it was read; the object starts again. */
  | { type: 'restart'; key: string; message: string }
  /**
   * A part far slower than its siblings was asked for a second time, on another connection, and one of the two arrived;
   * `bytes` is what the other had moved, for nothing.
   */
  | { type: 'race'; key: string; part: number; bytes: number; won: 'first' | 'second' }
  /** What the tuner settled on, from now on or at the end; `message` says why too. */
  | { type: 'tuned'; parts: number; objects: number; partSize: number; message: string }
  /** `error`: what broke it off. */
  | {
      type: 'end';
      summary: Summary;
      outcome: Exclude<RunOutcome, 'running'>;
      error?: { code: string; message: string };
    }
  /** Of a watch: the next pass comes at `untilMs`; what listing costs at this pace, in requests. */
  | { type: 'waiting'; untilMs: number; listRequests: number; listRequestsPerDay: number; listCostPerDay?: Cost[] }
  /** Of a watch: nothing can be done for now. Said once; tried again for ever. */
  | { type: 'trouble'; code: ErrorCode; message: string; remedy?: string }
  /** It can again, after so long. */
  | { type: 'well'; afterMs: number };

export type Reporter = (event: RunEvent) => void;

/** Requests by kind, retries included, and payload bytes. */
export type Traffic = Counts;

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
  /** Of the copied: what an earlier, interrupted run had already sent. */
  resumed: { objects: number; parts: number; bytes: number };
  skipped: { objects: number; bytes: number; byReason: Partial<Record<SkipReason, number>> };
  failed: { objects: number; byClass: Partial<Record<ErrorClass, number>>; list: Failure[] };
  /** Failed before and not tried again yet. */
  held: { objects: number; byClass: Partial<Record<ErrorClass, number>>; dropped: number };
  /** sync: in a dry run what would be deleted. `left`: found gone, and still there. */
  deleted: { objects: number; bytes: number; left: number };
  /** sync: not at the source, and left at the destination. */
  kept: { objects: number; bytes: number; byReason: Partial<Record<KeepReason, number>> };
  /** What was put aside before it was overwritten or deleted. */
  backedUp: { objects: number; bytes: number };
  /** Looked at and neither copied, skipped nor failed, because the run was stopped: left for the next one. */
  unfinished: { objects: number };
  verified: Partial<Record<VerifiedBy, number>>;
  retries: number;
  restarts: number;
  /** Parts that were asked for twice because they were slow, and the bytes that were moved for nothing thereby. */
  waste: { parts: number; bytes: number };
  /**
   * From the run's beginning to its end. Runs of a watch over changed keys share the pair with others at work at the
   * same time: what those asked for meanwhile is counted in each of them.
   */
  traffic: { source: Traffic; destination: Traffic };
  /** In a dry run: the requests that the copies would cost on each side. */
  planned?: { source: Traffic['requests']; destination: Traffic['requests'] };
  /** What `traffic` costs, or in a dry run what is planned, when the remotes have prices. */
  cost?: Cost[];
  stopped?: StopReason;
}

/** Failures beyond this many are counted and kept in the manifest, not held in memory. */
export const LISTED_FAILURES = 100;
