/** Where notifications go. Tests: test/observe/notifier.test.ts */
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
  /** Returns immediately and never throws: runs do not wait for notifications. */
  send(event: ReplicationEvent): void;
  /** Delivers queued events for at most `withinMs`, and warns about the rest. Never throws. */
  close(withinMs: number): Promise<void>;
}

/** Shows a warning to the user. */
export type Warn = (message: string) => void;
