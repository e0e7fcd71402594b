/** A signature's time may be off by so much; less a little, for the way. */
const SKEW_REFUSED_MS = 14.5 * 60_000;

/**
 * How far each service's clock is from ours. S3 and OSS refuse signatures more than 15 minutes off with
 * `RequestTimeTooSkewed`; the adapter then learns the offset from the answer's `Date` header, signs anew and repeats
 * the request once. That is the one second request that an adapter may make by itself.
 */
export class ClockSkew {
  readonly #offsets = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** The time to sign with for this origin, in milliseconds since 1970. */
  now(origin: string): number {
    return this.#now() + (this.#offsets.get(origin) ?? 0);
  }

  /**
   * Learns the offset from a `Date` header. True when that moved our clock enough for signing again to be of use: a
   * minute when the service complained of the time, its whole 15 minutes when we only suspect that it did.
   */
  learn(origin: string, dateHeader: string | undefined, complained = true): boolean {
    const theirs = Date.parse(dateHeader ?? '');
    if (Number.isNaN(theirs)) return false;
    const moved = Math.abs(theirs - this.now(origin)) >= (complained ? 60_000 : SKEW_REFUSED_MS);
    if (moved) this.#offsets.set(origin, theirs - this.#now());
    return moved;
  }
}
