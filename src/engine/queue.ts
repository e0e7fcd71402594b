import pLimit from 'p-limit';

/** Runs at most `concurrency` of the given tasks at once, in order of arrival. */
export function limiter(concurrency: number): <T>(task: () => Promise<T>) => Promise<T> {
  return pLimit(concurrency);
}

/**
 * A queue with back-pressure: `push` waits while `backlog` tasks are waiting, so that a listing of any length never
 * piles up in memory. Tasks must not reject: an object's failure is data. One that does rejects `drain`.
 */
export class Queue {
  readonly #limit;
  readonly #backlog: number;
  readonly #active = new Set<Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  #failed: { error: unknown } | undefined;

  constructor(concurrency: number, backlog = concurrency * 4) {
    this.#limit = pLimit(concurrency);
    this.#backlog = backlog;
  }

  async push(task: () => Promise<void>): Promise<void> {
    while (this.#limit.pendingCount >= this.#backlog) {
      await new Promise<void>((room) => this.#waiting.push(room));
    }
    const running: Promise<void> = this.#limit(task)
      .catch((error: unknown) => {
        this.#failed ??= { error };
      })
      .finally(() => {
        this.#active.delete(running);
        this.#waiting.shift()?.();
      });
    this.#active.add(running);
  }

  /** Waits for everything that was pushed, also for what is pushed meanwhile. */
  async drain(): Promise<void> {
    while (this.#active.size > 0) await Promise.all(this.#active);
    if (this.#failed) throw this.#failed.error;
  }
}
