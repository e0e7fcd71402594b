/**
 * Hints where to cut ranges: rows of the manifest, and directories found by a delimiter listing.
 * Tests: test/engine/list/ranges.test.ts
 */
import { compareKeys } from '../../model/key.js';
import type { ObjectEntry } from '../../model/object.js';
import type { ListPage } from '../../store/port.js';

/** The key of the last of `rows` rows after `after`, and the key that follows it; undefined when none follows. */
export type RowsAfter = (after: string | undefined, rows: number) => { last: string; next: string } | undefined;

/** The last run's keys as cuts: a range holds as many of them as fill a page now. */
export class RowHints {
  readonly #after: RowsAfter;
  readonly #prefix: string;
  #rows = 1000;

  constructor(after: RowsAfter, prefix: string) {
    this.#after = after;
    this.#prefix = prefix;
  }

  after(key: string): { until: string; next: string; rows: number } | undefined {
    const rows = this.#rows;
    const found = this.#after(key.slice(this.#prefix.length) || undefined, rows);
    return found && { until: this.#prefix + found.last, next: this.#prefix + found.next, rows };
  }

  /** A range of `rows` rows held `keys` keys, or more than a page. */
  learn(rows: number, keys: number | 'more', page: number): void {
    if (keys === 'more') this.#rows = Math.max(100, Math.min(this.#rows, Math.floor(rows * 0.95)));
    else if (keys < page * 0.85) {
      const factor = Math.min(4, (page * 0.95) / Math.max(1, keys));
      this.#rows = Math.min(1_000_000, Math.max(this.#rows, Math.floor(rows * factor)));
    }
  }
}

interface Directory {
  /** Its prefix without the slash, so that a range after it holds all of it, including an object named as the prefix. */
  path: string;
  /** Only its own keys lie between its path and the next directory's, so listing its prefix can replace a range. */
  alone: boolean;
}

export interface Cut {
  until: string;
  /** The range after the cut is exactly the listing of this prefix. */
  within?: { prefix: string; until?: string };
}

/** If subdirectories hold fewer keys than this on average, listing them is not worth a request. */
const WORTH_KEYS = 10;
const MOST_DIRECTORIES = 10_000;
const MOST_PROBED = 2000;

export class DirectoryHints {
  /** Average keys per directory, over those passed recently. */
  keysEach = 1000;
  #keys = 0;
  readonly #root: string;
  #directories: Directory[] = [];
  /** Directories that were listed, each with its token if there are more pages. */
  readonly #probed = new Map<string, string | undefined>();

  constructor(root: string) {
    this.#root = root;
  }

  /** The topmost directory above the last of these keys that is worth a delimiter listing, if any. */
  wanted(entries: readonly ObjectEntry[]): { directory: string; token?: string } | undefined {
    const last = entries.at(-1)?.key;
    if (last === undefined || this.#directories.length > MOST_DIRECTORIES) return undefined;
    for (let from = this.#root.length; ; ) {
      const slash = last.indexOf('/', from);
      if (slash < 0) return undefined;
      const directory = last.slice(0, from);
      const known = this.#directories[this.#firstAfter(last)]?.path.startsWith(directory) === true;
      const token = this.#probed.get(directory);
      if (!known && (token !== undefined || !this.#probed.has(directory))) {
        if (countChildren(entries, directory) > entries.length / WORTH_KEYS) return undefined;
        if (this.#probed.size >= MOST_PROBED) this.#probed.clear();
        this.#probed.set(directory, undefined);
        return { directory, token };
      }
      from = slash + 1;
    }
  }

  /** Adds the result of a delimiter listing of `directory`. */
  learn(directory: string, { entries, prefixes, nextToken }: ListPage): void {
    if (!ascending(prefixes) || !ascending(entries.map(({ key }) => key))) return;
    this.#probed.set(directory, nextToken);
    const found: Directory[] = [];
    let previous = '';
    let at = 0;
    for (const prefix of prefixes) {
      const path = prefix.slice(0, -1);
      const before = found.at(-1);
      // `a-b/` is listed before `a/`, whose path sorts before it: no cut is possible there.
      const sorts = compareKeys(path, previous) > 0;
      let between = 0;
      for (let key = entries[at]?.key; key !== undefined && compareKeys(key, sorts ? path : prefix) <= 0; between++) {
        key = entries[++at]?.key;
      }
      if (before) before.alone = sorts && before.alone && between === 0;
      if (sorts)
        found.push({ path, alone: entries[at] === undefined || compareKeys(entries[at]?.key ?? '', prefix) > 0 });
      previous = prefix;
    }
    // What follows the last one is known only if the listing ends there.
    const end = found.at(-1);
    if (end) end.alone &&= directory === this.#root && nextToken === undefined && at === entries.length;
    const all = new Map([...this.#directories, ...found].map((one) => [one.path, one]));
    this.#directories = [...all.values()].sort((a, b) => compareKeys(a.path, b.path));
  }

  /** The cut `count` directories after `key`. */
  after(key: string, count: number): Cut | undefined {
    const i = this.#firstAfter(key);
    const at = Math.min(i + count, this.#directories.length) - 1;
    const cut = this.#directories[at];
    if (cut === undefined || at < i) return undefined;
    const next = this.#directories[at + 1];
    const within = cut.alone && !next?.path.startsWith(`${cut.path}/`);
    return { until: cut.path, ...(within ? { within: { prefix: `${cut.path}/`, until: next?.path } } : {}) };
  }

  /** This many more keys were given out, up to `last`. */
  passed(keys: number, last: string): void {
    const n = this.#firstAfter(last);
    this.#keys += keys;
    if (n === 0) return;
    this.#directories.splice(0, n);
    this.keysEach = (this.keysEach + this.#keys / n) / 2;
    this.#keys = 0;
  }

  #firstAfter(key: string): number {
    let [low, high] = [0, this.#directories.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.#directories[middle]?.path ?? '', key) > 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function ascending(keys: readonly string[]): boolean {
  return keys.every((key, i) => i === 0 || compareKeys(keys[i - 1] ?? '', key) < 0);
}

function countChildren(entries: readonly ObjectEntry[], directory: string): number {
  let children = 0;
  let child: string | undefined;
  for (const { key } of entries) {
    if (child !== undefined && key.startsWith(child)) continue;
    const slash = key.startsWith(directory) ? key.indexOf('/', directory.length) : -1;
    child = slash < 0 ? undefined : key.slice(0, slash + 1);
    if (child !== undefined) children++;
  }
  return children;
}
