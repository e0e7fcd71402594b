/**
 * `--settle`: skips objects that are still being rewritten until they have not changed for a while.
 * Tests: test/engine/watch/parts.test.ts
 */

/** An object that keeps changing is copied after this many times `quietMs`. */
const MOST_WAITS = 10;
const MOST_KEYS = 10_000;

export class Settling {
  /** When each key was first skipped, ms; ordered by when it was last seen. */
  readonly #since = new Map<string, number>();

  /** @param quietMs how long an object must not have changed */
  constructor(readonly quietMs: number) {}

  /** True when the object must be skipped for now. A time far in the future is a clock error, and does not wait. */
  waits(key: string, mtimeMs: number, nowMs: number): boolean {
    const firstMs = this.#since.get(key) ?? nowMs;
    this.#since.delete(key);
    const age = nowMs - mtimeMs;
    if (age >= this.quietMs || age < -this.quietMs) return false;
    if (nowMs - firstMs >= MOST_WAITS * this.quietMs) return false;
    this.#since.set(key, firstMs);
    this.#forget();
    return true;
  }

  /** Keys that vanished while they waited are never seen again, and must not fill the memory. */
  #forget(): void {
    if (this.#since.size <= MOST_KEYS) return;
    const [oldest] = this.#since.keys();
    if (oldest !== undefined) this.#since.delete(oldest);
  }
}
