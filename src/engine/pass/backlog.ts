/**
 * What --check-first and --order-by hold until every key is decided. It is sorted on disk, so that memory does not grow
 * with it. Tests: test/engine/pass/backlog.test.ts
 */
import type { Manifest, Spool } from '../../manifest/port.js';
import type { CopyReason } from '../decide/decide.js';
import type { Elsewhere } from '../decide/elsewhere.js';
import type { Triple } from '../list/diff.js';
import type { RunOptions } from '../options.js';
import type { Subject } from '../plan/plan.js';

/** An object that is to be copied, and why. */
export interface Planned {
  triple: Triple;
  reason: CopyReason;
  /** The place it is copied from instead of the source. */
  from?: Elsewhere;
  /** What the destination's service copies instead of the source. */
  twin?: Subject['twin'];
}

const PAGE = 1000;

export class Backlog {
  readonly #manifest: Pick<Manifest, 'spool'>;
  readonly #order: NonNullable<RunOptions['order']>;
  #spool: Spool | undefined;
  #unsaved: { key: string; value: string }[] = [];

  /** @returns undefined if objects are to be copied as soon as they are decided */
  static of(
    manifest: Pick<Manifest, 'spool'>,
    { checkFirst, order }: Pick<RunOptions, 'checkFirst' | 'order'>,
  ): Backlog | undefined {
    return checkFirst || order ? new Backlog(manifest, order) : undefined;
  }

  private constructor(manifest: Pick<Manifest, 'spool'>, order: RunOptions['order']) {
    this.#manifest = manifest;
    this.#order = order ?? (() => '');
  }

  add(planned: Planned): void {
    const { key, source: { size = 0, mtimeMs = 0 } = {} } = planned.triple;
    this.#unsaved.push({ key: `${this.#order({ key, size, mtimeMs })}\0${key}`, value: JSON.stringify(planned) });
    if (this.#unsaved.length >= PAGE) this.#save();
  }

  /** Everything that was added, in order; then it is empty. */
  *take(): Generator<Planned, void, void> {
    this.#save();
    try {
      for (let after: string | undefined; ; ) {
        const rows = this.#spool?.page(after, PAGE) ?? [];
        if (rows.length === 0) return;
        after = rows.at(-1)?.key;
        yield* rows.map(({ value }): Planned => JSON.parse(value));
      }
    } finally {
      this.clear();
    }
  }

  clear(): void {
    this.#unsaved = [];
    this.#spool?.dispose();
    this.#spool = undefined;
  }

  #save(): void {
    if (this.#unsaved.length === 0) return;
    this.#spool ??= this.#manifest.spool();
    this.#spool.add(this.#unsaved.splice(0));
  }
}
