import { XsyncError } from '../../model/error.js';
import type { Sleep } from './time.js';

export interface TokenBucketOptions {
  /** Units per second at a time; undefined: no limit. */
  rate: (nowMs: number) => number | undefined;
  /** Units that may be ahead of the clock after a pause, at that rate. */
  burst: (rate: number) => number;
  now: () => number;
  sleep: Sleep;
}

/** A body whose pieces ask one after the other; made by `TokenBucket.body`. */
export interface Body {
  /** Its place among the bodies, by the time it began. */
  readonly place: number;
  /** Units it was granted. */
  granted: number;
}

interface Waiter {
  units: number;
  body: Body;
  sinceMs: number;
  go(): void;
}

/** The rate is looked at this often, since a timetable may have changed it. */
const LONGEST_SLEEP_MS = 1000;
/** As much of a body as a small object has does not stand behind large ones that began earlier. */
const SMALL_BODY = 256 * 1024;
/** S3 closes a connection on which nothing has moved for about 20 s (RequestTimeout); no body waits nearly so long. */
const PATIENCE_MS = 8000;

/**
 * A token bucket whose waiters are served in the order in which their bodies began: of eight parts under way the
 * oldest gets all it asks for, so that a run that is stopped has finished parts, not eight begun ones. Every other
 * grant at most goes to a waiter that cannot stand behind: a small body, or one that has waited long.
 */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  readonly #waiting: Waiter[] = [];
  #waitingUnits = 0;
  /** Units that may go now. */
  #tokens = Number.POSITIVE_INFINITY;
  #lastMs: number;
  #places = 0;
  /** The last grant went past an older body. */
  #hurried = false;
  /** Ends the sleep between two grants when nobody waits any more. */
  #pump: AbortController | undefined;

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#lastMs = options.now();
    this.#refill();
  }

  /** A body that begins now. */
  body(): Body {
    return { place: this.#places++, granted: 0 };
  }

  /** Undefined when `units` may go at once, which costs no promise. Rejects with `aborted`. */
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

  /** Until nobody waits. */
  async #grantAll(signal: AbortSignal): Promise<void> {
    for (let next = this.#next(); next; next = this.#next()) {
      const rate = this.#refill();
      const missing = rate === undefined ? 0 : next.units - this.#tokens;
      if (missing <= 0) this.#grant(next);
      else await this.#pause((missing / (rate ?? 1)) * 1000, signal);
    }
  }

  /** @param signal ends it early, as when everyone who waited has gone */
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

  /** Who goes next: the oldest body, and after each of its pieces one that cannot wait for it. */
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

  /** Lets the clock grant what it owes, and gives the rate of now. */
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
