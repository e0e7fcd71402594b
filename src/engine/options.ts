import type { Manifest } from '../manifest/port.js';
import type { ObjectStore } from '../store/port.js';
import type { Policy } from './decide.js';
import type { RunEvent, Traffic } from './events.js';
import type { Filter } from './filter.js';

/** One side of a pair: a (wrapped) store and the prefix below which the pair lives. */
export interface RunSide {
  store: ObjectStore;
  /** Empty or ending in `/`; for a single object its full key. */
  prefix: string;
  /** What the person typed, for messages. */
  text: string;
  /** What was found out when it was opened, for the run to tell (which endpoint was chosen, and why). */
  notes: readonly string[];
  /** What this side has cost since it was opened. */
  traffic(): Traffic;
  /** The run listens here to the retries that the store's wrapper makes. */
  onRetry?: (event: Omit<Extract<RunEvent, { type: 'retry' }>, 'type' | 'side'>) => void;
}

/** What a run works on. */
export interface RunPair {
  source: RunSide;
  dest: RunSide;
  manifest: Manifest;
  /** One object to one object: both prefixes are full keys, and the key relative to them is empty. */
  single: boolean;
}

/** No server takes kindly to more from one client. */
export const MOST_CONNECTIONS = 256;

/** How a run behaves; every field has been parsed and checked. Bytes and milliseconds. */
export interface RunOptions {
  policy: Policy;
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
