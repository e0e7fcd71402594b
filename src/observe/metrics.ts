/**
 * Runs in numbers, for Prometheus: hears their events, and asks for the rest when it is scraped. Runs may follow each
 * other or go on side by side. `docs/metrics.md` documents the names, which are stable. No label is a key: the values
 * of each are few.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RunEvent, Side, Traffic } from '../engine/events.js';
import { Pending } from '../engine/record/pending.js';
import type { PairStatus } from '../engine/record/status.js';
import type { ListenAddress } from '../inbound/address.js';
import { VERSION } from '../version.js';
import { type Health, HealthBook, type HealthOptions } from './health.js';
import { Live } from './live.js';
import { type Listening, type Page, servePages } from './server.js';
import type { TargetCounts } from './target.js';

export interface MetricsOptions extends HealthOptions {
  /** As typed; labels of every metric but the process's own. */
  source: string;
  destination: string;
  /**
   * What the manifest says of the pair; asked when scraped, at most every three seconds. Undefined while it is closed:
   * what it said last holds.
   */
  status(): PairStatus | undefined;
  /** When the first complete pass began, ms (`liveSinceMs` of the journal). */
  liveSinceMs(): number | undefined;
  /** What both sides have cost since they were opened. Undefined while they are closed. */
  traffic(): Record<Side, Traffic> | undefined;
  /** What became of the notifications; absent without any. */
  notified?(): readonly TargetCounts[];
  now?: () => number;
}

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

const STATUS_MS = 3000;
const OUTCOMES = ['complete', 'stopped', 'broken', 'guarded'] as const satisfies readonly Of<'end'>['outcome'][];
const CLASSES = ['temporary', 'permanent', 'person'] as const;
/** Seconds; from one to a week, S3's fifteen minutes among them. */
const LAGS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 604_800];

export class Metrics {
  readonly #options: MetricsOptions;
  readonly #now: () => number;
  readonly #live: Live;
  readonly #health: HealthBook;
  readonly #pair = new Registry();
  readonly #process = new Registry();
  readonly #m: Instruments;
  readonly #pending = new Pending();
  /** In the latest listings, by side. */
  readonly #listed = { source: 0, destination: 0 };
  #dryRun = false;
  #status: PairStatus | undefined;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(options: MetricsOptions) {
    const { source, destination } = options;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#live = new Live(options.liveSinceMs);
    this.#health = new HealthBook(options);
    this.#m = instrumentsIn(this.#pair);
    this.#pair.setDefaultLabels({ source, destination });
    collectDefaultMetrics({ register: this.#process });
  }

  /** A dry run counts for nothing. */
  hear(event: RunEvent): void {
    if (event.type === 'start') this.#dryRun = event.dryRun;
    if (this.#dryRun) return;
    this.#live.hear(event, this.#now());
    this.#health.hear(event, this.#now());
    this.#pending.hear(event);
    this.#hearObject(event);
    this.#hearRun(event);
  }

  /** In Prometheus's text format. */
  async text(): Promise<string> {
    this.#ask();
    return `${await this.#pair.metrics()}\n${await this.#process.metrics()}`;
  }

  health(): Health {
    return this.#health.read(this.#readStatus()?.synchronised, this.#now());
  }

  /**
   * Serves `/metrics` and `/healthz`.
   * @throws config when it cannot listen there
   */
  listen(address: ListenAddress): Promise<Listening> {
    const metrics = async (): Promise<Page> => {
      return { status: 200, type: Registry.PROMETHEUS_CONTENT_TYPE, body: await this.text() };
    };
    const healthz = async (): Promise<Page> => {
      const health = this.health();
      const status = health.status === 'ok' ? 200 : 503;
      return { status, type: 'application/json', body: `${JSON.stringify(health)}\n` };
    };
    return servePages(address, { '/metrics': metrics, '/healthz': healthz }, '--metrics-addr');
  }

  #hearObject(event: RunEvent): void {
    const m = this.#m;
    switch (event.type) {
      case 'skip':
        m.skipped.inc({ reason: event.reason });
        break;
      case 'progress':
        m.sentBytes.inc(event.bytes);
        break;
      case 'copied':
        this.#copied(event);
        break;
      case 'failed':
        m.failed.inc({ class: event.class });
        break;
      case 'held':
        m.held.inc({ reason: event.why });
        break;
      case 'keep':
        m.kept.inc({ reason: event.reason });
        break;
      case 'deleted':
        m.deleted.inc();
        m.deletedBytes.inc(event.size);
        break;
      case 'restart':
        m.restarts.inc();
        break;
      case 'race':
        m.wastedParts.inc();
        m.wastedBytes.inc(event.bytes);
        break;
    }
  }

  #hearRun(event: RunEvent): void {
    const m = this.#m;
    switch (event.type) {
      case 'listed':
        m.listed.inc({ side: event.side }, this.#listedMore(event));
        break;
      case 'retry':
        m.retries.inc({ side: event.side, kind: event.kind, code: event.code });
        break;
      case 'tuned':
        m.tunedParts.set(event.parts);
        m.tunedObjects.set(event.objects);
        m.tunedPartSize.set(event.partSize);
        break;
      case 'waiting':
        m.listRequests.set(event.listRequestsPerDay);
        break;
      case 'end':
        this.#ended(event);
        break;
    }
  }

  /** How many objects more than in the last event. A smaller count belongs to another run. */
  #listedMore({ side, objects }: Of<'listed'>): number {
    const before = this.#listed[side];
    this.#listed[side] = objects;
    return objects >= before ? objects - before : objects;
  }

