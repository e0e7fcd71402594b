/**
 * Sync's deletes: collected in the manifest while the listings are merged, checked by the guards once both listings have
 * been read to their end, and only then carried out, in batches.
 */
import type { DoomedRow, Manifest } from '../../manifest/port.js';
import { toXsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import type { Outcome } from '../../model/outcome.js';
import type { DeleteTicket } from '../../model/ticket.js';
import type { DeleteReason } from '../decide/decide.js';
import { headIfThere } from '../decide/inspect.js';
import { endsRun } from '../flow/halt.js';
import { limiter, Queue } from '../flow/queue.js';
import type { Triple } from '../list/diff.js';
import type { DeleteOptions } from '../options.js';
import { backupTarget } from '../plan/backup.js';
import { faultOf } from '../plan/fault.js';
import { planDelete } from '../plan/plan.js';
import type { RunContext } from './context.js';
import { countOf, refuseDeletes } from './guard.js';

/** Keys of one request. */
const BATCH = 1000;
const BATCHES_IN_FLIGHT = 4;

/** The manifest's fact that a run was refused because the sides had no common key. */
const STRANGERS = 'strangers';

type DoomedList = Pick<Manifest, 'doom' | 'doomed' | 'doomedCount' | 'clearDoomed'>;

class ShortList implements DoomedList {
  #rows: DoomedRow[] = [];

  doom(rows: readonly DoomedRow[]): void {
    this.#rows.push(...rows);
  }

  doomed(after?: string, limit = BATCH): DoomedRow[] {
    const from = after === undefined ? 0 : this.#rows.findIndex(({ key }) => key === after) + 1;
    return this.#rows.slice(from, from + limit);
  }

  doomedCount(): number {
    return this.#rows.length;
  }

  clearDoomed(keys?: readonly string[]): void {
    this.#rows = keys ? this.#rows.filter(({ key }) => !keys.includes(key)) : [];
  }
}

export class Deletes {
  readonly #context: RunContext;
  readonly #how: DeleteOptions;
  readonly #deleteUnknown: boolean;
  #found: DoomedRow[] = [];
  /** The doomed keys. A run over named keys has its own list, because a pass may be running at the same time. */
  readonly #list: DoomedList;

  constructor(context: RunContext, how: DeleteOptions) {
    this.#context = context;
    this.#how = how;
    const { policy } = context.options;
    this.#deleteUnknown = policy.mode === 'sync' && policy.deleteUnknown;
    this.#list = context.options.only ? new ShortList() : context.pair.manifest;
  }

  /** Forgets what was found, by earlier runs too; not to be called when continuing an interrupted pass. */
  startAgain(): void {
    this.#found = [];
    if (!this.#context.options.dryRun) this.#list.clearDoomed();
  }

  doom({ key, dest, row }: Triple, reason: DeleteReason): void {
    const { size, etag } = dest ?? { size: row?.size ?? 0, etag: row?.destEtag ?? '' };
    const { census, emit, options } = this.#context;
    census.doomed++;
    emit({ type: 'doom', key, size, reason });
    if (options.dryRun) return;
    this.#found.push({ key, size, destEtag: etag, foundMs: Date.now() });
    if (this.#found.length >= BATCH) this.save();
  }

  /** Writes what was found so far. */
  save(): void {
    if (this.#found.length > 0) this.#list.doom(this.#found.splice(0));
  }

  /**
   * Deletes what was found. Call only when both listings have been read to their end. Failures of single objects are
   * recorded. @throws guard, with nothing deleted
   */
  async carryOut(): Promise<void> {
    this.save();
    const { halt, emit, census, options } = this.#context;
    // An interrupted run may have found some already.
    if (!options.dryRun) census.doomed = this.#list.doomedCount();
    if (halt.stops('plans') || census.doomed === 0) return;
    this.#askGuards(await this.#sourceListed());
    if (options.dryRun) return;
    const { missing } = census;
    if (missing > 0 && !this.#how.ignoreErrors) {
      const message = `nothing was deleted, because ${countOf(missing)} could not be copied; --ignore-errors deletes anyway`;
      emit({ type: 'notice', level: 'warn', message });
      return;
    }
    await this.#deleteAll();
  }

  /**
   * How many objects the source has, at least. A continued pass that saw none lists again, because what its beginning
   * listed may be gone since.
   */
  async #sourceListed(): Promise<number> {
    const { census, pass, pair, halt } = this.#context;
    if (census.seen > 0 || pass.after === undefined) return census.seen;
    const { store, prefix } = pair.source;
    for (let token: string | undefined; ; ) {
      const page = await store.list({ prefix, token, signal: halt.listings });
      token = page.nextToken;
      if (page.entries.length > 0 || token === undefined) return page.entries.length;
    }
  }

  /** @throws guard */
  #askGuards(sourceListed: number): void {
    const { census, pair } = this.#context;
    const { dryRun, only, filter } = this.#context.options;
    const named = (only ?? filter?.files) !== undefined;
    const strangers = !named && this.#areStrangers();
    if (strangers && this.#deleteUnknown && !dryRun) this.#setStrangers(true);
    refuseDeletes(this.#how, {
      objects: census.doomed,
      known: pair.manifest.count(),
      sourceListed,
      common: strangers ? 0 : census.common,
      unknown: this.#deleteUnknown,
      named,
    });
    if (this.#deleteUnknown && !named && !dryRun) this.#setStrangers(false);
  }

  /** Keys that are common only because a refused run copied them do not count. */
  #areStrangers(): boolean {
    const { census, pair } = this.#context;
    return census.common === 0 || Boolean(pair.manifest.getFact(STRANGERS));
  }

  #setStrangers(are: boolean): void {
    const { manifest } = this.#context.pair;
    if (Boolean(manifest.getFact(STRANGERS)) !== are) manifest.setFact(STRANGERS, are ? 'yes' : '');
  }

  async #deleteAll(): Promise<void> {
    const queue = new Queue(limiter(BATCHES_IN_FLIGHT));
    try {
      for (let after: string | undefined; !this.#context.halt.stops('objects'); ) {
        const rows = this.#list.doomed(after, BATCH);
        if (rows.length === 0) break;
        after = rows.at(-1)?.key;
        await queue.push(() => this.#holding(rows, () => this.#deleteBatch(rows)));
      }
    } finally {
      await queue.drain();
    }
  }

  /** Holds the keys against concurrent runs, after writing what those have copied to the manifest. */
  #holding(rows: readonly DoomedRow[], work: () => Promise<void>): Promise<void> {
    const { claims } = this.#context;
    if (!claims) return work();
    return claims.holdAll(
      rows.map(({ key }) => key),
      () => {
        claims.flush(this.#context.committer);
        return work();
      },
    );
  }

  async #deleteBatch(rows: readonly DoomedRow[]): Promise<void> {
    const { halt, executor } = this.#context;
    if (halt.stops('objects')) return;
    try {
      const gone = await this.#stillDoomed(rows);
      if (gone.length === 0 || halt.stops('objects')) return;
      this.#record(gone, await executor.delete(gone.map((row) => this.#ticketOf(row))));
    } catch (error) {
      if (!halt.signal.aborted) halt.fail(error);
    }
  }

  #ticketOf({ key, size }: DoomedRow): DeleteTicket {
    const { pair, options, route } = this.#context;
    return planDelete(route, { key, destKey: pair.dest.prefix + key, size, backup: backupTarget(pair, key, options) });
  }

  #record(rows: readonly DoomedRow[], outcomes: readonly Outcome[]): void {
    const { census, emit, pair, recorder } = this.#context;
    pair.manifest.forget(rows.flatMap(({ key }, index) => (outcomes[index]?.kind === 'deleted' ? [key] : [])));
    for (const [index, row] of rows.entries()) {
      const outcome = outcomes[index];
      if (outcome?.kind === 'failed') recorder.deleteFailed(row, outcome.fault);
      if (outcome?.kind !== 'deleted') continue;
      census.doomed--;
      emit({ type: 'deleted', key: row.key, size: row.size });
    }
  }

  /** Those that are confirmed gone from the source. @throws faults that end the run */
  async #stillDoomed(rows: readonly DoomedRow[]): Promise<DoomedRow[]> {
    const { limitInspections } = this.#context;
    const confirmed = await Promise.all(
      rows.map((row) => this.#isFresh(row) || limitInspections(() => this.#confirmDoomed(row))),
    );
    return rows.filter((_, index) => confirmed[index]);
  }

  /** Found gone by this run, and not copied since by a concurrent run. */
  #isFresh({ key, foundMs }: DoomedRow): boolean {
    const { startedMs, claims, pair } = this.#context;
    // A time in the future is of a wrong clock.
    if (foundMs < startedMs || foundMs > Date.now()) return false;
    return claims === undefined || (pair.manifest.get(key)?.atMs ?? 0) < startedMs;
  }

  async #confirmDoomed(row: DoomedRow): Promise<boolean> {
    const { halt, census, recorder } = this.#context;
    if (halt.stops('objects')) return false;
    try {
      if (await this.#isStillDoomed(row)) return true;
      this.#list.clearDoomed([row.key]);
      census.doomed--;
    } catch (error) {
      if (halt.signal.aborted) return false;
      const fault = toXsyncError(error);
      if (endsRun(fault)) throw fault;
      recorder.deleteFailed(row, faultOf(fault));
    }
    return false;
  }

  /**
   * An object that an interrupted run found gone may be at the source again, may have changed at the destination, or may
   * be excluded by this run's filter.
   */
  async #isStillDoomed({ key, destEtag }: DoomedRow): Promise<boolean> {
    const { pair, options, halt } = this.#context;
    const { source, dest } = pair;
    if (await headIfThere(source.store, source.prefix + key, halt.signal)) return false;
    const there = await headIfThere(dest.store, dest.prefix + key, halt.signal);
    if (!there) return true;
    const { filter } = options;
    if (!sameEtag(there.etag, destEtag) && !this.#deleteUnknown) return false;
    return this.#how.excluded || filter?.test(key, there.size, there.mtimeMs).included !== false;
  }
}
