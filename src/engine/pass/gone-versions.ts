/**
 * --delete-versions: versions that were carried over, and that the source no longer has. Collected while its versions are
 * listed, checked by the guards once all were, and then deleted for good, one by one.
 * Tests: test/engine/pass/history-sync.test.ts
 */
import { type Spool, UNKNOWN_VERSION, type VersionRow } from '../../manifest/port.js';
import { toXsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import type { Census } from '../census.js';
import { endsRun } from '../flow/halt.js';
import { limiter, Queue } from '../flow/queue.js';
import { nameOfVersion } from '../list/pending-versions.js';
import { versionsOfKey } from '../list/versions.js';
import type { DeleteOptions } from '../options.js';
import { faultOf } from '../plan/fault.js';
import { planVersionDelete } from '../plan/plan.js';
import type { Arrivals } from './arrivals.js';
import type { RunContext } from './context.js';
import { refuseDeletes } from './guard.js';
import { Names } from './names.js';

const PAGE = 1000;
/** More digits than versions can be doomed. */
const DIGITS = 12;

export class GoneVersions {
  readonly #context: RunContext;
  readonly #how: DeleteOptions;
  readonly #arrivals: Arrivals;
  #spool: Spool | undefined;
  #found: VersionRow[] = [];
  #count = 0;
  /** Versions that the source has, delete markers included. */
  #staying = 0;
  #last: string | undefined;
  #lastDoomed: string | undefined;

  constructor(context: RunContext, how: DeleteOptions, arrivals: Arrivals) {
    this.#context = context;
    this.#how = how;
    this.#arrivals = arrivals;
  }

  /** Doomed, and not deleted. */
  get left(): number {
    return this.#count;
  }

  /** For the versions that the source has of a key. */
  names(): Names {
    return new Names(() => this.#context.pair.manifest.spool());
  }

  /** The source has these versions of the key, and no key between it and the one before. */
  pass(key: string, names: Names, count: number): void {
    this.#passUpTo(key);
    this.passAlone(key, names, count);
    this.#last = key;
  }

  /** The source has no more keys. */
  end(): void {
    this.#passUpTo(undefined);
  }

  /** The source has these versions of a named key. */
  passAlone(key: string, names: Names, count: number): void {
    this.#staying += count;
    for (const row of names.without(this.#rowsOf(key))) this.#doom(row);
    names.dispose();
  }

  /** Deletes what was found. @throws guard, with nothing deleted; faults that end the run */
  async carryOut(mayDelete: () => Promise<boolean>, census: Census): Promise<void> {
    const { halt, options, pair } = this.#context;
    if (halt.stops('plans') || this.#count === 0) return;
    const named = options.only !== undefined || options.filter?.files !== undefined;
    refuseDeletes(this.#how, {
      ...{ objects: this.#count, known: pair.manifest.versionCount(), compared: this.#staying + this.#count },
      ...{ sourceListed: named ? undefined : census.seen, strangers: false, what: 'version' },
    });
    if (options.dryRun || !(await mayDelete())) return;
    this.#save();
    await this.#deleteAll();
  }

  dispose(): void {
    this.#spool?.dispose();
    this.#spool = undefined;
  }

  #passUpTo(end: string | undefined): void {
    for (const row of this.#rowsAfter(this.#last)) {
      if (end !== undefined && compareKeys(row.key, end) >= 0) return;
      this.#doom(row);
    }
  }

  /** Of the keys after this one. */
  *#rowsAfter(key: string | undefined): Generator<VersionRow> {
    const { manifest } = this.#context.pair;
    // No version's name sorts after it.
    let after = key === undefined ? undefined : { key, source: '\u{10ffff}' };
    for (;;) {
      const page = manifest.versions(after, PAGE);
      if (page.length === 0) return;
      yield* page;
      after = page.at(-1);
    }
  }

  *#rowsOf(key: string): Generator<VersionRow> {
    const { manifest } = this.#context.pair;
    for (let after = { key, source: '' }; ; ) {
      const page = manifest.versions(after, PAGE);
      for (const row of page) {
        if (row.key !== key) return;
        yield row;
        after = row;
      }
      if (page.length === 0) return;
    }
  }

  #doom(row: VersionRow): void {
    const { options, emit, forecast } = this.#context;
    const { key } = row;
    if (row.dest === UNKNOWN_VERSION || options.filter?.test(key, 0, 0).included === false) return;
    this.#count++;
    emit({ type: 'doom', key, size: 0, reason: 'gone-at-source' });
    if (options.dryRun) {
      forecast.addDelete({ source: 0, destination: 0 }, 1);
      if (!this.#how.unchecked && this.#lastDoomed !== key) forecast.addList();
      this.#lastDoomed = key;
      return;
    }
    this.#found.push(row);
    if (this.#found.length === PAGE) this.#save();
  }

  #save(): void {
    this.#spool ??= this.#context.pair.manifest.spool();
    const first = this.#count - this.#found.length;
    const keyOf = (index: number): string => String(first + index).padStart(DIGITS, '0');
    this.#spool.add(this.#found.map((row, index) => ({ key: keyOf(index), value: JSON.stringify(row) })));
    this.#found = [];
  }

  /** The versions of one key together, at most a page. */
  *#batches(): Generator<VersionRow[]> {
    const batch: VersionRow[] = [];
    for (let after: string | undefined; this.#spool; ) {
      const page = this.#spool.page(after, PAGE);
      if (page.length === 0) break;
      for (const { value } of page) {
        const row: VersionRow = JSON.parse(value);
        if (batch.length === PAGE || (batch[0] && batch[0].key !== row.key)) yield batch.splice(0);
        batch.push(row);
      }
      after = page.at(-1)?.key;
    }
    if (batch.length > 0) yield batch;
  }

  async #deleteAll(): Promise<void> {
    const { halt, claims, options } = this.#context;
    const queue = new Queue(limiter(options.checkers));
    try {
      for (const batch of this.#batches()) {
        const key = batch[0]?.key ?? '';
        if (halt.stops('objects')) break;
        const work = () => this.#deleteBatch(key, batch);
        await queue.push(() => (claims ? claims.hold(key, work) : work()));
      }
    } finally {
      await queue.drain();
    }
  }

  async #deleteBatch(key: string, rows: readonly VersionRow[]): Promise<void> {
    const { pair, halt, committer, recorder } = this.#context;
    if (halt.stops('objects')) return;
    try {
      const gone = await this.#stillGone(key, rows);
      // The newest last: until then, none of the older ones becomes the current one.
      const [newest, ...older] = gone.sort((a, b) => b.atMs - a.atMs);
      const done = await Promise.all(older.map((row) => this.#delete(row)));
      // Nor does one that could not be deleted.
      if (newest && (!done.includes(false) || this.#keepsOthers(key, gone))) await this.#delete(newest);
      if (!pair.manifest.hasVersions(key)) committer.forget(key);
    } catch (error) {
      if (halt.signal.aborted) return;
      const fault = toXsyncError(error);
      if (endsRun(fault)) halt.fail(fault);
      else recorder.deleteFailed({ key, size: 0 }, faultOf(fault));
    }
  }

  /** Versions of the key stay at the destination. */
  #keepsOthers(key: string, gone: readonly VersionRow[]): boolean {
    const names = new Set(gone.map(({ source }) => source));
    for (const { source } of this.#rowsOf(key)) if (!names.has(source)) return true;
    return false;
  }

  /** A last look at the source, one list a key. */
  async #stillGone(key: string, rows: readonly VersionRow[]): Promise<VersionRow[]> {
    const { pair, pass, halt, startedMs } = this.#context;
    const { manifest } = pair;
    if (rows.some(({ dest }) => dest === '')) await this.#arrivals.settle(key);
    const doomed = new Map<string, VersionRow>();
    for (const row of rows) {
      const dest = manifest.destVersion(key, row.source);
      if (dest) doomed.set(row.source, { ...row, dest });
      else this.#count--;
    }
    // A run beside this one may have carried it since the source was listed.
    const isNew = ({ atMs }: VersionRow): boolean => atMs >= startedMs;
    if (this.#how.unchecked && !rows.some(isNew)) return [...doomed.values()];
    for await (const version of versionsOfKey(pair.source, key, halt)) {
      const name = nameOfVersion(version);
      const row = doomed.get(name);
      if (!row) continue;
      doomed.delete(name);
      this.#count--;
      if (isNew(row)) continue;
      pass.oddity ??= `the listing of ${pair.source.text} left out a version of ${JSON.stringify(key)}, which is there`;
    }
    return pass.oddity !== undefined && !this.#how.ignoreErrors ? [] : [...doomed.values()];
  }

  /** @returns false if the destination still has it */
  async #delete({ key, source, dest: versionId }: VersionRow): Promise<boolean> {
    const { pair, route, executor, limitInspections, recorder, emit } = this.#context;
    const ticket = planVersionDelete(route, key, { key: pair.dest.prefix + key, versionId });
    const outcome = await limitInspections(() => executor.deleteVersion(ticket));
    if (outcome.kind === 'failed') recorder.deleteFailed({ key, size: 0 }, outcome.fault);
    if (outcome.kind !== 'deleted') return false;
    this.#count--;
    pair.manifest.dropVersion(key, source);
    emit({ type: 'deleted', key, size: 0 });
    return true;
  }
}