  #copied({ size, verifiedBy, sourceMtimeMs }: Of<'copied'>): void {
    this.#m.copied.inc({ verified_by: verifiedBy });
    this.#m.copiedBytes.inc(size);
    const lagMs = this.#live.lagMs(sourceMtimeMs, this.#now());
    if (lagMs !== undefined) this.#m.latency.observe(lagMs / 1000);
  }

  #ended({ summary, outcome }: Of<'end'>): void {
    const m = this.#m;
    this.#askedMs = Number.NEGATIVE_INFINITY;
    if (this.#pending.running === 0) this.#listed.source = this.#listed.destination = 0;
    const endS = (summary.startedMs + summary.elapsedMs) / 1000;
    m.runs.inc({ outcome });
    for (const name of OUTCOMES) m.lastOutcome.set({ outcome: name }, name === outcome ? 1 : 0);
    m.lastEnd.set(endS);
    m.lastSeconds.set(summary.elapsedMs / 1000);
    if (outcome === 'complete') m.lastComplete.set(endS);
  }

  #readStatus(): PairStatus | undefined {
    const now = this.#now();
    if (now - this.#askedMs >= STATUS_MS) {
      this.#status = this.#options.status() ?? this.#status;
      this.#askedMs = now;
    }
    return this.#status;
  }

  #ask(): void {
    const m = this.#m;
    const status = this.#readStatus();
    if (status) this.#tellStatus(status);
    const { running, inFlight } = this.#pending;
    // A run that was stopped does not report what it left.
    m.inFlight.set(running > 0 ? inFlight.length : 0);
    m.running.set(running);
    this.#askTraffic();
    m.notifications.reset();
    for (const { kind, delivered, dropped, queued } of this.#options.notified?.() ?? []) {
      m.notifications.inc({ target: kind, outcome: 'delivered' }, delivered);
      m.notifications.inc({ target: kind, outcome: 'dropped' }, dropped);
      m.notificationsQueued.set({ target: kind }, queued);
    }
  }

  #tellStatus({ pending, failed, synchronised, known }: PairStatus): void {
    const m = this.#m;
    m.pending.set(pending.objects);
    m.pendingBytes.set(pending.bytes);
    m.known.set(known);
    for (const name of CLASSES) m.failedNow.set({ class: name }, failed.byClass[name] ?? 0);
    if (synchronised) m.watermark.set(synchronised.untilMs / 1000);
  }

  #askTraffic(): void {
    const { requests, traffic } = this.#m;
    const told = this.#options.traffic();
    if (!told) return;
    requests.reset();
    traffic.reset();
    for (const [side, counts] of Object.entries(told)) {
      for (const [kind, n] of Object.entries(counts.requests)) requests.inc({ side, kind }, n);
      traffic.inc({ side, direction: 'in' }, counts.bytesIn);
      traffic.inc({ side, direction: 'out' }, counts.bytesOut);
    }
  }
}

type Instruments = ReturnType<typeof instrumentsIn>;

