/**
 * The keys of one side of which nothing is known, because their folder could not be listed or their HEAD failed. Such a
 * key is not absent: nothing may be copied over it, deleted for it or forgotten.
 */
import { compareKeys } from '../../model/key.js';

/** Added in key order, and asked in key order. What has been passed is dropped, so memory does not grow. */
export class UnlistedKeys {
  /** A folder ends in a slash and stands for every key below it. */
  readonly #ahead: string[] = [];

  /** @param key a key, or a folder with its slash; relative to the pair's prefix */
  add(key: string): void {
    let at = this.#ahead.length;
    while (at > 0 && compareKeys(this.#ahead[at - 1] ?? '', key) > 0) at--;
    this.#ahead.splice(at, 0, key);
  }

  has(key: string): boolean {
    for (let first = this.#ahead[0]; first !== undefined; first = this.#ahead[0]) {
      if (first === key || (first.endsWith('/') && key.startsWith(first))) return true;
      if (compareKeys(first, key) > 0) return false;
      this.#ahead.shift();
    }
    return false;
  }
}
