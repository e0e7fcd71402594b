/** A worker process: takes jobs from the queue until it is stopped. Tests: test/e2e/queue.redis.ts */
import { DelayedError, type Job, WaitingError, Worker } from 'bullmq';
import { toXsyncError } from '../model/error.js';
import { VERSION } from '../version.js';
import { JOBS } from './batch.js';
import { FetchWatch } from './fetch-watch.js';
import { type JobEnd, JobRun, type Tools } from './job-run.js';
import { keys, PREFIX, QUEUE, WAITING } from './keys.js';
import { type JobData, type Presence, validJob } from './messages.js';
import type { Pairs } from './pairs.js';

/** A worker that has not been heard for so long has lost its jobs, ms. */
const LOCK_MS = 10_000;
/** How often some worker looks for such jobs, ms. */
const STALLED_MS = 5000;
const BEAT_MS = 1000;
/** Without a beat, a worker is gone, ms. */
const GONE_MS = 5000;
/** A job that was given back waits for another worker, ms. */
const REFUSED_MS = 2000;
/** A job that ends so many workers is left to the coordinator. */
const MOST_STALLED = 4;

export interface StationOptions extends Omit<Tools, 'count'> {
  pairs: Pairs;
  /** It has a job, or none. */
  busy(isBusy: boolean): void;
  warn(message: string): void;
}

/** What a worker is doing. */
export interface StationState {
  name: string;
  objects: number;
  bytes: number;
  /** In progress. */
  jobs: number;
  done: number;
  givenBack: number;
  draining: boolean;
  /** Since Redis has answered, ms. */
  silentMs: number;
}

export class Station {
  readonly #options: StationOptions;
  readonly #runs = new Map<string, JobRun>();
  readonly #refusals = new Set<string>();
  readonly #watch = new FetchWatch(JOBS);
  readonly #sums = { objects: 0, bytes: 0, done: 0, givenBack: 0 };
  #worker: Worker;
  #timer: NodeJS.Timeout;
  #draining = false;
  #heardMs = Date.now();
  #beating = false;

  constructor(options: StationOptions) {
    this.#options = options;
    this.#worker = this.#start();
    void this.#beat();
    this.#timer = setInterval(() => void this.#beat(), BEAT_MS);
  }

  get state(): StationState {
    const { name } = this.#options;
    const silentMs = Date.now() - this.#heardMs;
    return { name, ...this.#sums, jobs: this.#runs.size, draining: this.#draining, silentMs };
  }

  /** Takes no more jobs, and waits for those in progress. */
  async drain(): Promise<void> {
    this.#draining = true;
    await this.#worker.pause();
  }

  /** Jobs in progress end soon. What is left of them goes to other workers. */
  giveBack(): void {
    this.#stopAll('parts');
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#worker.close();
    const { redis, name, pairs } = this.#options;
    await redis.del(keys.worker(name));
    await redis.srem(keys.workers(), name);
    await pairs.close();
  }

  #start(): Worker {
    const { redis, name } = this.#options;
    const worker = new Worker(QUEUE, (job, token) => this.#take(job, token), {
      ...{ connection: redis, prefix: PREFIX, name, concurrency: JOBS, skipVersionCheck: true },
      ...{ lockDuration: LOCK_MS, stalledInterval: STALLED_MS, maxStalledCount: MOST_STALLED, runRetryDelay: BEAT_MS },
    });
    // The connection reports its own faults; those of jobs are seen in their states.
    worker.on('error', () => undefined);
    worker.on('active', () => this.#watch.fetched());
    worker.on('lockRenewalFailed', (ids) => {
      for (const id of ids) this.#runs.get(id)?.stop('calls');
    });
    return worker;
  }

  async #take(job: Job<unknown>, token = ''): Promise<void> {
    const { id = '' } = job;
    const end = await this.#perform(id, job);
    if (end.kind === 'done') {
      this.#sums.done++;
      return;
    }
    this.#sums.givenBack++;
    if (end.kind === 'left') {
      await job.moveToWait(token);
      throw new WaitingError();
    }
    this.#warnOnce(end.reason);
    await job.moveToDelayed(Date.now() + REFUSED_MS, token);
    throw new DelayedError();
  }

  async #perform(id: string, { data, attemptsStarted }: Job<unknown>): Promise<JobEnd> {
    let valid: JobData;
    try {
      valid = validJob(data);
    } catch (error) {
      return { kind: 'refused', reason: toXsyncError(error).message };
    }
    const { pairs, busy } = this.#options;
    const tools: Tools = { ...this.#options, count: (bytes) => this.#count(bytes) };
    const run = new JobRun(tools, { id, data: valid, again: attemptsStarted > 1 });
    this.#runs.set(id, run);
    if (this.#runs.size === 1) busy(true);
    try {
      return await run.run(pairs.open(valid.terms));
    } finally {
      this.#runs.delete(id);
      if (this.#runs.size === 0) busy(false);
      pairs.release(valid.terms);
    }
  }

  #count(bytes: number): void {
    this.#sums.objects++;
    this.#sums.bytes += bytes;
  }

  #warnOnce(reason: string): void {
    if (this.#refusals.has(reason)) return;
    this.#refusals.add(reason);
    this.#options.warn(`a job was given back: ${reason}`);
  }

  #stopAll(level: 'parts' | 'calls'): void {
    for (const run of this.#runs.values()) run.stop(level);
  }

  /** One at a time: while Redis is away, commands wait. */
  async #beat(): Promise<void> {
    if (Date.now() - this.#heardMs > LOCK_MS) this.#stopAll('calls');
    if (this.#beating) return;
    this.#beating = true;
    try {
      await this.#say();
      this.#heardMs = Date.now();
    } catch (error) {
      this.#options.warn(`the queue does not answer: ${toXsyncError(error).message}`);
    } finally {
      this.#beating = false;
    }
  }

  async #say(): Promise<void> {
    const { redis, name, slots } = this.#options;
    const { objects, bytes } = this.#sums;
    const presence: Presence = { name, program: VERSION, objects, bytes, jobs: this.#runs.size, room: slots.room };
    const text = JSON.stringify(this.#draining ? { ...presence, draining: true } : presence);
    await redis.set(keys.worker(name), text, 'PX', GONE_MS);
    await redis.sadd(keys.workers(), name);
    for (const run of this.#runs.values()) {
      const level = await redis.get(keys.stop(run.pair));
      if (level === 'objects' || level === 'parts') run.end(level);
    }
    const waiting = await redis.llen(WAITING);
    const look = { nowMs: Date.now(), waiting, active: this.#runs.size };
    if (!this.#draining && this.#watch.isStuck(look)) await this.#restart();
  }

  /** After a failover, a worker may wait for jobs on a connection that tells it of none. */
  async #restart(): Promise<void> {
    this.#options.warn('jobs wait, and this worker got none: it connects again');
    const old = this.#worker;
    this.#worker = this.#start();
    await old.close(true);
  }
}
