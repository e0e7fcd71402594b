/**
 * Metrics of runs for Prometheus, from their events and from queries at each scrape. Runs may be concurrent.
 * `docs/metrics.md` documents the names, which are stable. No label is an object key: each has few values.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { RunEvent, Side, Traffic } from '../engine/events.js';
import { Pending } from '../engine/record/pending.js';
import type { PairStatus } from '../engine/record/status.js';
import type { ListenAddress } from '../inbound/address.js';
import { type Health, HealthBook, type HealthOptions } from './health.js';
import { CLASSES, type Instruments, instrumentsIn, OUTCOMES } from './instruments.js';
import { Live } from './live.js';
import { type Listening, type Page, servePages } from './server.js';
import type { TargetCounts } from './target.js';

export interface MetricsOptions extends HealthOptions {
  /** As typed; labels of every metric of the pair. */
  source: string;
  destination: string;
  /** Another label, of one of several rules. */
  rule?: string;
  /**
   * Called when scraped, at most every three seconds. Undefined while the manifest is closed: the last status is
   * used.
   */
  status(): PairStatus | undefined;
  /** Start of the first complete pass, ms since 1970 (`liveSinceMs` of the journal). */
  liveSinceMs(): number | undefined;
  /** Of both sides since they were opened. Undefined while they are closed. */
  traffic(): Record<Side, Traffic> | undefined;
  /** Counts of notifications by target; absent without `--notify`. */
  notified?(): readonly TargetCounts[];
  now?: () => number;
}

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

const STATUS_MS = 3000;

let ofProcess: Registry | undefined;

/** Metrics of this process, in the text format. */
export function processMetrics(): Promise<string> {
  if (!ofProcess) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess.metrics();
}

/**
 * Serves `/metrics` and `/healthz`.
 * @throws config when it cannot listen there
 */
export function serveMetrics(
  address: ListenAddress,
  { text, health }: { text(): Promise<string>; health(): { status: string } },
): Promise<Listening> {
  const metrics = async (): Promise<Page> => {
    return { status: 200, type: Registry.PROMETHEUS_CONTENT_TYPE, body: await text() };
  };
  const healthz = async (): Promise<Page> => {
    const found = health();
    const status = found.status === 'ok' ? 200 : 503;
    return { status, type: 'application/json', body: `${JSON.stringify(found)}\n` };
  };
  return servePages(address, { '/metrics': metrics, '/healthz': healthz }, '--metrics-addr');
}

export class Metrics {
  readonly #options: MetricsOptions;
  readonly #now: () => number;
  readonly #live: Live;
  readonly #health: HealthBook;
  readonly #pair = new Registry();
  readonly #m: Instruments;
  readonly #pending = new Pending();
  /** Objects in the latest `listed` events. */
  readonly #listed = { source: 0, destination: 0 };
  #dryRun = false;
  #status: PairStatus | undefined;
  #readMs = Number.NEGATIVE_INFINITY;

  constructor(options: MetricsOptions) {
    const { source, destination, rule } = options;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#live = new Live(options.liveSinceMs);
    this.#health = new HealthBook(options);
    this.#m = instrumentsIn(this.#pair);
    this.#pair.setDefaultLabels({ ...(rule !== undefined && { rule }), source, destination });
  }

  /** Ignores dry runs. */
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
    this.#refresh();
    return `${await this.#pair.metrics()}\n${await processMetrics()}`;
  }

  /** The values now, to be joined with those of other pairs. */
  values(): ReturnType<Registry['getMetricsAsJSON']> {
    this.#refresh();
    return this.#pair.getMetricsAsJSON();
  }

  health(): Health {
    return this.#health.read(this.#readStatus()?.synchronised, this.#now());
  }

  /**
   * Serves `/metrics` and `/healthz`.
   * @throws config when it cannot listen there
   */
  listen(address: ListenAddress): Promise<Listening> {
    return serveMetrics(address, { text: () => this.text(), health: () => this.health() });
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
      case 'fleet':
        this.#fleet(event);
        break;
      case 'waiting':
        m.listRequests.set(event.listRequestsPerDay);
        break;
      case 'end':
        this.#ended(event);
        break;
    }
  }

  #fleet({ there, waiting, workers }: Of<'fleet'>): void {
    const { fleetWorkers, fleetWaiting, fleetObjects, fleetBytes } = this.#m;
    fleetWorkers.set(there);
    fleetWaiting.set(waiting);
    fleetObjects.reset();
    fleetBytes.reset();
    for (const { name: worker, objects, bytes } of workers) {
      fleetObjects.set({ worker }, objects);
      fleetBytes.set({ worker }, bytes);
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
    this.#readMs = Number.NEGATIVE_INFINITY;
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
    if (now - this.#readMs >= STATUS_MS) {
      this.#status = this.#options.status() ?? this.#status;
      this.#readMs = now;
    }
    return this.#status;
  }

  #refresh(): void {
    const m = this.#m;
    const status = this.#readStatus();
    if (status) this.#setStatus(status);
    const { running, inFlight } = this.#pending;
    // A run that was stopped does not report what it left.
    m.inFlight.set(running > 0 ? inFlight.length : 0);
    m.running.set(running);
    this.#setTraffic();
    m.notifications.reset();
    for (const { kind, delivered, dropped, queued } of this.#options.notified?.() ?? []) {
      m.notifications.inc({ target: kind, outcome: 'delivered' }, delivered);
      m.notifications.inc({ target: kind, outcome: 'dropped' }, dropped);
      m.notificationsQueued.set({ target: kind }, queued);
    }
  }

  #setStatus({ pending, failed, synchronised, known }: PairStatus): void {
    const m = this.#m;
    m.pending.set(pending.objects);
    m.pendingBytes.set(pending.bytes);
    m.known.set(known);
    for (const name of CLASSES) m.failedNow.set({ class: name }, failed.byClass[name] ?? 0);
    if (synchronised) m.watermark.set(synchronised.untilMs / 1000);
  }

  #setTraffic(): void {
    const { requests, traffic } = this.#m;
    const counted = this.#options.traffic();
    if (!counted) return;
    requests.reset();
    traffic.reset();
    for (const [side, counts] of Object.entries(counted)) {
      for (const [kind, n] of Object.entries(counts.requests)) requests.inc({ side, kind }, n);
      traffic.inc({ side, direction: 'in' }, counts.bytesIn);
      traffic.inc({ side, direction: 'out' }, counts.bytesOut);
    }
  }
}
