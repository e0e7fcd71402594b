/** Objects that are still being rewritten are left alone until they have been quiet for a while. */

/** An object that is never quiet is copied all the same after so many times the wait. */
const MOST_WAITS = 10;
const MOST_KEYS = 10_000;

export class Settling {
  /** When a key was first seen restless, ms; in the order in which they were last seen. */
  readonly #since = new Map<string, number>();

  /** @param quietMs how long an object must not have changed */
  constructor(readonly quietMs: number) {}

  /** True when the object is to be left for later. A time in the future is a wrong clock's, and waits for nothing. */
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

  /** What vanished while it was restless is not asked for again. */
  #forget(): void {
    if (this.#since.size <= MOST_KEYS) return;
    const [oldest] = this.#since.keys();
    if (oldest !== undefined) this.#since.delete(oldest);
  }
}
