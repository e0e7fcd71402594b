/** Keys in the order in which both services list them: by UTF-8 bytes. */

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
  // Astral characters (surrogates) come after every other one.
  return xHigh === yHigh ? x - y : xHigh ? 1 : -1;
}

/** A sorted set that takes insertions cheaply and sorts them in when somebody lists. */
export class KeyIndex {
  #sorted: string[] = [];
  #fresh: string[] = [];
  #stale = false;
  readonly #alive: { has(key: string): boolean };

  /** `alive` tells which keys still exist; dead ones leave the index when it is next read. */
  constructor(alive: { has(key: string): boolean }) {
    this.#alive = alive;
  }

  /** Must be called once for a key that is new. */
  add(key: string): void {
    this.#fresh.push(key);
  }

  remove(): void {
    this.#stale = true;
  }

  /** All keys, ascending. Not to be changed by the caller. */
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

  /** Index of the first key for which `isPast` holds; `isPast` must be false and then true along the order. */
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
