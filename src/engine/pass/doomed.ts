/** Where the keys wait that a run is about to delete. Tests: test/engine/pass/guard.test.ts */
import type { DoomedRow, Manifest, Spool } from '../../manifest/port.js';
import { compareKeys } from '../../model/key.js';
import type { RunOptions } from '../options.js';

export type DoomedList = Pick<Manifest, 'doom' | 'doomed' | 'doomedCount' | 'clearDoomed'>;

const PAGE = 1000;

/**
 * The manifest's list, so that an interrupted pass can be continued. A run over named keys has its own, because a pass
 * may be running at the same time; so has a dry run, which must not change the manifest.
 */
export function doomedList({ only, dryRun }: Pick<RunOptions, 'only' | 'dryRun'>, manifest: Manifest): DoomedList {
  if (only) return new ShortList();
  return dryRun ? new SpooledList(manifest) : manifest;
}

class ShortList implements DoomedList {
  #rows: DoomedRow[] = [];

  doom(rows: readonly DoomedRow[]): void {
    this.#rows.push(...rows);
  }

  doomed(after?: string, limit = PAGE): DoomedRow[] {
    // The row of `after` may have been cleared.
    return this.#rows.filter(({ key }) => after === undefined || compareKeys(key, after) > 0).slice(0, limit);
  }

  doomedCount(): number {
    return this.#rows.length;
  }

  clearDoomed(keys?: readonly string[]): void {
    this.#rows = keys ? this.#rows.filter(({ key }) => !keys.includes(key)) : [];
  }
}

/** Only read, never carried out: `clearDoomed` clears everything. */
class SpooledList implements DoomedList {
  readonly #manifest: Pick<Manifest, 'spool'>;
  #spool: Spool | undefined;
  #count = 0;

  constructor(manifest: Pick<Manifest, 'spool'>) {
    this.#manifest = manifest;
  }

  doom(rows: readonly DoomedRow[]): void {
    this.#spool ??= this.#manifest.spool();
    this.#spool.add(rows.map((row) => ({ key: row.key, value: JSON.stringify(row) })));
    this.#count += rows.length;
  }

  doomed(after?: string, limit = PAGE): DoomedRow[] {
    return this.#spool?.page(after, limit).map(({ value }) => JSON.parse(value)) ?? [];
  }

  doomedCount(): number {
    return this.#count;
  }

  clearDoomed(): void {
    this.#spool?.dispose();
    this.#spool = undefined;
    this.#count = 0;
  }
}
