/** Tests: test/engine/tune/slots.test.ts */

/** Runs tasks in order of arrival, at most `concurrency` at once, which may change while tasks wait. */
export interface Limiter {
  <T>(task: () => Promise<T>): Promise<T>;
  concurrency: number;
  /** Waiting tasks. */
  readonly pendingCount: number;
  /** Running tasks. */
  readonly activeCount: number;
}

/** Our own, because every object goes through one: p-limit costs it six promises more. */
export function limiter(concurrency: number): Limiter {
  const waiting: (() => void)[] = [];
  let most = concurrency;
  let active = 0;
  const go = (): void => {
    while (active < most && waiting.length > 0) {
      active++;
      waiting.shift()?.();
    }
  };
  const end = (): void => {
    active--;
    go();
  };
  const start = <T>(task: () => Promise<T>, resolve: (value: T) => void, reject: (error: unknown) => void): void => {
    const failed = (error: unknown): void => {
      reject(error);
      end();
    };
    try {
      task().then((value) => {
        resolve(value);
        end();
      }, failed);
    } catch (error) {
      failed(error);
    }
  };
  const limit = <T>(task: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      waiting.push(() => start(task, resolve, reject));
      go();
    });
  return Object.defineProperties(Object.assign(limit, { concurrency, pendingCount: 0, activeCount: 0 }), {
    concurrency: {
      get: () => most,
      set: (wanted: number) => {
        most = wanted;
        go();
      },
    },
    pendingCount: { get: () => waiting.length },
    activeCount: { get: () => active },
  });
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
