/** Sorted keys and listing pages. Tests: test/contract/stores.test.ts */
import { compareKeys } from '../../model/key.js';

export type KeyOrder = (a: string, b: string) => number;

/** Keys in order, sorted only when they are read. */
export class SortedKeys {
  #sorted: string[] = [];
  #added: string[] = [];
  #removed = new Set<string>();
  readonly #order: KeyOrder;

  constructor(order: KeyOrder = compareKeys) {
    this.#order = order;
  }

  add(key: string): void {
    if (!this.#removed.delete(key)) this.#added.push(key);
  }

  remove(key: string): void {
    this.#removed.add(key);
  }

  /** All keys in order; valid until the next call. */
  view(): readonly string[] {
    if (this.#added.length > 0 || this.#removed.size > 0) {
      // Two sorted runs: the sort merges them in linear time.
      const all = [...this.#sorted, ...this.#added.sort(this.#order)].filter((key) => !this.#removed.has(key));
      this.#sorted = all.sort(this.#order);
      this.#added = [];
      this.#removed.clear();
    }
    return this.#sorted;
  }
}

export interface CutOptions {
  prefix: string;
  delimiter: string;
  /** Only names after it, exclusive. */
  after: string;
  maxKeys: number;
  order: KeyOrder;
}

export interface Cut {
  keys: string[];
  prefixes: string[];
  /** The last key or rolled-up prefix of the page, if more follow. */
  last?: string;
}

/** One page of `keys`, which must be in `order`; keys that contain the delimiter after the prefix are rolled up. */
export function cutPage(keys: readonly string[], options: CutOptions): Cut {
  const { prefix, delimiter, after, maxKeys, order } = options;
  const cut: Cut = { keys: [], prefixes: [] };
  let last = after;
  let rolled = delimiter !== '' && after.endsWith(delimiter) && after !== prefix ? after : undefined;
  const from = after === '' ? 0 : firstAfter(keys, after, order);
  for (let i = from; i < keys.length; i++) {
    const key = keys[i] ?? '';
    if (!key.startsWith(prefix) || (rolled !== undefined && key.startsWith(rolled))) continue;
    if (cut.keys.length + cut.prefixes.length >= maxKeys) return { ...cut, last };
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    if (end >= 0) {
      rolled = key.slice(0, end + delimiter.length);
      cut.prefixes.push(rolled);
      last = rolled;
    } else {
      cut.keys.push(key);
      last = key;
    }
  }
  return cut;
}

/** Index of the first key that comes after `name`. */
function firstAfter(keys: readonly string[], name: string, order: KeyOrder): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (order(keys[middle] ?? '', name) > 0) high = middle;
    else low = middle + 1;
  }
  return low;
}
