/** What was moved at one setting, over the samples that can be trusted. Pure. */

/** What one loop saw between two samples. */
export interface Flow {
  /** Bytes, or operations; counted as they move, not when a part is complete. */
  done: number;
  /** Requests in flight, averaged over the time of the sample. */
  used: number;
}

/** Requests in flight this close to the setting, or closer, are the setting's doing and not the work's. */
const FILLED = 0.9;
const OVERFULL = 1.1;

export class Window {
  readonly #n: number;
  readonly #settleMs: number;
  #settledMs = 0;
  #ms = 0;
  #done = 0;
  #used = 0;

  /** @param settleMs time at the setting that does not count: connections open, windows grow */
  constructor(n: number, settleMs: number) {
    this.#n = n;
    this.#settleMs = settleMs;
  }

  /** False when the sample says nothing of the setting, because the work does not fill it. */
  add({ done, used }: Flow, ms: number): boolean {
    if (!fills(used, this.#n)) return false;
    if (this.#settledMs < this.#settleMs) {
      this.#settledMs += ms;
      return true;
    }
    this.#ms += ms;
    this.#done += done;
    this.#used += used * ms;
    return true;
  }

  /** Requests that were in flight on average. */
  get used(): number {
    return this.#ms === 0 ? this.#n : this.#used / this.#ms;
  }

  get ms(): number {
    return this.#ms;
  }

  /** Per second. */
  get rate(): number {
    return this.#ms === 0 ? 0 : (this.#done / this.#ms) * 1000;
  }
}

/** Requests that an earlier, higher setting began are still under way. */
export function drains(used: number, n: number): boolean {
  return used > Math.max(n * OVERFULL, n + 1);
}

export function fills(used: number, n: number): boolean {
  return used >= n * FILLED;
}
