/** Metrics and health of one end of a bridge. `docs/metrics.md` documents the names. Tests: test/observe/bridge.test.ts */

import { Gauge, Registry } from 'prom-client';
import type { ListenAddress } from '../inbound/address.js';
import type { Backlog } from '../model/backlog.js';
import { VERSION } from '../version.js';
import { type Listening, type Page, servePages } from './server.js';

export interface BridgeMetricsOptions {
  /** As typed; labels of every metric. */
  source: string;
  destination: string;
  /** Asked when scraped, at most every three seconds. */
  backlog(): Promise<Backlog>;
  /** A change may wait for this time, ms. Absent: there is no limit. */
  rpoMs?: number;
  now?: () => number;
}

/** Plain data; `docs/metrics.md` documents it. */
export interface BridgeHealth {
  status: 'ok' | 'unhealthy';
  /** Why it is unhealthy, as sentences for people. */
  reasons: string[];
  tickets: Readonly<Record<string, number>>;
  /** How long the oldest change has waited; null if none waits. */
  oldestAgeMs: number | null;
  rpoMs: number | null;
}

const BACKLOG_MS = 3_000;
/** Shorter trouble is not unhealthy. */
const TROUBLE_MS = 60_000;

export class BridgeMetrics {
  readonly #options: BridgeMetricsOptions;
  readonly #now: () => number;
  readonly #registry = new Registry();
  readonly #tickets: Gauge<'state'>;
  readonly #bytes: Gauge;
  readonly #oldest: Gauge;
  #read: { atMs: number; backlog: Promise<Backlog> } | undefined;
  #trouble: { sinceMs: number; message: string } | undefined;

  constructor(options: BridgeMetricsOptions) {
    const { source, destination, now = Date.now } = options;
    this.#options = options;
    this.#now = now;
    const registers = [this.#registry];
    this.#registry.setDefaultLabels({ source, destination });
    const gauge = <T extends string>(name: string, help: string, ...labelNames: T[]): Gauge<T> =>
      new Gauge({ name: `xsync_${name}`, help, labelNames, registers });
    gauge('build_info', 'Always 1; the version is its label', 'version').set({ version: VERSION }, 1);
    this.#tickets = gauge('bridge_tickets', 'Tickets that this end knows, by state', 'state');
    this.#bytes = gauge('bridge_waiting_bytes', 'Bytes of the objects that wait');
    this.#oldest = gauge(
      'bridge_oldest_ticket_timestamp_seconds',
      'When the oldest change that waits was noticed; 0 if none waits',
    );
  }

  /** Something holds up all tickets, or no longer (undefined). */
  trouble(message: string | undefined): void {
    this.#trouble = message === undefined ? undefined : { sinceMs: this.#trouble?.sinceMs ?? this.#now(), message };
  }

  /** In Prometheus's text format. */
  async text(): Promise<string> {
    const { tickets, waitingBytes, oldestMs = 0 } = await this.#backlog();
    for (const [state, count] of Object.entries(tickets)) this.#tickets.set({ state }, count);
    this.#bytes.set(waitingBytes);
    this.#oldest.set(oldestMs / 1000);
    return this.#registry.metrics();
  }

  async health(): Promise<BridgeHealth> {
    const { rpoMs } = this.#options;
    const { tickets, oldestMs } = await this.#backlog();
    const nowMs = this.#now();
    const ageMs = oldestMs === undefined ? null : Math.max(0, nowMs - oldestMs);
    const reasons: string[] = [];
    if (ageMs !== null && rpoMs !== undefined && ageMs > rpoMs) {
      reasons.push(`a change has waited for ${seconds(ageMs)}, more than the ${seconds(rpoMs)} of --rpo`);
    }
    const { sinceMs, message } = this.#trouble ?? { sinceMs: nowMs, message: '' };
    if (nowMs - sinceMs >= TROUBLE_MS) reasons.push(`no progress for ${seconds(nowMs - sinceMs)}: ${message}`);
    const status = reasons.length === 0 ? 'ok' : 'unhealthy';
    return { status, reasons, tickets, oldestAgeMs: ageMs, rpoMs: rpoMs ?? null };
  }

  /** Serves `/metrics` and `/healthz`. @throws config */
  listen(address: ListenAddress): Promise<Listening> {
    const metrics = async (): Promise<Page> => {
      return { status: 200, type: Registry.PROMETHEUS_CONTENT_TYPE, body: await this.text() };
    };
    const healthz = async (): Promise<Page> => {
      const health = await this.health();
      const status = health.status === 'ok' ? 200 : 503;
      return { status, type: 'application/json', body: `${JSON.stringify(health)}\n` };
    };
    return servePages(address, { '/metrics': metrics, '/healthz': healthz }, '--metrics-addr');
  }

  #backlog(): Promise<Backlog> {
    const atMs = this.#now();
    if (!this.#read || atMs - this.#read.atMs >= BACKLOG_MS) {
      this.#read = { atMs, backlog: this.#options.backlog() };
    }
    return this.#read.backlog;
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
