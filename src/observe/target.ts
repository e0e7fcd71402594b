/** Where notifications go. */
import type { ReplicationEvent } from './replication-event.js';

export type TargetKind = 'stdout' | 'file' | 'webhook';

export interface TargetCounts {
  kind: TargetKind;
  delivered: number;
  dropped: number;
  queued: number;
}

export interface Target {
  readonly counts: TargetCounts;
  /** Returns at once and never throws: no run waits for whom it notifies. */
  send(event: ReplicationEvent): void;
  /** Delivers what is queued, but for no longer than `withinMs`. Says what was not delivered. Never throws. */
  close(withinMs: number): Promise<void>;
}

/** What a person should know, said as a warning. */
export type Warn = (message: string) => void;
