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

  /** @returns undefined if there is room */
  push(task: () => Promise<void>): Promise<void> | undefined {
    if (this.#isFull) return this.#pushLater(task);
    this.#start(task);
    return undefined;
  }

  get #isFull(): boolean {
    return this.#pending >= this.#limit.concurrency * this.#backlog;
  }

  async #pushLater(task: () => Promise<void>): Promise<void> {
    while (this.#isFull) await new Promise<void>((room) => this.#waiting.push(room));
    this.#start(task);
  }

  #start(task: () => Promise<void>): void {
    this.#pending++;
    const ended = (): void => void this.#active.delete(running);
    const failed = (error: unknown): void => {
      this.#failed ??= { error };
      ended();
    };
    const running: Promise<void> = this.#limit(() => {
      this.#pending--;
      this.#waiting.shift()?.();
      return task();
    }).then(ended, failed);
    this.#active.add(running);
  }

  /** Waits for all tasks, including those pushed meanwhile. @throws the first error of a task */
  async drain(): Promise<void> {
    while (this.#active.size > 0) await Promise.all(this.#active);
    if (this.#failed) throw this.#failed.error;
  }
}
