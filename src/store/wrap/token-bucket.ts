/** Tests: test/store/wrap/throttle.test.ts */
import { XsyncError } from '../../model/error.js';
import type { Sleep } from './time.js';

export interface TokenBucketOptions {
  /** Units per second at a time; undefined: no limit. */
  rate: (nowMs: number) => number | undefined;
  /** Units that may be granted at once after a pause, at that rate. */
  burst: (rate: number) => number;
  now: () => number;
  sleep: Sleep;
}

/** A body whose pieces request units one after the other; created by `TokenBucket.body`. */
export interface Body {
  /** Position among the bodies by start time. */
  readonly place: number;
  /** Units granted so far. */
  granted: number;
}

interface Waiter {
  units: number;
  body: Body;
  sinceMs: number;
  go(): void;
}

/** The rate is read at least this often, because a timetable may change it. */
const LONGEST_SLEEP_MS = 1000;
/** The first bytes of a body, as many as a small object has, do not wait for large bodies that started earlier. */
const SMALL_BODY = 256 * 1024;
/** S3 closes a connection that was idle for about 20 s (RequestTimeout), so no body waits much longer than this. */
const PATIENCE_MS = 8000;

/**
 * A token bucket that serves waiters in the order in which their bodies started. Of eight parts in progress the oldest
 * gets all the units it requests, so that a run that is stopped leaves finished parts instead of eight partial ones. At
 * most every other grant goes to a waiter that must not wait: a small body, or one that has waited long.
 */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  readonly #waiting: Waiter[] = [];
  #waitingUnits = 0;
  /** Units that can be granted now. */
  #tokens = Number.POSITIVE_INFINITY;
  #lastMs: number;
  #places = 0;
  /** The last grant skipped an older body. */
  #hurried = false;
  /** Ends the sleep between two grants when the last waiter is aborted. */
  #pump: AbortController | undefined;

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#lastMs = options.now();
    this.#refill();
  }

  /** Starts a body. */
  body(): Body {
    return { place: this.#places++, granted: 0 };
  }

  /** Returns undefined if `units` are granted at once, which saves a promise. @throws aborted */
  take(units: number, signal?: AbortSignal, body: Body = this.body()): Promise<void> | undefined {
    const rate = this.#refill();
    if (rate === undefined) return undefined;
    if (this.#waiting.length > 0 || units > this.#tokens) return this.#wait(units, signal, body);
    this.#tokens -= units;
    body.granted += units;
    return undefined;
  }

  #wait(units: number, signal: AbortSignal | undefined, body: Body): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#remove(waiter);
        if (this.#waiting.length === 0) this.#pump?.abort();
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
      this.#start();
    });
  }

  #start(): void {
    if (this.#pump !== undefined || this.#waiting.length === 0) return;
    const pump = new AbortController();
    this.#pump = pump;
    void this.#grantAll(pump.signal).finally(() => {
      this.#pump = undefined;
      this.#start();
    });
  }

  /** Runs until there are no waiters. */
  async #grantAll(signal: AbortSignal): Promise<void> {
    for (let next = this.#next(); next; next = this.#next()) {
      const rate = this.#refill();
      const missing = rate === undefined ? 0 : next.units - this.#tokens;
      if (missing <= 0) this.#grant(next);
      else await this.#pause((missing / (rate ?? 1)) * 1000, signal);
    }
  }

  /** @param signal ends the pause early, without an error */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.sleep(Math.min(Math.ceil(ms), LONGEST_SLEEP_MS), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #grant(waiter: Waiter): void {
    this.#hurried = waiter !== this.#oldest();
    this.#remove(waiter);
    this.#tokens -= waiter.units;
    waiter.body.granted += waiter.units;
    waiter.go();
  }

  /** The next waiter: the oldest body, alternating with a waiter that must not wait for it. */
  #next(): Waiter | undefined {
    const nowMs = this.#options.now();
    const hurries = ({ body, sinceMs }: Waiter): boolean => body.granted < SMALL_BODY || nowMs - sinceMs >= PATIENCE_MS;
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
    const most = rate === undefined ? 0 : this.#waitingUnits + this.#options.burst(rate);
    this.#tokens = Math.min(this.#tokens + seconds * (rate ?? 0), most);
    return rate;
  }
}
