/** Keys in the listing order of both services: by UTF-8 bytes. */

/** Compares by code points, which is the order of UTF-8 bytes; JavaScript's `<` is wrong beyond U+D7FF. */
export function byteOrder(a: string, b: string): number {
  const n = Math.min(a.length, b.length);
  let i = 0;
  while (i < n && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  if (i === n) return a.length - b.length;
  const x = a.charCodeAt(i);
  const y = b.charCodeAt(i);
  const xHigh = x >= 0xd800 && x <= 0xdfff;
  const yHigh = y >= 0xd800 && y <= 0xdfff;
  // Surrogates (astral characters) sort after all others.
  return xHigh === yHigh ? x - y : xHigh ? 1 : -1;
}

/** A sorted set with cheap insertions, which are sorted when the set is read. */
export class KeyIndex {
  #sorted: string[] = [];
  #fresh: string[] = [];
  #stale = false;
  readonly #alive: { has(key: string): boolean };

  /** @param alive the existing keys; others are removed from the index when it is next read */
  constructor(alive: { has(key: string): boolean }) {
    this.#alive = alive;
  }

  /** Call once for each new key. */
  add(key: string): void {
    this.#fresh.push(key);
  }

  remove(): void {
    this.#stale = true;
  }

  /** All keys, ascending. The caller must not change the array. */
  keys(): readonly string[] {
    if (this.#fresh.length === 0 && !this.#stale) return this.#sorted;
    const fresh = this.#fresh.sort(byteOrder);
    const merged: string[] = [];
    const push = (key: string) => {
      if (merged.at(-1) !== key && this.#alive.has(key)) merged.push(key);
    };
    let i = 0;
    for (const key of this.#sorted) {
      for (; i < fresh.length; i++) {
        const next = fresh[i];
        if (next === undefined || byteOrder(next, key) > 0) break;
        push(next);
      }
      push(key);
    }
    for (; i < fresh.length; i++) push(fresh[i] ?? '');
    this.#sorted = merged;
    this.#fresh = [];
    this.#stale = false;
    return merged;
  }

  /** Index of the first key for which `isPast` is true. `isPast` must be false up to some key and true from there. */
  static seek(keys: readonly string[], isPast: (key: string) => boolean, from = 0): number {
    let low = from;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isPast(keys[middle] ?? '')) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
