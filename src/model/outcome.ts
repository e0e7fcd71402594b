/** The outcome of a ticket, as plain data. Tests: test/engine/check/check.test.ts */
import type { Fidelity } from './attributes.js';
import type { ErrorClass, ErrorCode } from './error.js';
import type { VerifiedBy } from './verified.js';

/** Why an object failed. */
export interface Fault {
  class: ErrorClass;
  code: ErrorCode;
  message: string;
  remedy?: string;
}

/** The version that the source has now, instead of the ticket's. */
export interface NewVersion {
  etag: string;
  /** Bytes. */
  size: number;
  /** Last-Modified, ms since 1970. */
  mtimeMs: number;
  md5ofParts?: string;
}

export interface Copied {
  kind: 'copied';
  destEtag: string;
  /** ID of the version that was written, where the destination tells it. */
  destVersion?: string;
  verifiedBy: VerifiedBy;
  parts: number;
  /** Sent by an earlier, interrupted run. */
  resumedParts: number;
  resumedBytes: number;
  /** Checksum of the bytes (`contentText`), where a side is on local disk and one is known. */
  content?: string;
  /** Absent: nothing to tell. */
  fidelity?: Fidelity;
}

export type Outcome =
  | Copied
  /** `destVersion`: ID of the delete marker that was added. */
  | { kind: 'deleted'; destVersion?: string }
  /** The destination has another version than the ticket names. Nothing was done. */
  | { kind: 'overtaken' }
  /** The source listed the object, but no longer has it. */
  | { kind: 'vanished' }
  /** The source has a different version, which needs a new ticket. `attempts`: the attempts of this ticket. */
  | { kind: 'changed'; now: NewVersion; message: string; attempts: number }
  | { kind: 'failed'; fault: Fault; attempts: number }
  /** The run stopped before the end; the checkpoint has the parts that were sent. */
  | { kind: 'unfinished' };
