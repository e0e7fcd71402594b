/** The terms of `decide`: policies, states, evidence and decisions. Tests: test/engine/decide/decide.test.ts */
import type { ConflictWay } from '../../model/conflict.js';

export type SideState = 'absent' | 'same' | 'changed' | 'unknown';
export type DestState = SideState | 'unlisted';

/** How objects are compared, and what may be overwritten. */
export interface Overwriting {
  compare: 'default' | 'checksum' | 'size-only' | 'ignore-times';
  ignoreExisting: boolean;
  update: boolean;
  immutable: boolean;
  /** Times that differ by at most this are equal, ms. */
  modifyWindowMs: number;
  /** Objects of different sizes may be equal. */
  ignoreSize?: boolean;
}

export interface CopyPolicy extends Overwriting {
  mode: 'copy';
}

export interface SyncPolicy extends Overwriting {
  mode: 'sync';
  /** Also delete objects that xsync did not put there according to the manifest. */
  deleteUnknown: boolean;
}

export interface CheckPolicy {
  mode: 'check';
  /**
   * `default`: by the manifest, else by checksum, else by size. `checksum`: not by the manifest; reads both sides if they
   * share no checksum. `download`: reads every byte of both sides.
   */
  compare: 'default' | 'checksum' | 'size-only' | 'download';
  /** Extra objects at the destination are not differences. */
  oneWay: boolean;
}

export interface MirrorPolicy extends Overwriting {
  mode: 'mirror';
  conflict: ConflictWay;
  /** The loser that is kept gets this after its name, and a number. */
  conflictSuffix: string;
}

/** A policy that writes to the destination. */
export type TransferPolicy = CopyPolicy | SyncPolicy | MirrorPolicy;
export type Policy = TransferPolicy | CheckPolicy;

/** Stable names, shown with -vv and in --json. */
export type CopyReason =
  | 'new'
  | 'missing-at-destination'
  | 'source-changed'
  | 'destination-changed'
  | 'size-differs'
  | 'checksum-differs'
  | 'target-differs'
  | 'time-differs'
  | 'attributes-differ'
  | 'failed-before'
  | 'forced'
  | 'changed-and-deleted'
  | 'conflict'
  | 'conflict-overwrites';

export type SkipReason =
  | 'unchanged'
  | 'same-checksum'
  | 'same-target'
  | 'same-time'
  | 'same-size'
  | 'size-ignored'
  | 'exists'
  | 'destination-newer'
  | 'filtered'
  | 'unreadable'
  | 'archived'
  | 'restoring'
  | 'settling'
  | 'declined'
  | 'in-compare-dest'
  | 'vanished'
  | 'cutoff';

export type InspectReason = 'unlisted' | 'times' | 'checksums' | 'bytes' | 'conflict';

/** `moved`: of a move, at the source; `requested`: by name. */
export type DeleteReason =
  | 'gone-at-source'
  | 'gone-at-destination'
  | 'changed-at-destination'
  | 'unknown'
  | 'moved'
  | 'requested';

/** From the destination to the source; absent: the usual way. Only a mirror has both. */
export interface Directed {
  direction?: 'b-to-a';
}

export type KeepReason = 'not-ours' | 'changed-at-destination' | 'unknown';

/** What a check found, and by which comparison. */
export type Finding =
  | { verdict: 'match' | 'differ'; by: 'size' | 'manifest' | 'checksum' | 'bytes' }
  | { verdict: 'differ'; by: 'order' }
  | { verdict: 'missing-on-src' | 'missing-on-dst' };

export type Decision =
  | { action: 'none' }
  | ({ action: 'copy'; reason: CopyReason } & Directed)
  | { action: 'skip'; reason: SkipReason }
  | { action: 'inspect'; reason: InspectReason; otherwise: CopyReason }
  | { action: 'fail'; reason: 'immutable' }
  | ({ action: 'delete'; reason: DeleteReason } & Directed)
  | { action: 'keep'; reason: KeepReason }
  | { action: 'report'; finding: Finding };

/** What is known of a key without a request; the checksums only where both sides have the key. */
export interface Evidence {
  sizeSame: boolean;
  /** `unknown` when the listings share no comparable checksum. */
  checksum: 'same' | 'differs' | 'unknown';
  /** The manifest says that xsync wrote the destination's object. */
  ours: boolean;
  /** The manifest says that a checksum proved the objects equal, not just size and time. */
  proven: boolean;
  /** How far apart the times were that the manifest's row was based on, ms. */
  apartMs: number;
  /** A side is on local disk, where a file can change under the same size and time. */
  onDisk: boolean;
}
