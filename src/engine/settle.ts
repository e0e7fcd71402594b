/** Objects that are still being rewritten are left alone until they have been quiet for a while. */

/** An object that is never quiet is copied all the same after so many times the wait. */
const MOST_WAITS = 10;
const MOST_KEYS = 10_000;

export class Settling {
  /** When a key was first seen restless, ms. */
  readonly #since = new Map<string, number>();

  /** @param quietMs how long an object must not have changed */
  constructor(readonly quietMs: number) {}

  /** True when the object is to be left for later. A time in the future is a wrong clock's, and waits for nothing. */
  waits(key: string, mtimeMs: number, nowMs: number): boolean {
    const age = nowMs - mtimeMs;
    if (age >= this.quietMs || age < -this.quietMs) {
      this.#since.delete(key);
      return false;
    }
    const since = this.#since.get(key) ?? nowMs;
    if (nowMs - since >= MOST_WAITS * this.quietMs) {
      this.#since.delete(key);
      return false;
    }
    if (this.#since.size < MOST_KEYS) this.#since.set(key, since);
    return true;
  }
}
