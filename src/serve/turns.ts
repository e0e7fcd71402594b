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

/** Passes that have one turn. */
interface Together {
  passes: number;
  turn: (() => void) | Promise<() => void>;
}

export class Turns {
  readonly #most: number;
  readonly #waiting: Waiter[] = [];
  #taken = 0;
  readonly #groups = new Map<string, Together>();

  /** @param most passes that begin at the same time */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Runs `pass` when it is its turn, or at once when the signal fires.
   * @param group passes of one group, which read the same source, have one turn together
   */
  async take<T>(priority: number, signal: AbortSignal, pass: () => Promise<T>, group?: string): Promise<T> {
    const together = this.#groups.get(group ?? '') ?? { passes: 0, turn: this.#turn(priority, signal) };
    if (group !== undefined) this.#groups.set(group, together);
    together.passes++;
    const { turn } = together;
    const end = turn instanceof Promise ? await turn : turn;
    try {
      return await pass();
    } finally {
      if (--together.passes === 0) {
        if (group !== undefined) this.#groups.delete(group);
        end();
      }
    }
  }

  /** @returns what ends the turn, when it has begun */
  #turn(priority: number, signal: AbortSignal): (() => void) | Promise<() => void> {
    return this.#taken < this.#most ? this.#begin() : this.#wait(priority, signal).then(() => this.#begin());
  }

  #begin(): () => void {
    this.#taken++;
    let over = false;
    const end = (): void => {
      clearTimeout(timer);
      if (over) return;
      over = true;
      this.#taken--;
      this.#next();
    };
    const timer = setTimeout(end, TURN_MS).unref();
    return end;
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
