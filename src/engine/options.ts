/** Tests: test/cli/options.test.ts */
import type { CarryPolicy } from '../model/carry-policy.js';
import type { MaxCost } from '../model/prices.js';
import type { Restoring } from '../model/restoring.js';
import type { TransferPolicy } from './decide/decide.js';
import type { Settling } from './decide/settling.js';
import type { Filter } from './filter/filter.js';
import type { TagFilter } from './filter/tags.js';
import type { Bounds } from './list/bounds.js';
import type { Backup } from './pair.js';

/** On a line that loses packets, hundreds of connections share it. More from one client are likely to be throttled. */
export const MOST_CONNECTIONS = 512;

/** When sync deletes. Both listings have always been read to their end first. */
export type DeleteTime = 'before' | 'during' | 'after';

/** How sync deletes; the policy decides what it deletes. */
export interface DeleteOptions {
  /** `before` the first transfer, `during` them, `after` the last. */
  when: DeleteTime;
  /** Delete nothing if more would be deleted. Absent: a quarter of the manifest's objects, or 1,000 if that is more. */
  max?: { objects: number } | { percent: number };
  /** Delete nothing if the objects to delete have more bytes than this in total. Absent: no limit. */
  maxBytes?: number;
  /** Delete even if objects failed. */
  ignoreErrors: boolean;
  /** Delete even if the source is empty. */
  allowEmptySource: boolean;
  /** Do not look again at each object, on both sides, before it is deleted. */
  unchecked?: boolean;
  /** Objects that the filter excludes count as gone from the source. */
  excluded: boolean;
}

/** How a run carries histories: every version and delete marker, instead of the current objects. */
export interface HistoryOptions {
  /** With `deletes`: delete for good what the source no longer has, instead of hiding it by a delete marker. */
  deleteVersions: boolean;
}

/** How a run moves. */
export interface MoveOptions {
  /** Delete folders of the source that are empty, also those that were before. */
  emptyFolders: boolean;
}

/** How a run behaves; every field has been parsed and checked. Bytes and milliseconds. */
export interface RunOptions {
  /** The command's name, for lists of runs: `sync`. */
  command: string;
  policy: TransferPolicy;
  /** With the policy `sync`. */
  deletes?: DeleteOptions;
  /** Delete objects at the source once their copies are proved; with the policy `copy`. */
  move?: MoveOptions;
  /** Absent: the current objects are copied. */
  history?: HistoryOptions;
  backup?: Backup;
  /** Whether objects that failed before are retried at once, or when they are due (see failed.ts). */
  failedBefore: 'try' | 'wait';
  /**
   * Continue an interrupted run where it stopped, listings included, if it had passed at least `from` objects and has
   * the same `shape`, which names what the user asked for. Absent: never.
   */
  resume?: { from: number; shape: string };
  /** Skips objects that were rewritten very recently. */
  settling?: Settling;
  /** Aborted to finish objects in progress and start no more. */
  drain?: AbortSignal;
  /** A shared listing that began since then is new enough; as `performance.now()`. Absent: since the run began. */
  listedSinceMs?: number;
  /** Only keys within these bounds. */
  bounds?: Bounds;
  /** Only these keys, one HEAD each: see `runKeys`. */
  only?: readonly string[];
  filter?: Filter;
  /** Chooses objects by their tags. Absent: all of them. */
  tags?: TagFilter;
  dryRun: boolean;
  /** Objects in flight. Absent: set by the tuner. */
  transfers?: number;
  /** Parts in flight of one object. Absent: as many as the run has slots. */
  partConcurrency?: number;
  /** Requests in flight to one server, inspections aside. Absent: `MOST_CONNECTIONS`. */
  maxConnections?: number;
  /** Inspections (HEADs) in flight. */
  checkers: number;
  /** Pages of one side's listing in flight; 32 when absent. */
  listConcurrency?: number;
  /** Part size; the stores' limits may raise it. Absent: chosen per object. */
  partSize?: number;
  /** Memory for bodies, over all objects. */
  maxMemory: number;
  /** The largest part, bytes; any that the destination takes when absent. */
  largestPart?: number;
  /** Create the destination bucket if it does not exist. */
  createBucket: boolean;
  /** Do not list the destination: trust the manifest, and send a HEAD for each key that it does not have. */
  noTraverse: boolean;
  /** Stop after this many bytes; `cutoffMode` says how. */
  maxTransfer?: number;
  /** Stop when requests and bytes have cost this much. */
  maxCost?: MaxCost;
  maxDurationMs?: number;
  cutoffMode: 'hard' | 'soft' | 'cautious';
  /** Attempts for a whole object (source changed, checksum mismatch) before it goes on the failed list. */
  objectAttempts: number;
  /** Asked before each copy and each delete. Absent: everything may be done. */
  confirm?: (action: 'copy' | 'overwrite' | 'delete', key: string, size: number) => Promise<boolean>;
  /** Create the folders of a source on disk, empty ones too, at a destination on disk. */
  emptyFolders?: boolean;
  /** Copy nothing before every key is decided. */
  checkFirst?: boolean;
  /**
   * Texts in whose byte order objects are copied, once every key is decided; times in ms since 1970. Absent: in the order
   * of the listing.
   */
  order?: (object: { key: string; size: number; mtimeMs: number }) => string;
  /** Copy new keys at the destination from other keys that have the same content there. */
  trackRenames?: boolean;
  /** Compare no checksums of what was copied, and report it as not verified. */
  ignoreChecksum?: boolean;
  /** Ask for archived objects of the source. Absent: leave them. */
  restore?: Restoring;
  /** Which attributes are copied; absent: `USUAL_POLICY`. */
  carry?: CarryPolicy;
  /** Compare the attributes of objects whose bytes are the same. */
  compareAttributes?: boolean;
  /** Aborted to start no more work and let work in flight finish or checkpoint. */
  stop: AbortSignal;
}

/** Whether an object may be written without knowing what the destination has under its key: nothing keeps or compares it. */
export function writesUnseen({ policy, backup }: Pick<RunOptions, 'policy' | 'backup'>): boolean {
  return !policy.ignoreExisting && !policy.immutable && !policy.update && backup === undefined;
}
