/**
 * Whose pass may begin: the passes of all rules in order of priority, and of equal ones the one that has waited longest.
 * Tests: test/serve/turns.test.ts
 */

/** A turn is for finding out what there is to do. Nobody waits longer for a pass that has much to copy. */
const TURN_MS = 30_000;

interface Waiter {
  priority: number;
  go(): void;
}

export class Turns {
  readonly #most: number;
  readonly #waiting: Waiter[] = [];
  #taken = 0;
  /** Passes in each group that has a turn. */
  readonly #groups = new Map<string, number>();

  /** @param most passes that begin at the same time */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Runs `pass` when it is its turn, or at once when the signal fires.
   * @param group passes of one group, which read the same source, have one turn together
   */
  take<T>(priority: number, signal: AbortSignal, pass: () => Promise<T>, group?: string): Promise<T> {
    if (group === undefined) return this.#take(priority, signal, pass);
    return this.#among(group, () => (this.#groups.get(group) === 1 ? this.#take(priority, signal, pass) : pass()));
  }

  async #among<T>(group: string, work: () => Promise<T>): Promise<T> {
    this.#groups.set(group, (this.#groups.get(group) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (this.#groups.get(group) ?? 0) - 1;
      if (left > 0) this.#groups.set(group, left);
      else this.#groups.delete(group);
    }
  }

  async #take<T>(priority: number, signal: AbortSignal, pass: () => Promise<T>): Promise<T> {
    if (this.#taken >= this.#most) await this.#wait(priority, signal);
    this.#taken++;
    let over = false;
    const end = (): void => {
      if (over) return;
      over = true;
      this.#taken--;
      this.#next();
    };
    const timer = setTimeout(end, TURN_MS).unref();
    try {
      return await pass();
    } finally {
      clearTimeout(timer);
      end();
    }
  }

  #wait(priority: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const waiter = { priority, go };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        resolve();
      };
      if (signal.aborted) return resolve();
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiter);
    });
  }

  #next(): void {
    if (this.#taken >= this.#most) return;
    const best = this.#waiting.reduce<Waiter | undefined>(
      (found, waiter) => (found === undefined || waiter.priority > found.priority ? waiter : found),
      undefined,
    );
    if (best === undefined) return;
    this.#waiting.splice(this.#waiting.indexOf(best), 1);
    best.go();
  }
}
