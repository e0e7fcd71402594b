import type { TransferPolicy } from './decide/decide.js';
import type { Settling } from './decide/settling.js';
import type { Filter } from './filter/filter.js';
import type { Bounds } from './list/bounds.js';
import type { Backup } from './pair.js';

/** No server takes kindly to more from one client. */
export const MOST_CONNECTIONS = 256;

/** When sync deletes. Both listings have always been read to their ends before. */
export type DeleteTime = 'before' | 'during' | 'after';

/** How sync deletes; what it deletes is the policy's. */
export interface DeleteOptions {
  /** `before` the first transfer, `during` them, `after` the last. */
  when: DeleteTime;
  /** More than this is a slip, and nothing is deleted. Absent: a quarter of the manifest's objects, or 1,000. */
  max?: { objects: number } | { percent: number };
  /** Also when objects failed. */
  ignoreErrors: boolean;
  /** Also when the source has nothing at all any more. */
  allowEmptySource: boolean;
  /** What the filter leaves out counts as gone from the source. */
  excluded: boolean;
}

/** How a run behaves; every field has been parsed and checked. Bytes and milliseconds. */
export interface RunOptions {
  /** As a person would know it, for the lists of runs: `sync`. */
  command: string;
  policy: TransferPolicy;
  /** With the policy `sync`. */
  deletes?: DeleteOptions;
  backup?: Backup;
  /** Whether what failed before is tried at once, or when its time has come (see failed.ts). */
  failedBefore: 'try' | 'wait';
  /**
   * An interrupted run that had come through `from` objects is taken up where it was, its listings too, if it looked at
   * the same: `shape` names what the person asked for. Absent: never.
   */
  resume?: { from: number; shape: string };
  /** Leaves alone what was rewritten just now. */
  settling?: Settling;
  /** Raised to finish what has begun and begin nothing more. */
  drain?: AbortSignal;
  /** Only keys in between. */
  bounds?: Bounds;
  /** Only these keys, asked for one by one: see `runKeys`. */
  only?: readonly string[];
  filter?: Filter;
  dryRun: boolean;
  /** Objects in flight. Absent: found while running. */
  transfers?: number;
  /** Parts in flight of one object. Absent: as many as the run has slots. */
  partConcurrency?: number;
  /** Requests in flight to one server, inspections aside. Absent: `MOST_CONNECTIONS`. */
  maxConnections?: number;
  /** Inspections (HEADs) in flight. */
  checkers: number;
  /** Pages of one side's listing in flight; 32 when absent. */
  listConcurrency?: number;
  /** Wanted part size; the limits of both stores may raise it. Absent: chosen per object. */
  partSize?: number;
  /** Bodies held in memory at once, over all objects. */
  maxMemory: number;
  /** Create the destination bucket when it is missing. */
  createBucket: boolean;
  /** Do not list the destination: trust the manifest, ask for the rest one by one. */
  noTraverse: boolean;
  /** Stop after this many bytes; `cutoffMode` says how. */
  maxTransfer?: number;
  maxDurationMs?: number;
  cutoffMode: 'hard' | 'soft' | 'cautious';
  /** How many times a whole object is tried (source changed, checksum mismatch) before it is listed as failed. */
  objectAttempts: number;
  /** Storage class for what is written, in the destination's spelling. */
  storageClass?: string;
  /** Raised to stop taking new work and let in-flight work finish or checkpoint. */
  stop: AbortSignal;
}
