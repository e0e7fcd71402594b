/**
 * The names of the versions that the source has of one key, in constant memory: what is too much goes to a sorted table on
 * disk. Tests: test/engine/pass/history-sync.test.ts
 */
import type { Spool, VersionRow } from '../../manifest/port.js';
import { compareKeys } from '../../model/key.js';

/** Names in memory; each takes a hundred bytes. */
const MOST = 1000;

export class Names {
  readonly #spoolOf: () => Spool;
  #few = new Set<string>();
  #spool: Spool | undefined;

  /** @param spoolOf makes the table, when it is needed */
  constructor(spoolOf: () => Spool) {
    this.#spoolOf = spoolOf;
  }

  add(name: string): void {
    if (this.#few.size === MOST) this.#spill();
    this.#few.add(name);
  }

  /** Those of the rows, which must be in the order of `source`, whose names are not among these. */
  *without(rows: Iterable<VersionRow>): Generator<VersionRow> {
    if (!this.#spool) {
      for (const row of rows) if (!this.#few.has(row.source)) yield row;
      return;
    }
    this.#spill();
    const names = this.#sorted();
    let name = names.next();
    for (const row of rows) {
      while (!name.done && compareKeys(name.value, row.source) < 0) name = names.next();
      if (name.done || name.value !== row.source) yield row;
    }
  }

  dispose(): void {
    this.#spool?.dispose();
    this.#spool = undefined;
  }

  *#sorted(): Generator<string> {
    for (let after: string | undefined; this.#spool; ) {
      const page = this.#spool.page(after, MOST);
      if (page.length === 0) return;
      for (const { key } of page) yield key;
      after = page.at(-1)?.key;
    }
  }

  #spill(): void {
    this.#spool ??= this.#spoolOf();
    this.#spool.add([...this.#few].map((key) => ({ key, value: '' })));
    this.#few = new Set();
  }
}
