/**
 * The workers of one open pair: threads that perform tickets, for all runs over it. They are started when there is work
 * for them.
 * Tests: test/engine/workers/workers.test.ts
 */
import { availableParallelism } from 'node:os';
import { type Performance, performance } from 'node:perf_hooks';
import { XsyncError } from '../../model/error.js';
import type { Findings } from '../../store/wrap/findings.js';
import { type Limiter, limiter } from '../flow/queue.js';
import { errorOf, type Order, type Report, type WorkerSide } from './messages.js';
import { Outbox } from './outbox.js';

/** A started thread. */
export interface Thread {
  post(orders: readonly Order[]): void;
  /** The share of the time since the last call in which it was busy. */
  busy(): number;
  /** Resolves when it has ended. */
  close(): Promise<void>;
}

export interface Listener {
  heard(reports: readonly Report[]): void;
  /** It has ended by itself. */
  failed(error: Error): void;
}

export type StartThread = (listener: Listener) => Thread;

/** What a run does with reports. */
export interface Client {
  /** The worker is about to get its first ticket of the run. */
  began(worker: Worker): void;
  heard(worker: Worker, report: Exclude<Report, { type: 'found' | 'unopened' }>): void;
  lost(worker: Worker, error: XsyncError): void;
}

/** A thread as the main thread sees it. */
export class Worker {
  readonly thread: Thread;
  readonly outbox: Outbox<Order>;
  readonly runs = new Set<number>();
  /** Of its tickets in progress. */
  weight = 0;

  constructor(thread: Thread) {
    this.thread = thread;
    this.outbox = new Outbox((orders) => thread.post(orders));
  }
}

/** How often `auto` looks whether the threads are busy. */
const LOOK_MS = 500;
const BUSY = 0.85;

export class Pool {
  readonly most: number;
  /** Limits small objects and parts in flight, over all workers. */
  readonly limit: Limiter;
  readonly #start: StartThread;
  readonly #findings: Partial<Record<WorkerSide, Findings>>;
  readonly #workers: Worker[] = [];
  readonly #clients = new Map<number, Client>();
  #runs = 0;
  /** How many there may be now. */
  #allowed: number;
  #timer: NodeJS.Timeout | undefined;
  readonly #ownBusy: () => number;

  /**
   * @param connections requests in flight to one server
   * @param ownBusy of the main thread, as `Thread.busy`
   */
  constructor(
    { wanted, connections }: { wanted: number | 'auto'; connections: number },
    start: StartThread,
    findings: Partial<Record<WorkerSide, Findings>> = {},
    ownBusy = busyOf(performance),
  ) {
    this.#ownBusy = ownBusy;
    this.limit = limiter(connections);
    this.most = wanted === 'auto' ? availableParallelism() : wanted;
    this.#allowed = wanted === 'auto' ? 0 : wanted;
    this.#start = start;
    this.#findings = findings;
    if (wanted === 'auto') this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /** @returns the run's number */
  join(client: Client): number {
    const run = this.#runs++;
    this.#clients.set(run, client);
    return run;
  }

  leave(run: number): void {
    this.#clients.delete(run);
    for (const worker of this.#workers) if (worker.runs.delete(run)) worker.outbox.add({ type: 'end', run });
  }

  /** False as long as the main thread has time for the work itself. */
  get active(): boolean {
    return this.#allowed > 0;
  }

  /** The worker with the least work, which may be a new one. */
  choose(run: number): Worker {
    let least = this.#workers[0];
    for (const worker of this.#workers) if (least && worker.weight < least.weight) least = worker;
    if (!least || (least.weight > 0 && this.#workers.length < this.#allowed)) least = this.#add();
    if (!least.runs.has(run)) {
      least.runs.add(run);
      this.#clients.get(run)?.began(least);
    }
    return least;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const workers = this.#workers.splice(0);
    for (const { outbox } of workers) outbox.flush();
    await Promise.all(workers.map(({ thread }) => thread.close()));
  }

  #add(): Worker {
    const worker: Worker = new Worker(
      this.#start({
        heard: (reports) => {
          for (const report of reports) this.#heard(worker, report);
        },
        failed: (cause) => {
          this.#lose(worker, new XsyncError('internal', `a worker thread ended: ${cause.message}`, { cause }));
        },
      }),
    );
    this.#workers.push(worker);
    return worker;
  }

  #heard(worker: Worker, report: Report): void {
    if (report.type === 'found') this.#findings[report.side]?.add(report.message);
    else if (report.type === 'unopened') this.#lose(worker, errorOf(report.error));
    else this.#clients.get(report.run)?.heard(worker, report);
  }

  #lose(worker: Worker, error: XsyncError): void {
    const at = this.#workers.indexOf(worker);
    if (at < 0) return;
    this.#workers.splice(at, 1);
    for (const run of worker.runs) this.#clients.get(run)?.lost(worker, error);
  }

  /** One more when all of them are busy; the first when the main thread is. */
  #look(): void {
    const own = this.#ownBusy();
    const busy = this.#workers.map(({ thread }) => thread.busy());
    const least = busy.length > 0 ? Math.min(...busy) : own;
    if (this.#clients.size > 0 && least > BUSY && busy.length === this.#allowed && this.#allowed < this.most) {
      this.#allowed++;
    }
  }
}

/** Measures a thread: see `Thread.busy`. */
export function busyOf({ eventLoopUtilization }: Pick<Performance, 'eventLoopUtilization'>): () => number {
  let last = eventLoopUtilization();
  return () => {
    const now = eventLoopUtilization();
    const { utilization } = eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}
