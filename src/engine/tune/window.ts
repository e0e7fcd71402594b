/** Goodput at one setting, over the samples that count. Pure. Tests: test/engine/tune/tune.test.ts */

/** Measurements of one loop between two samples. */
export interface Flow {
  /** Bytes, or operations. */
  done: number;
  /** Requests in flight, averaged over the time of the sample. */
  used: number;
}

/** At this share of the setting or more, the setting limits the requests in flight, not a lack of work. */
const FILLED = 0.9;
const OVERFULL = 1.1;
/** A window is steady if its halves differ by less than this (logarithm of the ratio). */
const STEADY = 0.15;

interface Span {
  ms: number;
  done: number;
  used: number;
}

export class Window {
  readonly #warmUpMs: number;
  readonly #lengthMs: number;
  /** Oldest first; together just longer than the window. */
  readonly #spans: Span[] = [];
  #seenMs = 0;

  /**
   * @param warmUpMs initial time that does not count, while connections open
   * @param lengthMs time before now over which the rate is measured
   */
  constructor(warmUpMs: number, lengthMs: number) {
    this.#warmUpMs = warmUpMs;
    this.#lengthMs = lengthMs;
  }

  add({ done, used }: Flow, ms: number): void {
    this.#seenMs += ms;
    if (this.#seenMs <= this.#warmUpMs) return;
    this.#spans.push({ ms, done, used: used * ms });
    while (this.ms - (this.#spans[0]?.ms ?? 0) >= this.#lengthMs) this.#spans.shift();
  }

  /** Time that counts. */
  get ms(): number {
    return sum(this.#spans).ms;
  }

  /** Time since the setting was applied. */
  get seenMs(): number {
    return this.#seenMs;
  }

  get full(): boolean {
    return this.ms >= this.#lengthMs;
  }

  /**
   * Full and no longer changing: the slow start of new connections and the filling of kernel buffers are over.
   */
  get steady(): boolean {
    if (!this.full) return false;
    const half = Math.floor(this.#spans.length / 2);
    const before = sum(this.#spans.slice(0, half));
    const after = sum(this.#spans.slice(half));
    return half === 0 || Math.abs(Math.log(perSecond(after) / perSecond(before))) < STEADY;
  }

  /** Per second. */
  get rate(): number {
    return perSecond(sum(this.#spans));
  }

  /** Average requests in flight. */
  get used(): number {
    const { used, ms } = sum(this.#spans);
    return used / ms;
  }
}

function sum(spans: readonly Span[]): Span {
  const total = { ms: 0, done: 0, used: 0 };
  for (const { ms, done, used } of spans) {
    total.ms += ms;
    total.done += done;
    total.used += used;
  }
  return total;
}

function perSecond({ done, ms }: Span): number {
  return ms === 0 ? 0 : (done / ms) * 1000;
}

export function fills(used: number, n: number): boolean {
  return used >= n * FILLED;
}

/** Requests started under an earlier, higher setting are still in flight. */
export function drains(used: number, n: number): boolean {
  return used > Math.max(n * OVERFULL, n + 1);
}
