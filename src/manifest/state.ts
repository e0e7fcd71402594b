/**
 * What the pulling end of a bridge keeps, wherever it is. Each call may be a request over a network.
 * Tests: test/contract/state.test.ts
 */
import type { Checkpoints } from './checkpoints.js';
import type { ManifestRow } from './port.js';
import type { TicketQueue } from './queues.js';

/** The objects that xsync has written, as in a manifest: they prove which ones it may delete. */
export interface WrittenRows {
  /** Of these keys; those that are not known are missing. */
  rows(keys: readonly string[]): Promise<ManifestRow[]>;
  /** Call it when the destination has confirmed the objects. */
  commit(rows: readonly ManifestRow[]): Promise<void>;
  /** The destination no longer has the objects. */
  forget(keys: readonly string[]): Promise<void>;
}

export interface PullState {
  queue: TicketQueue;
  checkpoints: Checkpoints;
  written: WrittenRows;
  close(): Promise<void>;
}