function instrumentsIn(registry: Registry) {
  const registers = [registry];
  const counter = <T extends string>(name: string, help: string, ...labelNames: T[]): Counter<T> =>
    new Counter({ name: `xsync_${name}_total`, help, labelNames, registers });
  const gauge = <T extends string>(name: string, help: string, ...labelNames: T[]): Gauge<T> =>
    new Gauge({ name: `xsync_${name}`, help, labelNames, registers });
  gauge('build_info', 'Always 1; the version is its label', 'version').set({ version: VERSION }, 1);
  const instruments = {
    pendingBytes: gauge('replication_bytes_pending', 'Bytes found to be copied and not at the destination yet'),
    pending: gauge('replication_operations_pending', 'Objects found to be copied and not at the destination yet'),
    latency: new Histogram({
      name: 'xsync_replication_latency_seconds',
      help: "From an object's last change at the source to its arrival; history is left out",
      buckets: LAGS,
      registers,
    }),
    failed: counter('replication_operations_failed', 'Objects that could not be copied or deleted in a run', 'class'),
    failedNow: gauge('replication_failed_objects', 'Objects in the failed list now', 'class'),
    watermark: gauge(
      'replication_watermark_timestamp_seconds',
      'Everything written to the source before this is at the destination; absent before the first complete pass',
    ),
    known: gauge('manifest_objects', 'Objects that the manifest knows at both sides'),
    listed: counter('listed_objects', 'Objects seen in listings', 'side'),
    copied: counter('copied_objects', 'Objects copied, by the checksum that proves it', 'verified_by'),
    copiedBytes: counter('copied_bytes', 'Bytes of the objects copied'),
    sentBytes: counter('sent_bytes', 'Bytes sent to the destination, of unfinished objects too'),
    skipped: counter('skipped_objects', 'Objects looked at and not copied', 'reason'),
    held: counter('held_objects', 'Objects that failed before and were left for later', 'reason'),
    deleted: counter('deleted_objects', 'Objects deleted at the destination'),
    deletedBytes: counter('deleted_bytes', 'Bytes of the objects deleted'),
    kept: counter('kept_objects', 'Objects gone from the source and kept at the destination', 'reason'),
    inFlight: gauge('objects_in_flight', 'Objects being copied now'),
    restarts: counter('object_restarts', 'Objects begun again because they changed while they were read'),
    wastedParts: counter('wasted_parts', 'Parts asked for twice because they were slow'),
    wastedBytes: counter('wasted_bytes', 'Bytes moved for nothing thereby'),
    requests: counter('requests', 'Requests, repeated ones included', 'side', 'kind'),
    retries: counter('request_retries', 'Requests repeated', 'side', 'kind', 'code'),
    traffic: counter('traffic_bytes', 'Payload received (in) and sent (out)', 'side', 'direction'),
    listRequests: gauge('list_requests_per_day', 'What the listings of a watch cost at its present pace'),
    tunedParts: gauge('tuned_parts', 'Parts in flight, as the tuner settled'),
    tunedObjects: gauge('tuned_objects', 'Objects in flight, as the tuner settled'),
    tunedPartSize: gauge('tuned_part_size_bytes', 'Size of a part, as the tuner settled'),
    running: gauge('runs_active', 'Runs at work now'),
    runs: counter('runs', 'Runs ended', 'outcome'),
    lastOutcome: gauge('last_run_outcome', '1 for how the last run ended, 0 for the others', 'outcome'),
    lastEnd: gauge('last_run_end_timestamp_seconds', 'When the last run ended'),
    lastComplete: gauge('last_complete_run_timestamp_seconds', 'When a run last came to its end'),
    lastSeconds: gauge('last_run_duration_seconds', 'How long the last run took'),
    notifications: counter('notifications', 'Notifications, by the kind of their target', 'target', 'outcome'),
    notificationsQueued: gauge('notifications_queued', 'Notifications not delivered yet', 'target'),
  };
  // What has not happened yet is 0, so that its first rise is seen.
  for (const name of CLASSES) instruments.failed.inc({ class: name }, 0);
  for (const outcome of OUTCOMES) instruments.runs.inc({ outcome }, 0);
  // What is not known yet is absent: a time of 0 would be 1970, and an alarm.
  const { watermark, lastEnd, lastComplete, lastSeconds, listRequests } = instruments;
  const { tunedParts, tunedObjects, tunedPartSize } = instruments;
  const unknown = [
    watermark,
    lastEnd,
    lastComplete,
    lastSeconds,
    listRequests,
    tunedParts,
    tunedObjects,
    tunedPartSize,
  ];
  for (const gauge of unknown) gauge.remove({});
  return instruments;
}
