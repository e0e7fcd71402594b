/** The pages of a worker for monitoring programs: `/metrics` and `/healthz`; docs/metrics.md has the names. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { ListenAddress } from '../inbound/address.js';
import { VERSION } from '../version.js';
import { type Listening, type Page, servePages } from './server.js';

/** What a worker is doing. Sums are since its start. */
export interface WorkerState {
  name: string;
  objects: number;
  bytes: number;
  /** In progress. */
  jobs: number;
  done: number;
  givenBack: number;
  draining: boolean;
  /** Since the queue has answered, ms. */
  silentMs: number;
}

/** A queue that is silent for so long is unhealthy, ms. */
const SILENT_MS = 60_000;

export class WorkerPages {
  readonly #state: () => WorkerState;
  readonly #registry = new Registry();
  readonly #jobs: Gauge;
  readonly #draining: Gauge;
  readonly #silent: Gauge;
  readonly #sums: { counter: Counter; of: 'objects' | 'bytes' | 'done' | 'givenBack' }[];

  constructor(state: () => WorkerState) {
    this.#state = state;
    const registers = [this.#registry];
    this.#registry.setDefaultLabels({ worker: state().name });
    const gauge = (name: string, help: string) => new Gauge({ name: `xsync_worker_${name}`, help, registers });
    const counter = (name: string, help: string) => new Counter({ name: `xsync_worker_${name}`, help, registers });
    const labelNames = ['version'];
    new Gauge({ name: 'xsync_build_info', help: 'Always 1', labelNames, registers }).set({ version: VERSION }, 1);
    this.#jobs = gauge('jobs', 'Jobs in progress');
    this.#draining = gauge('draining', '1 after SIGTERM: it takes no more jobs');
    this.#silent = gauge('queue_silent_seconds', 'Since the queue has answered');
    this.#sums = [
      { counter: counter('objects_total', 'Objects that were copied, and parts of shared ones'), of: 'objects' },
      { counter: counter('bytes_total', 'Bytes of those'), of: 'bytes' },
      { counter: counter('jobs_done_total', 'Jobs that were done'), of: 'done' },
      { counter: counter('jobs_given_back_total', 'Jobs that went to another worker'), of: 'givenBack' },
    ];
    collectDefaultMetrics({ register: this.#registry });
  }

  /** @throws config when it cannot listen there */
  listen(address: ListenAddress): Promise<Listening> {
    const metrics = async (): Promise<Page> => {
      return { status: 200, type: Registry.PROMETHEUS_CONTENT_TYPE, body: await this.#text() };
    };
    return servePages(address, { '/metrics': metrics, '/healthz': async () => this.#health() }, '--metrics-addr');
  }

  async #text(): Promise<string> {
    const state = this.#state();
    this.#jobs.set(state.jobs);
    this.#draining.set(Number(state.draining));
    this.#silent.set(state.silentMs / 1000);
    for (const { counter, of } of this.#sums) {
      counter.reset();
      counter.inc(state[of]);
    }
    return this.#registry.metrics();
  }

  #health(): Page {
    const state = this.#state();
    const silent = state.silentMs > SILENT_MS;
    const reasons = silent ? [`the queue has not answered for ${Math.round(state.silentMs / 1000)} s`] : [];
    const body = `${JSON.stringify({ status: silent ? 'unhealthy' : 'ok', reasons, ...state })}\n`;
    return { status: silent ? 503 : 200, type: 'application/json', body };
  }
}
