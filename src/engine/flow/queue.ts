/** Tests: test/engine/tune/slots.test.ts */
import pLimit from 'p-limit';

/** Runs tasks in order of arrival, at most `concurrency` at once, which may change while tasks wait. */
export interface Limiter {
  <T>(task: () => Promise<T>): Promise<T>;
  concurrency: number;
  /** Waiting tasks. */
  readonly pendingCount: number;
  /** Running tasks. */
  readonly activeCount: number;
}

export function limiter(concurrency: number): Limiter {
  return pLimit(concurrency);
}

/** Tasks that may wait in a queue for each that may run, by default. */
const BACKLOG = 4;

/**
 * A queue with back-pressure: `push` waits while enough tasks are waiting, so that a long listing does not fill the
 * memory. Tasks must not reject: an object's failure is data. If one does, `drain` rejects.
 */
export class Queue {
  readonly #limit: Limiter;
  readonly #backlog: number;
  readonly #active = new Set<Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  /** Pushed and not started. Tasks of other queues may wait at the same limiter. */
  #pending = 0;
  #failed: { error: unknown } | undefined;

  /** @param backlog tasks that may wait for each that may run */
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

  /** Waits for all tasks, including those pushed meanwhile. @throws the first error of a task */
  async drain(): Promise<void> {
    while (this.#active.size > 0) await Promise.all(this.#active);
    if (this.#failed) throw this.#failed.error;
  }
}
