/**
 * Keys of which the source has no version any more: found by merging its list with that of the destination and the
 * manifest's rows, and doomed as in any sync. What is deleted is hidden by a delete marker.
 * Tests: test/engine/pass/history-sync.test.ts
 */
import type { ManifestRow } from '../../manifest/port.js';
import { compareKeys } from '../../model/key.js';
import type { VersionEntry } from '../../store/port.js';
import { Census } from '../census.js';
import { decide } from '../decide/decide.js';
import { destState, evidenceOf } from '../decide/evidence.js';
import { exclusionOf } from '../decide/exclusion.js';
import type { Triple } from '../list/diff.js';
import { newestOf } from '../list/ordered-versions.js';
import { versionsOfKey } from '../list/versions.js';
import type { Arrivals } from './arrivals.js';
import type { RunContext } from './context.js';
import type { Deletes } from './deletes.js';
import { listedVersions } from './version-list.js';

const PAGE = 1000;

/** Counts keys, by which the guards decide; the census of a run counts versions. */
export class KeyCensus extends Census {
  readonly #versions: Census;

  constructor(versions: Census) {
    super();
    this.#versions = versions;
  }

  override get missing(): number {
    return this.#versions.missing;
  }
}

type Ahead<T> = AsyncIterator<T> & { head?: IteratorResult<T> };

export class GoneKeys {
  readonly #context: RunContext;
  readonly #deletes: Deletes;
  readonly #census: KeyCensus;
  readonly #arrivals: Arrivals;
  readonly #dest: Ahead<VersionEntry>;
  readonly #rows: Ahead<ManifestRow>;

  constructor(context: RunContext, deletes: Deletes, census: KeyCensus, arrivals: Arrivals) {
    this.#context = context;
    this.#deletes = deletes;
    this.#census = census;
    this.#arrivals = arrivals;
    this.#dest = context.options.noTraverse ? nothing() : newestOf(listedVersions(context, 'destination'));
    this.#rows = rowsOf(context);
  }

  /**
   * The source has this key, and none between it and the one before. Absent: it has no more.
   * @returns ID of the newest version that the destination has of it, empty for none; undefined: that is not known
   */
  async pass(key?: string): Promise<string | undefined> {
    for (;;) {
      const [dest, row] = [await headOf(this.#dest), await headOf(this.#rows)];
      const next = least(dest?.key, row?.key);
      const order = next === undefined || key === undefined ? -1 : compareKeys(next, key);
      if (next === undefined || order > 0) break;
      const there = dest?.key === next ? dest : undefined;
      const known = row?.key === next ? row : undefined;
      if (there) this.#dest.head = undefined;
      if (known) this.#rows.head = undefined;
      if (order === 0) {
        this.#see(next, true);
        return this.#newestOf(there);
      }
      this.#census.miss({ known: known !== undefined });
      await this.#gone({ key: next, dest: there, row: known }, !this.#context.options.noTraverse);
    }
    if (key !== undefined) this.#see(key, false);
    return this.#newestOf(undefined);
  }

  #newestOf(there: VersionEntry | undefined): string | undefined {
    return this.#context.options.noTraverse ? undefined : (there?.versionId ?? '');
  }

  #see(key: string, common: boolean): void {
    this.#census.see(common, key);
    if (this.#context.options.filter?.test(key, 0, 0).included === false) this.#census.exclude(common);
  }

  /** A named key of which the source has no version. */
  async goneAlone(key: string): Promise<void> {
    const { pair, halt } = this.#context;
    const newest = (await versionsOfKey(pair.dest, key, halt).next()).value;
    await this.#gone({ key, dest: newest && { ...newest, key }, row: pair.manifest.get(key) }, true);
  }

  async #gone({ key, dest: newest, row }: GoneKey, traversed: boolean): Promise<void> {
    const { pair, options, committer, emit } = this.#context;
    const dest = newest?.deleteMarker ? undefined : newest;
    if (traversed && !dest) {
      // What is not in an inventory may be there.
      if (row && !options.dryRun && !pair.source.inventory) committer.forget(key);
      return;
    }
    if (!options.dryRun) await this.#arrivals.settleGone(key, dest !== undefined);
    const carried = dest ? pair.manifest.hasDestVersion(key, dest.versionId) : pair.manifest.hasVersions(key);
    const there = dest ?? (row && { key, size: row.size, etag: row.destEtag, mtimeMs: row.sourceMtimeMs });
    if (!there || exclusionOf(pair, options, key, there)) return;
    // Its versions are deleted one by one.
    if (carried && options.history?.deleteVersions) return;
    const triple: Triple = { key, dest, row: carried && dest ? ownRow(dest, row) : row };
    const decision = decide(options.policy, 'absent', destState(triple, traversed), evidenceOf(triple));
    if (decision.action === 'delete') this.#deletes.doom(triple, decision.reason);
    if (decision.action === 'keep') emit({ type: 'keep', key, size: there.size, reason: decision.reason });
  }
}

interface GoneKey {
  key: string;
  dest?: VersionEntry;
  row?: ManifestRow;
}

/** A version that was carried over is xsync's own, and another one cannot have its ID. */
function ownRow({ key, size, etag, mtimeMs }: VersionEntry, row?: ManifestRow): ManifestRow {
  const known = row ?? { key, sourceEtag: '', sourceMtimeMs: mtimeMs, verifiedBy: 'size', atMs: 0 };
  return { ...known, size, destEtag: etag, ours: true };
}

function least(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareKeys(a, b) <= 0 ? a : b;
}

async function headOf<T>(ahead: Ahead<T>): Promise<T | undefined> {
  ahead.head ??= await ahead.next();
  return ahead.head.done ? undefined : ahead.head.value;
}

async function* nothing(): AsyncGenerator<never> {}

async function* rowsOf({ pair }: RunContext): AsyncGenerator<ManifestRow> {
  for (let after: string | undefined; ; ) {
    const page = pair.manifest.page(after, PAGE);
    if (page.length === 0) return;
    yield* page;
    after = page.at(-1)?.key;
  }
}
