/** What became of a ticket, as plain data. */
import type { ErrorClass, ErrorCode } from './error.js';
import type { VerifiedBy } from './verified.js';

/** Why an object failed. */
export interface Fault {
  class: ErrorClass;
  code: ErrorCode;
  message: string;
  remedy?: string;
}

/** The object that the source has now, in place of the version that the ticket names. */
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
  verifiedBy: VerifiedBy;
  parts: number;
  /** Sent by an earlier, interrupted run. */
  resumedParts: number;
  resumedBytes: number;
}

export type Outcome =
  | Copied
  | { kind: 'deleted' }
  /** The source listed the object, and does not have it any more. */
  | { kind: 'vanished' }
  /** The source has another version: a new ticket is needed. `attempts`: tries that this ticket took. */
  | { kind: 'changed'; now: NewVersion; message: string; attempts: number }
  | { kind: 'failed'; fault: Fault; attempts: number }
  /** The run stopped first; a checkpoint holds what was sent. */
  | { kind: 'unfinished' };
