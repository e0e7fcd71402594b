import pLimit from 'p-limit';

/** Runs tasks in order of arrival, at most `concurrency` at once; that can be changed while tasks wait. */
export interface Limiter {
  <T>(task: () => Promise<T>): Promise<T>;
  concurrency: number;
  /** Tasks that wait. */
  readonly pendingCount: number;
  /** Tasks that run. */
  readonly activeCount: number;
}

export function limiter(concurrency: number): Limiter {
  return pLimit(concurrency);
}

/** Tasks that may wait in a queue, for each that may run, where it is not said otherwise. */
const BACKLOG = 4;

/**
 * A queue with back-pressure: `push` waits while enough tasks are waiting, so that a listing of any length never
 * piles up in memory. Tasks must not reject: an object's failure is data. One that does rejects `drain`.
 */
export class Queue {
  readonly #limit: Limiter;
  readonly #backlog: number;
  readonly #active = new Set<Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  /** Pushed and not begun. Others may wait in the same limit. */
  #pending = 0;
  #failed: { error: unknown } | undefined;

  /** @param backlog tasks that may wait, for each that may run */
  constructor(limit: Limiter, backlog = BACKLOG) {
    this.#limit = limit;
    this.#backlog = backlog;
  }

  async push(task: () => Promise<void>): Promise<void> {
    while (this.#pending >= this.#limit.concurrency * this.#backlog) {
      await new Promise<void>((room) => this.#waiting.push(room));
    }
    this.#pending++;
    const running: Promise<void> = this.#limit(() => {
      this.#pending--;
      this.#waiting.shift()?.();
      return task();
    })
      .catch((error: unknown) => {
        this.#failed ??= { error };
      })
      .finally(() => {
        this.#active.delete(running);
      });
    this.#active.add(running);
  }

  /** Waits for everything that was pushed, also for what is pushed meanwhile. */
  async drain(): Promise<void> {
    while (this.#active.size > 0) await Promise.all(this.#active);
    if (this.#failed) throw this.#failed.error;
  }
}
