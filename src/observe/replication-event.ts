/**
 * Notifications, one JSON object each, documented in `docs/metrics.md`. Names and meanings follow S3 where it has them.
 * Tests: test/observe/notifier.test.ts
 */
import type { RunEvent, Summary } from '../engine/events.js';
import type { ErrorClass } from '../model/error.js';
import type { VerifiedBy } from '../model/verified.js';

export type ReplicationEventType =
  | 'ObjectCreated'
  | 'ObjectModified'
  | 'ObjectRemoved'
  | 'ObjectReplicationFailed'
  | 'MissedThreshold'
  | 'ReplicatedAfterThreshold'
  | 'RunFinished'
  | 'TicketsHeldUp'
  | 'TicketsResumed';

/** Times in ISO 8601 (UTC), sizes in bytes, `…Ms` in milliseconds. Fields that do not apply are absent. */
export interface ReplicationEvent {
  /** Unique. An event that is delivered again has the same ID. */
  id: string;
  type: ReplicationEventType;
  /** The name of this event in S3 replication. */
  eventName?: string;
  at: string;
  pair: { source: string; destination: string };
  /** Of `serve`: the name of the rule. */
  rule?: string;
  /** Absent while several runs are active. */
  runId?: string;
  /** Relative to the source. */
  key?: string;
  size?: number;
  /** When the source's object was written. */
  requestTime?: string;
  /** From `requestTime` until `at`. Absent for objects that existed before the first complete pass. */
  lagMs?: number;
  /** Of MissedThreshold and ReplicatedAfterThreshold. */
  thresholdMs?: number;
  verifiedBy?: VerifiedBy;
  /** What failed. */
  operation?: 'copy' | 'delete';
  attempts?: number;
  error?: { class?: ErrorClass; code: string; message: string };
  outcome?: Extract<RunEvent, { type: 'end' }>['outcome'];
  /** Of RunFinished, without the list of failures. */
  summary?: RunTotals;
}

export type RunTotals = Omit<Summary, 'runId' | 'source' | 'destination' | 'failed'> & {
  failed: Omit<Summary['failed'], 'list'>;
};

export const S3_NAMES: Partial<Record<ReplicationEventType, string>> = {
  ObjectReplicationFailed: 's3:Replication:OperationFailedReplication',
  MissedThreshold: 's3:Replication:OperationMissedThreshold',
  ReplicatedAfterThreshold: 's3:Replication:OperationReplicatedAfterThreshold',
};

export function totalsOf({ runId: _, source: __, destination: ___, failed, ...rest }: Summary): RunTotals {
  return { ...rest, failed: { objects: failed.objects, byClass: failed.byClass } };
}

/** One line of JSON with whole numbers. */
export function textOf(event: ReplicationEvent): string {
  return JSON.stringify(event, (_name, value: unknown) => (typeof value === 'number' ? Math.round(value) : value));
}
