/**
 * What a worker tells of one job. Results are in Redis before the coordinator hears of them, so that they are not lost
 * with the coordinator. Tests: test/e2e/queue.redis.ts
 */
import { difference, NOTHING } from '../store/wrap/meter.js';
import type { StoreView } from '../store/wrap/share.js';
import type { Client } from './connect.js';
import { KEPT_S, keys } from './keys.js';
import type { News, Result } from './messages.js';

const LATEST_MS = 100;

export interface OutletContext {
  redis: Pick<Client, 'hset' | 'expire' | 'publish'>;
  pair: string;
  job: string;
  /** The worker's name. */
  worker: string;
  /** The stores as the job sees them, once they are open. */
  views(): Partial<Record<'source' | 'dest', StoreView>>;
}

export class Outlet {
  readonly #context: OutletContext;
  readonly #reported = { source: NOTHING, dest: NOTHING };
  #news: Required<Pick<News, 'results' | 'observed' | 'retried' | 'checkpoints'>> = none();
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();
  #error: unknown;

  constructor(context: OutletContext) {
    this.#context = context;
  }

  result(field: string, result: Result): void {
    this.#news.results.push([field, { ...result, by: this.#context.worker }]);
    // A part is worth a message: what is not told before a kill is sent again.
    if ('sent' in result) this.#flush({});
    else this.#soon();
  }

  observed(observation: NonNullable<News['observed']>[number]): void {
    const last = this.#news.observed.at(-1);
    if (last?.type === 'progress' && observation.type === 'progress' && last.key === observation.key) {
      this.#news.observed[this.#news.observed.length - 1] = { ...last, bytes: last.bytes + observation.bytes };
      return;
    }
    this.#news.observed.push(observation);
    this.#soon();
  }

  retried(retry: NonNullable<News['retried']>[number]): void {
    this.#news.retried.push(retry);
    this.#soon();
  }

  checkpoint(question: NonNullable<News['checkpoints']>[number]): void {
    this.#news.checkpoints.push(question);
    this.#soon();
  }

  /** The last news of the job. @throws what Redis throws */
  async close(last: Pick<News, 'refused' | 'over'>): Promise<void> {
    this.#flush(last);
    await this.#sending;
    if (this.#error !== undefined) throw this.#error;
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => this.#flush({}), LATEST_MS);
  }

  #flush(last: Pick<News, 'refused' | 'over'>): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { job, worker } = this.#context;
    const news: News = { job, worker, ...this.#news, traffic: this.#traffic(), ...last };
    this.#news = none();
    this.#sending = this.#sending
      .then(() => this.#send(news))
      .catch((error: unknown) => {
        this.#error ??= error;
      });
  }

  async #send(news: News): Promise<void> {
    const { redis, pair, job } = this.#context;
    const fields = (news.results ?? []).map(([field, result]) => [field, JSON.stringify(result)]);
    if (fields.length > 0) {
      await redis.hset(keys.done(job), Object.fromEntries(fields));
      await redis.expire(keys.done(job), KEPT_S);
    }
    await redis.publish(keys.news(pair), JSON.stringify(news));
  }

  #traffic(): News['traffic'] {
    const views = this.#context.views();
    const traffic: News['traffic'] = {};
    for (const side of ['source', 'dest'] as const) {
      const now = views[side]?.traffic();
      const counts = now && difference(now, this.#reported[side]);
      if (!counts) continue;
      this.#reported[side] = now;
      traffic[side] = counts;
    }
    return traffic;
  }
}

function none() {
  return {
    results: [],
    observed: [],
    retried: [],
    checkpoints: [],
  } as Required<Pick<News, 'results' | 'observed' | 'retried' | 'checkpoints'>>;
}
