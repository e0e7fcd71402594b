/**
 * The rate at the end of an opening, whose last step seemed useless. Fresh connections carry more than those that have lost
 * packets, so it has to be seen whether that rate lasts. Pure. Tests: test/engine/tune/opening.test.ts
 */

/** A rate that lasts keeps at least this share. */
const LASTS = 0.92;
/** Below this share for `FADED_MS`, it has certainly not lasted. */
const FADED = 0.6;
const FADED_MS = 1500;

export class FreshRate {
  readonly #rate: number;
  #lowMs = 0;

  /** @param rate per second */
  constructor(rate: number) {
    this.#rate = rate;
  }

  /** @param rate per second, in the last `ms`. @returns whether it has been far lower for long enough */
  hasFaded(rate: number, ms: number): boolean {
    this.#lowMs = rate < this.#rate * FADED ? this.#lowMs + ms : 0;
    return this.#lowMs >= FADED_MS;
  }

  /** @param rate per second, measured over some seconds */
  lastsAt(rate: number): boolean {
    return rate > this.#rate * LASTS;
  }
}
