/** What was moved at one setting, over the samples that can be trusted. Pure. */

/** What one loop saw between two samples. */
export interface Flow {
  /** Bytes, or operations. */
  done: number;
  /** Requests in flight, averaged over the time of the sample. */
  used: number;
}

/** Requests in flight this close to the setting, or closer, are the setting's doing and not the work's. */
const FILLED = 0.9;
const OVERFULL = 1.1;
/** Two halves of a window that differ by no more than this are steady. */
const STEADY = 0.15;

interface Span {
  ms: number;
  done: number;
  used: number;
}

export class Window {
  readonly #warmUpMs: number;
  readonly #lengthMs: number;
  /** The newest last; together just longer than the window. */
  readonly #spans: Span[] = [];
  #seenMs = 0;

  /**
   * @param warmUpMs time at the setting that does not count: connections open
   * @param lengthMs the last of the time, which the rate is taken over
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

  /** Of what counts. */
  get ms(): number {
    return sum(this.#spans).ms;
  }

  /** Since the setting came into force. */
  get seenMs(): number {
    return this.#seenMs;
  }

  get full(): boolean {
    return this.ms >= this.#lengthMs;
  }

  /**
   * Full, and no longer on its way somewhere: what a new connection's slow start brings, and what the kernel takes in
   * advance, is over.
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

  /** Requests that were in flight on average. */
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

/** Requests that an earlier, higher setting began are still under way. */
export function drains(used: number, n: number): boolean {
  return used > Math.max(n * OVERFULL, n + 1);
}
