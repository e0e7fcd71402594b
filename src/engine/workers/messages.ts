/**
 * What the main thread and a worker say to each other, as plain data. Many messages cross at once: see `Outbox`.
 * Tests: test/engine/workers/workers.test.ts
 */
import type { HashedParts, PartRow, UploadRow } from '../../manifest/checkpoints.js';
import { type ErrorCode, type ErrorDetails, toXsyncError, XsyncError } from '../../model/error.js';
import type { Outcome } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { Counts } from '../../store/wrap/meter.js';
import type { RetryNotice } from '../../store/wrap/share.js';
import type { StopLevel } from '../flow/halt.js';
import type { Observation } from '../transfer/means.js';

export const SIDES = ['source', 'dest'] as const;
export type WorkerSide = (typeof SIDES)[number];

/** What holds for all tickets of one run. */
export interface Terms {
  /** Checksums are ignored; see unverified.ts. */
  unverified: boolean;
  memory: { limit: number; used: SharedArrayBuffer; threads: number };
  /** Two bytes a side: see `EtagTrust`. */
  trust: SharedArrayBuffer;
  /** Whether the service of a side has answered before. */
  answered: Record<WorkerSide, boolean>;
}

/** From the main thread to a worker. Numbers of runs are the main thread's; those of slots and questions the worker's. */
export type Order =
  | { type: 'begin'; run: number; terms: Terms }
  | { type: 'end'; run: number }
  | { type: 'halt'; run: number; level: StopLevel }
  | { type: 'copy'; run: number; id: number; ticket: CopyTicket }
  | { type: 'slot'; run: number; slot: number }
  /** Idle slots for parts. */
  | { type: 'spare'; run: number; slots: number }
  | { type: 'granted'; run: number; request: number }
  | { type: 'answer'; run: number; request: number; answer: Answer | PlainError }
  | { type: 'close' };

/** From a worker to the main thread. */
export type Report =
  | { type: 'observed'; run: number; observation: Observation }
  | { type: 'retried'; run: number; side: WorkerSide; event: RetryNotice }
  /** Since the last report. */
  | { type: 'traffic'; run: number; side: WorkerSide; counts: Counts }
  | { type: 'opened'; run: number; id: number }
  | { type: 'outcome'; run: number; id: number; outcome: Outcome | PlainError }
  /** `object`: slots of one object are limited together. */
  | { type: 'wants-slot'; run: number; id: number; object: number; slot: number }
  | { type: 'frees-slot'; run: number; slot: number }
  | { type: 'moving'; run: number; part: number; size: number }
  /** Bytes since the last report. */
  | { type: 'moved'; run: number; part: number; read: number; written: number }
  | { type: 'turned'; run: number; part: number }
  | { type: 'arrived'; run: number; part: number }
  | { type: 'wants-memory'; run: number; request: number; size: number }
  | { type: 'frees-memory'; run: number }
  | { type: 'asks'; run: number; request: number; question: Question }
  | { type: 'found'; side: WorkerSide; message: string }
  /** A side could not be opened. */
  | { type: 'unopened'; error: PlainError };

/** A call of the port `Checkpoints`. */
export type Question =
  | { call: 'upload' | 'parts' | 'endUpload'; key: string }
  | { call: 'beginUpload'; row: UploadRow }
  | { call: 'addPart'; key: string; part: PartRow }
  | { call: 'noteHash'; key: string; hashed: HashedParts }
  | { call: 'dropParts'; key: string; partNumbers: readonly number[] };

/** What the call returned, if anything. */
export interface Answer {
  type: 'answer';
  upload?: UploadRow;
  parts?: PartRow[];
}

/** An error that a structured clone would reduce to its message. */
export interface PlainError {
  type: 'error';
  code: ErrorCode;
  message: string;
  details: ErrorDetails;
  /** Of the cause, if it was a bug. */
  stack?: string;
}

export function plainError(error: unknown): PlainError {
  const fault = toXsyncError(error);
  const { code, message, subject, remedy, status, serviceCode, requestId, retryAfterMs, cause } = fault;
  const details = { subject, remedy, status, serviceCode, requestId, retryAfterMs, class: fault.class };
  return { type: 'error', code, message, details, stack: cause instanceof Error ? cause.stack : undefined };
}

export function errorOf({ code, message, details, stack }: PlainError): XsyncError {
  const cause = stack === undefined ? undefined : Object.assign(new Error(message), { stack });
  return new XsyncError(code, message, { ...details, cause });
}
