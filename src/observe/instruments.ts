/** Tests: test/observe/metrics.test.ts */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { RunEvent } from '../engine/events.js';
import { VERSION } from '../version.js';

export const OUTCOMES = ['complete', 'stopped', 'broken', 'guarded'] as const satisfies readonly Extract<
  RunEvent,
  { type: 'end' }
>['outcome'][];
export const CLASSES = ['temporary', 'permanent', 'person'] as const;
/** Seconds, up to a week. Includes the fifteen minutes of S3. */
const LAGS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 604_800];

export type Instruments = ReturnType<typeof instrumentsIn>;

/** Registers the metrics of a pair. Gauges without a value yet are absent, not zero. */
export function instrumentsIn(registry: Registry) {
  const registers = [registry];
  const counter = <T extends string>(name: string, help: string, ...labelNames: T[]): Counter<T> =>
    new Counter({ name: `xsync_${name}_total`, help, labelNames, registers });
  const gauge = <T extends string>(name: string, help: string, ...labelNames: T[]): Gauge<T> =>
    new Gauge({ name: `xsync_${name}`, help, labelNames, registers });
  gauge('build_info', 'Always 1; the version is its label', 'version').set({ version: VERSION }, 1);
  const instruments = {
    pendingBytes: gauge('replication_bytes_pending', 'Bytes planned to be copied and not at the destination yet'),
    pending: gauge('replication_operations_pending', 'Objects planned to be copied and not at the destination yet'),
    latency: new Histogram({
      name: 'xsync_replication_latency_seconds',
      help: "From an object's last change at the source to its arrival; not for objects older than the first complete pass",
      buckets: LAGS,
      registers,
    }),
    failed: counter('replication_operations_failed', 'Objects that could not be copied or deleted in a run', 'class'),
    failedNow: gauge('replication_failed_objects', 'Objects in the failed list now', 'class'),
    watermark: gauge(
      'replication_watermark_timestamp_seconds',
      'Everything written to the source before this is at the destination; absent before the first complete pass',
    ),
    known: gauge('manifest_objects', 'Objects that the manifest knows on both sides'),
    listed: counter('listed_objects', 'Objects seen in listings', 'side'),
    copied: counter('copied_objects', 'Objects copied, by the checksum that verified them', 'verified_by'),
    copiedBytes: counter('copied_bytes', 'Bytes of the objects copied'),
    sentBytes: counter('sent_bytes', 'Bytes sent to the destination, including unfinished objects'),
    skipped: counter('skipped_objects', 'Objects compared and not copied', 'reason'),
    held: counter('held_objects', 'Objects that failed before and were left for later', 'reason'),
    deleted: counter('deleted_objects', 'Objects deleted at the destination'),
    deletedBytes: counter('deleted_bytes', 'Bytes of the objects deleted'),
    kept: counter('kept_objects', 'Objects gone from the source and kept at the destination', 'reason'),
    inFlight: gauge('objects_in_flight', 'Objects being copied now'),
    restarts: counter('object_restarts', 'Objects restarted because they changed while they were read'),
    wastedParts: counter('wasted_parts', 'Parts requested twice because they were slow'),
    wastedBytes: counter('wasted_bytes', 'Bytes transferred for nothing by parts requested twice'),
    requests: counter('requests', 'Requests, including retries', 'side', 'kind'),
    retries: counter('request_retries', 'Requests retried', 'side', 'kind', 'code'),
    traffic: counter('traffic_bytes', 'Payload received (in) and sent (out)', 'side', 'direction'),
    listRequests: gauge('list_requests_per_day', 'List requests of a watch per day at its present pace'),
    tunedParts: gauge('tuned_parts', 'Parts in flight, as the tuner settled'),
    tunedObjects: gauge('tuned_objects', 'Objects in flight, as the tuner settled'),
    tunedPartSize: gauge('tuned_part_size_bytes', 'Size of a part, as the tuner settled'),
    fleetWorkers: gauge('fleet_workers', 'Workers that take jobs from the queue'),
    fleetWaiting: gauge('fleet_jobs_waiting', 'Jobs on the queue that no worker has taken'),
    fleetObjects: gauge('fleet_worker_objects', 'What each worker did for the latest run', 'worker'),
    fleetBytes: gauge('fleet_worker_bytes', 'Bytes of that', 'worker'),
    running: gauge('runs_active', 'Runs that are active now'),
    runs: counter('runs', 'Runs ended', 'outcome'),
    lastOutcome: gauge('last_run_outcome', '1 for how the last run ended, 0 for the others', 'outcome'),
    lastEnd: gauge('last_run_end_timestamp_seconds', 'When the last run ended'),
    lastComplete: gauge('last_complete_run_timestamp_seconds', 'When a run was last complete'),
    lastSeconds: gauge('last_run_duration_seconds', 'How long the last run took'),
    notifications: counter('notifications', 'Notifications, by the kind of their target', 'target', 'outcome'),
    notificationsQueued: gauge('notifications_queued', 'Notifications not delivered yet', 'target'),
  };
  // What has not happened yet is 0, so that its first rise is seen.
  for (const name of CLASSES) instruments.failed.inc({ class: name }, 0);
  for (const outcome of OUTCOMES) instruments.runs.inc({ outcome }, 0);
  // What is not known yet is absent: a time of 0 would be 1970, and an alarm.
  const { watermark, lastEnd, lastComplete, lastSeconds, listRequests } = instruments;
  const { tunedParts, tunedObjects, tunedPartSize, fleetWorkers, fleetWaiting } = instruments;
  const unknown = [
    watermark,
    lastEnd,
    lastComplete,
    lastSeconds,
    listRequests,
    tunedParts,
    tunedObjects,
    tunedPartSize,
    fleetWorkers,
    fleetWaiting,
  ];
  for (const gauge of unknown) gauge.remove({});
  return instruments;
}
