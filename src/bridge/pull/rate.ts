/** How many tickets each pushing end may send in a second. Tests: test/bridge/pull/rate.test.ts */

/** Beyond it, those who have been quiet are forgotten. */
const PEERS = 1000;

/** A bucket for each, which fills with time. */
export class Rate {
  readonly #perSecond: number;
  readonly #most: number;
  readonly #now: () => number;
  readonly #peers = new Map<string, { left: number; atMs: number }>();

  /** @param burst tickets that are accepted at once from somebody who has been quiet */
  constructor(perSecond: number, burst: number, now: () => number = Date.now) {
    this.#perSecond = perSecond;
    this.#most = Math.max(perSecond, burst);
    this.#now = now;
  }

  /** @param count at most the burst @returns 0 if they may be taken, which are counted then, or how long to wait, ms */
  take(peer: string, count: number): number {
    const left = this.#left(peer);
    if (left < count) return Math.ceil((1000 * (count - left)) / this.#perSecond);
    this.#peers.set(peer, { left: left - count, atMs: this.#now() });
    if (this.#peers.size > PEERS) this.#forget();
    return 0;
  }

  #left(peer: string): number {
    const { left, atMs } = this.#peers.get(peer) ?? { left: this.#most, atMs: 0 };
    return Math.min(this.#most, left + (Math.max(0, this.#now() - atMs) * this.#perSecond) / 1000);
  }

  #forget(): void {
    for (const peer of this.#peers.keys()) if (this.#left(peer) === this.#most) this.#peers.delete(peer);
  }
}
