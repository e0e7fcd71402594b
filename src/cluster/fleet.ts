/** Other machines, reached through a queue in Redis. Tests: test/e2e/queue.redis.ts */
import type { Fleet, FleetLink, FleetRun } from '../engine/fleet/port.js';
import { parseQueue } from './address.js';
import { type Client, type ConnectOptions, connectRedis } from './connect.js';
import { Coordinator } from './coordinator.js';
import type { Terms } from './messages.js';
import { Ownership } from './ownership.js';
import { PairJobs } from './pair-jobs.js';

/** Objects that a run may have with the workers, or waiting for them. */
const OBJECTS = 8000;

export class RedisFleet implements Fleet {
  readonly objects = OBJECTS;
  readonly #redis: Client;
  readonly #terms: Terms;
  readonly #queue: PairJobs;
  readonly #text: string;
  /** Jobs of this process, and how many works each has. */
  readonly #own = new Map<string, number>();
  readonly #open = new Set<Coordinator>();
  #ownership: Ownership | undefined;

  private constructor(redis: Client, terms: Terms, queue: PairJobs, text: string) {
    this.#redis = redis;
    this.#terms = terms;
    this.#queue = queue;
    this.#text = text;
  }

  /**
   * @param owner ID of the manifest
   * @throws usage, unreachable, bad-credentials, config; locked: another machine has the pair
   */
  static async open(text: string, terms: Terms, owner: string, options: ConnectOptions): Promise<RedisFleet> {
    const address = parseQueue(text);
    const redis = await connectRedis(address, options);
    const fleet = new RedisFleet(redis, terms, await PairJobs.open(redis, terms), address.text);
    try {
      fleet.#ownership = await Ownership.take(redis, { pair: terms.pair, id: owner }, (error) => fleet.#lose(error));
    } catch (error) {
      await fleet.close();
      throw error;
    }
    return fleet;
  }

  join(run: FleetRun): FleetLink {
    const terms: Terms = { ...this.#terms, ...(run.unverified && { unverified: true }) };
    const queue = this.#queue.with(terms);
    const coordinator: Coordinator = new Coordinator({
      ...{ run, redis: this.#redis, pair: terms.pair, queue, text: this.#text, own: this.#own },
      left: () => this.#open.delete(coordinator),
    });
    this.#open.add(coordinator);
    return coordinator;
  }

  /** Everything has been recorded: forgets the jobs that are done. */
  async close(): Promise<void> {
    try {
      for (const [id, works] of this.#own) if (works > 0) await this.#queue.forget(id, works);
      await this.#ownership?.release();
    } finally {
      await this.#queue.close();
      this.#redis.disconnect();
    }
  }

  #lose(error: unknown): void {
    for (const coordinator of this.#open) coordinator.fail(error);
  }
}
