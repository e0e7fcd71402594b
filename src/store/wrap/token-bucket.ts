/** Tests: test/store/wrap/throttle.test.ts */
import { XsyncError } from '../../model/error.js';
import type { Sleep } from './time.js';

export interface TokenBucketOptions {
  /** Units per second at a time; undefined: no limit. */
  rate: (nowMs: number) => number | undefined;
  /** Units that may be granted at once after a pause, at that rate. */
  burst: (rate: number) => number;
  /** Of those, the units that wait for the oldest body that has not ended, while it does not ask. Default 0. */
  reserve?: (rate: number) => number;
  now: () => number;
  sleep: Sleep;
}

/** A body whose pieces request units one after the other; created by `TokenBucket.body`. */
export interface Body {
  /** Position among the bodies by start time. */
  readonly place: number;
  /** All the units that it will request. */
  readonly size: number;
}

interface Waiter {
  units: number;
  body: Body;
  sinceMs: number;
  go(): void;
}

/** The rate is read at least this often, because a timetable may change it. */
const LONGEST_SLEEP_MS = 1000;
/** A body of at most this size does not wait for larger ones that started earlier. */
const SMALL_BODY = 256 * 1024;
/** A process that is late by more than this has been suspended. */
const LATEST_SECONDS = 1;
/** S3 closes a connection that was idle for about 20 s (RequestTimeout), so no body waits much longer than this. */
const PATIENCE_MS = 8000;

/**
 * A token bucket that serves waiters in the order in which their bodies started. Of eight parts in progress the oldest
 * gets all the units it requests, so that a run that is stopped leaves finished parts instead of eight partial ones, and
 * so that the first part read can be sent while the others are read. It requests a piece at a time, so a few units are
 * kept for its next piece. At most every other grant goes to a waiter that must not wait: a small body, or one that has
 * waited long.
 */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  readonly #waiting: Waiter[] = [];
  #waitingUnits = 0;
  /** Units that can be granted now. */
  #tokens: number;
  #lastMs: number;
  #places = 0;
  /** Bodies in progress, the oldest first. */
  readonly #bodies = new Set<Body>();
  /** The last grant skipped an older body. */
  #hurried = false;
  #pumping = false;
  /** Ends the pause between two grants. */
  #pausing: AbortController | undefined;

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#lastMs = options.now();
    const rate = options.rate(this.#lastMs);
    this.#tokens = rate === undefined ? 0 : options.burst(rate);
  }

  /** Starts a body; `end` must follow. */
  body(size: number): Body {
    const body = { place: this.#places++, size };
    this.#bodies.add(body);
    return body;
  }

  end(body: Body): void {
    this.#bodies.delete(body);
    // The units kept for it are for others now.
    this.#wake();
  }

  /** Returns undefined if `units` are granted at once, which saves a promise. @throws aborted */
  take(
    units: number,
    signal?: AbortSignal,
    body: Body = { place: this.#places++, size: 0 },
  ): Promise<void> | undefined {
    const rate = this.#refill();
    if (rate === undefined) return undefined;
    const needed = units + this.#keptFrom(body, rate);
    if (this.#waiting.length > 0 || needed > this.#tokens) return this.#wait(units, signal, body);
    this.#tokens -= units;
    return undefined;
  }

  /** Units that `body` must leave for an older one. */
  #keptFrom(body: Body, rate: number): number {
    const [oldest] = this.#bodies;
    return oldest !== undefined && body.size > SMALL_BODY && oldest.place < body.place
      ? (this.#options.reserve?.(rate) ?? 0)
      : 0;
  }

  #wait(units: number, signal: AbortSignal | undefined, body: Body): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#remove(waiter);
        if (this.#waiting.length === 0) this.#wake();
        reject(new XsyncError('aborted', 'the wait was aborted', { cause: signal?.reason }));
      };
      const go = (): void => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      const waiter = { units, body, sinceMs: this.#options.now(), go };
      this.#waiting.push(waiter);
      this.#waitingUnits += units;
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort, { once: true });
      // It may have to go before the one that is waited for.
      if (this.#waiting.length > 1 && this.#next() === waiter) this.#wake();
      this.#start();
    });
  }

  #start(): void {
    if (this.#pumping || this.#waiting.length === 0) return;
    this.#pumping = true;
    void this.#grantAll().finally(() => {
      this.#pumping = false;
      this.#start();
    });
  }

  /** Runs until there are no waiters. */
  async #grantAll(): Promise<void> {
    for (let next = this.#next(); next; next = this.#next()) {
      const rate = this.#refill();
      const missing = rate === undefined ? 0 : next.units + this.#keptFrom(next.body, rate) - this.#tokens;
      if (missing <= 0) this.#grant(next);
      else await this.#pause((missing / (rate ?? 1)) * 1000);
    }
  }

  async #pause(ms: number): Promise<void> {
    this.#pausing = new AbortController();
    const { signal } = this.#pausing;
    try {
      await this.#options.sleep(Math.min(Math.ceil(ms), LONGEST_SLEEP_MS), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#pausing = undefined;
    }
  }

  /** Looks again who is next. */
  #wake(): void {
    this.#pausing?.abort();
  }

  #grant(waiter: Waiter): void {
    this.#hurried = waiter !== this.#oldest();
    this.#remove(waiter);
    this.#tokens -= waiter.units;
    waiter.go();
  }

  /** The next waiter: the oldest body, alternating with a waiter that must not wait for it. */
  #next(): Waiter | undefined {
    const nowMs = this.#options.now();
    const hurries = ({ body, sinceMs }: Waiter): boolean => body.size <= SMALL_BODY || nowMs - sinceMs >= PATIENCE_MS;
    return (this.#hurried ? undefined : this.#waiting.find(hurries)) ?? this.#oldest();
  }

  #oldest(): Waiter | undefined {
    let oldest = this.#waiting[0];
    for (const waiter of this.#waiting) if (oldest && waiter.body.place < oldest.body.place) oldest = waiter;
    return oldest;
  }

  #remove(waiter: Waiter): void {
    const at = this.#waiting.indexOf(waiter);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    this.#waitingUnits -= waiter.units;
  }

  /** Adds the units of the elapsed time. @returns the current rate */
  #refill(): number | undefined {
    const nowMs = this.#options.now();
    const seconds = Math.max(0, nowMs - this.#lastMs) / 1000;
    this.#lastMs = nowMs;
    const rate = this.#options.rate(nowMs);
    this.#tokens = rate === undefined ? 0 : this.#filled(seconds, rate);
    return rate;
  }

  /**
   * The tokens after `seconds`. The time in which somebody waited is not lost when the process is late, so that the rate
   * holds from end to end; of idle time, only the burst is kept.
   */
  #filled(seconds: number, rate: number): number {
    const burst = this.#options.burst(rate);
    const filled = this.#tokens + seconds * rate;
    if (this.#waiting.length > 0) return Math.min(filled, this.#waitingUnits + Math.max(burst, rate * LATEST_SECONDS));
    return Math.min(filled, seconds < LATEST_SECONDS ? Math.max(burst, this.#tokens) : burst);
  }
}
