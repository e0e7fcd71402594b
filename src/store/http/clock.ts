/**
 * Largest accepted difference of a signature's time: 15 minutes, minus a margin for network latency.
 * Tests: test/store/oss/routes.test.ts
 */
const SKEW_REFUSED_MS = 14.5 * 60_000;

type Offsets = ReadonlyMap<string, number>;

/** By origin, ms: what this thread has learned, and what the one that started it had. */
const learned = new Map<string, number>();
let assumed: Offsets = new Map();

/** For threads that are started now. */
export function learnedOffsets(): Offsets {
  return learned;
}

/** To be called before the first store is opened. */
export function assumeOffsets(offsets: Offsets): void {
  assumed = offsets;
}

/**
 * The offset of each service's clock from ours. S3 and OSS reject signatures more than 15 minutes off with
 * `RequestTimeTooSkewed`. The adapter then learns the offset from the response's `Date` header, signs again and repeats
 * the request once. This is the only retry that an adapter makes itself.
 */
export class ClockSkew {
  readonly #offsets = new Map(assumed);
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** The time to sign with for this origin, in milliseconds since 1970. */
  now(origin: string): number {
    return this.#now() + (this.#offsets.get(origin) ?? 0);
  }

  /**
   * Learns the offset from a `Date` header. Returns whether the offset changed enough to sign again: by a minute if the
   * service reported the time as the error, by about 15 minutes if we only suspect it.
   */
  learn(origin: string, dateHeader: string | undefined, complained = true): boolean {
    const theirs = Date.parse(dateHeader ?? '');
    if (Number.isNaN(theirs)) return false;
    const moved = Math.abs(theirs - this.now(origin)) >= (complained ? 60_000 : SKEW_REFUSED_MS);
    if (!moved) return false;
    const offset = theirs - this.#now();
    this.#offsets.set(origin, offset);
    learned.set(origin, offset);
    return true;
  }
}
