import type { Sleep } from './time.js';

export interface BucketOptions {
  /** Units per second at a time; undefined: no limit. */
  rate: (nowMs: number) => number | undefined;
  /** Units that may be ahead of the clock after a pause, at that rate. */
  burst: (rate: number) => number;
  now: () => number;
  sleep: Sleep;
}

/** Sleepers look at the rate this often, since a timetable may have changed it. */
const LONGEST_SLEEP_MS = 1000;

/**
 * A token bucket, kept as two counters of units: how many were ever asked for, and how many the clock has granted so
 * far. A taker's ticket is the first counter when it came, and it waits until the second gets there: first come,
 * first served, without a queue. A taker that aborts leaves its units asked for; it had at most one piece.
 */
export class Bucket {
  readonly #options: BucketOptions;
  #asked = 0;
  #granted = Number.POSITIVE_INFINITY;
  #lastMs: number;

  constructor(options: BucketOptions) {
    this.#options = options;
    this.#lastMs = options.now();
    this.#grant();
  }

  /** Undefined when `units` may go at once, which costs no promise. Rejects with `aborted`. */
  take(units: number, signal?: AbortSignal): Promise<void> | undefined {
    this.#grant();
    this.#asked += units;
    const ticket = this.#asked;
    return this.#waitMs(ticket) > 0 ? this.#wait(ticket, signal) : undefined;
  }

  async #wait(ticket: number, signal: AbortSignal | undefined): Promise<void> {
    for (let waitMs = this.#waitMs(ticket); waitMs > 0; waitMs = this.#waitMs(ticket)) {
      await this.#options.sleep(Math.min(Math.ceil(waitMs), LONGEST_SLEEP_MS), signal);
    }
  }

  /** 0 when the ticket has been granted; Infinity while the rate is 0. */
  #waitMs(ticket: number): number {
    const rate = this.#grant();
    const missing = ticket - this.#granted;
    return rate === undefined || missing <= 0 ? 0 : (missing / rate) * 1000;
  }

  /** Lets the clock grant what it owes, and gives the rate of now. */
  #grant(): number | undefined {
    const nowMs = this.#options.now();
    const seconds = Math.max(0, nowMs - this.#lastMs) / 1000;
    this.#lastMs = nowMs;
    const rate = this.#options.rate(nowMs);
    this.#granted =
      rate === undefined
        ? this.#asked
        : Math.min(this.#granted + seconds * rate, this.#asked + this.#options.burst(rate));
    return rate;
  }
}
