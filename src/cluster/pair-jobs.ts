/** The queue of a pair's jobs, on BullMQ. Tests: test/e2e/queue.redis.ts */
import type { Queue } from 'bullmq';
import { VERSION } from '../version.js';
import type { Client } from './connect.js';
import type { JobQueue } from './dispatch.js';
import { KEPT_S, keys, PREFIX, QUEUE } from './keys.js';
import { JOB_VERSION, type JobData, jsonOf, type Result, type Terms, validResult, type Work } from './messages.js';

/** What has become of a job. `over`: no worker will do any more of it. */
export interface Look {
  over: boolean;
  done: Map<string, Result>;
}

export class PairJobs implements JobQueue {
  readonly #redis: Client;
  readonly #terms: Terms;
  readonly #queue: Queue;

  private constructor(redis: Client, terms: Terms, queue: Queue) {
    this.#redis = redis;
    this.#terms = terms;
    this.#queue = queue;
  }

  static async open(redis: Client, terms: Terms): Promise<PairJobs> {
    const { Queue } = await import('bullmq');
    // Nobody reads BullMQ's events.
    const streams = { events: { maxLen: 10 } };
    const queue = new Queue(QUEUE, { connection: redis, prefix: PREFIX, streams, skipVersionCheck: true });
    queue.on('error', () => undefined);
    await queue.waitUntilReady();
    return new PairJobs(redis, terms, queue);
  }

  /** The same for another run. */
  with(terms: Partial<Terms>): PairJobs {
    return new PairJobs(this.#redis, { ...this.#terms, ...terms }, this.#queue);
  }

  async add(id: string, work: readonly Work[]): Promise<void> {
    const data: JobData = { version: JOB_VERSION, program: VERSION, terms: this.#terms, work: [...work] };
    await this.#redis.sadd(keys.jobs(this.#terms.pair), id);
    await this.#queue.add('work', data, {
      jobId: id,
      removeOnComplete: { age: KEPT_S },
      removeOnFail: { age: KEPT_S },
    });
  }

  /** Jobs of the pair, of all lives of its coordinator, that are not forgotten. */
  ids(): Promise<string[]> {
    return this.#redis.smembers(keys.jobs(this.#terms.pair));
  }

  /** As it was added; undefined if it is gone. */
  async data(id: string): Promise<unknown> {
    return (await this.#queue.getJob(id))?.data;
  }

  /** @returns true if no worker has it now, and none will */
  async withdraw(id: string): Promise<boolean> {
    if ((await this.#queue.remove(id)) > 0) return true;
    return (await this.#queue.getJobState(id)) === 'unknown';
  }

  /** Forgets the job and its results. @returns false while a worker has it */
  async forget(id: string, works: number): Promise<boolean> {
    if (!(await this.withdraw(id))) return false;
    const uploads = Array.from({ length: works }, (_, work) => keys.upload(id, work));
    await this.#redis.del(keys.done(id), ...uploads);
    await this.#redis.srem(keys.jobs(this.#terms.pair), id);
    return true;
  }

  /** @param known how many results of it are known here */
  async look(id: string, known: number): Promise<Look> {
    const state = await this.#queue.getJobState(id);
    const over = state === 'completed' || state === 'failed' || state === 'unknown';
    const there = await this.#redis.hlen(keys.done(id));
    return { over, done: over || there > known ? await this.done(id) : new Map() };
  }

  async done(id: string): Promise<Map<string, Result>> {
    const results = new Map<string, Result>();
    for (const [field, text] of Object.entries(await this.#redis.hgetall(keys.done(id)))) {
      const result = validResult(jsonOf(text));
      if (result) results.set(field, result);
    }
    return results;
  }

  /** Jobs that no worker has taken. */
  waiting(): Promise<number> {
    return this.#queue.getWaitingCount();
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }
}
