/**
 * Sync's deletes: collected in the manifest while the listings are merged, checked by the guards once both listings have
 * been read to their end, and only then carried out, in batches.
 */
import type { DoomedRow } from '../../manifest/port.js';
import { toXsyncError } from '../../model/error.js';
import type { Outcome } from '../../model/outcome.js';
import type { DeleteTicket } from '../../model/ticket.js';
import type { DeleteReason } from '../decide/decide.js';
import { endsRun } from '../flow/halt.js';
import { limiter, Queue } from '../flow/queue.js';
import type { Triple } from '../list/diff.js';
import type { DeleteOptions } from '../options.js';
import { backupTarget } from '../plan/backup.js';
import { faultOf } from '../plan/fault.js';
import { planDelete } from '../plan/plan.js';
import type { RunContext } from './context.js';
import { type DoomedList, doomedList } from './doomed.js';
import { type Emptied, emptiedFolder } from './emptied.js';
import { countOf, refuseDeletes } from './guard.js';
import { isFresh, lookAgain } from './look.js';
import { doubtEarlyEnd, firstPage, oddityOf } from './oddity.js';

/** Keys of one request. */
const BATCH = 1000;
/** The same where each object is looked at first: the earliest look must not be long before the delete. */
const LOOKED_AT = 100;
const BATCHES_IN_FLIGHT = 4;

/** Named keys, whose listing is a HEAD each, need no second look within this time. */
const RECENT_MS = 1000;

/** The manifest's fact that a run was refused because the sides had no common key. */
const STRANGERS = 'strangers';

export class Deletes {
  readonly #context: RunContext;
  readonly #how: DeleteOptions;
  readonly #deleteUnknown: boolean;
  readonly #sinceMs = Date.now();
  #found: DoomedRow[] = [];
  readonly #list: DoomedList;
  #warned = false;

  constructor(context: RunContext, how: DeleteOptions) {
    this.#context = context;
    this.#how = how;
    const { policy } = context.options;
    this.#deleteUnknown = policy.mode === 'sync' && policy.deleteUnknown;
    this.#list = doomedList(context.options, context.pair.manifest);
  }

  /** Forgets what was found, by earlier runs too; not to be called when continuing an interrupted pass. */
  startAgain(): void {
    this.#found = [];
    this.#list.clearDoomed();
  }

  doom({ key, dest, row }: Triple, reason: DeleteReason): void {
    const { size, etag } = dest ?? { size: row?.size ?? 0, etag: row?.destEtag ?? '' };
    const { census, emit, forecast, options } = this.#context;
    census.doomed++;
    emit({ type: 'doom', key, size, reason });
    if (options.dryRun) {
      forecast.addDelete({ source: this.#how.unchecked ? 0 : 1, destination: this.#looks ? 1 : 0 }, this.#batch);
    }
    this.#found.push({ key, size, destEtag: etag, foundMs: Date.now() });
    if (this.#found.length >= BATCH) this.save();
  }

  /** Writes what was found so far. */
  save(): void {
    if (this.#found.length > 0) this.#list.doom(this.#found.splice(0));
  }

  /** Call at the end of the pass. */
  end(): void {
    this.save();
    if (this.#context.options.dryRun) this.#list.clearDoomed();
  }

  /**
   * Deletes what was found. Call only when both listings have been read to their end. Failures of single objects are
   * recorded. @throws guard, with nothing deleted
   */
  async carryOut(): Promise<void> {
    this.save();
    const { halt, census, options } = this.#context;
    // An interrupted run may have found some already.
    census.doomed = this.#list.doomedCount();
    if (halt.stops('plans') || census.doomed === 0) return;
    await this.#askGuards();
    if (options.dryRun || !(await this.mayDelete())) return;
    await this.#deleteAll();
    if (this.#holdsBackOddity()) this.#warnOfOddity('nothing more was deleted, because ');
  }

  /** Whether nothing of this run speaks against deletes; says what does. @throws what a listing of the source throws */
  async mayDelete(): Promise<boolean> {
    await doubtEarlyEnd(this.#context);
    return !this.#isHeldBack();
  }

  /** Says that a listing was wrong although nothing had to be deleted. Call at the end of a whole pass. */
  warnOfOddity(): void {
    if (this.#isOdd() && !this.#warned) this.#warnOfOddity('');
  }

  /** Says why nothing is deleted. */
  #isHeldBack(): boolean {
    if (this.#holdsBackOddity()) {
      this.#warnOfOddity('nothing was deleted, because ');
      return true;
    }
    const { missing } = this.#context.census;
    if (missing === 0 || this.#how.ignoreErrors) return false;
    const message = `nothing was deleted, because ${countOf(missing)} could not be copied; --ignore-errors deletes anyway`;
    this.#context.emit({ type: 'notice', level: 'warn', message });
    return true;
  }

  /** A listing of this pass cannot be right. */
  #isOdd(): boolean {
    return oddityOf(this.#context) !== undefined;
  }

  #holdsBackOddity(): boolean {
    return this.#isOdd() && !this.#how.ignoreErrors;
  }

  #warnOfOddity(what: string): void {
    this.#warned = true;
    const { emit, pass } = this.#context;
    const anyway = what === '' ? '' : ' (--ignore-errors deletes anyway)';
    const message = `${what}${pass.oddity}; the next run lists again${anyway}`;
    emit({ type: 'notice', level: 'warn', message });
  }

  /** @throws guard */
  async #askGuards(): Promise<void> {
    const { census, pair, pass, options } = this.#context;
    const { dryRun, only, filter } = options;
    const named = (only ?? filter?.files) !== undefined;
    const strangers = !named && this.#deleteUnknown && this.#areStrangers();
    if (strangers && !dryRun) this.#setStrangers(true);
    const known = pair.manifest.count();
    const compared = census.staying + census.doomed;
    refuseDeletes(this.#how, {
      objects: census.doomed,
      bytes: this.#how.maxBytes === undefined ? undefined : this.#doomedBytes(),
      known,
      // The earlier runs of this pass have compared others.
      compared: pass.after === undefined ? compared : Math.max(compared, known),
      sourceListed: only ? undefined : await this.#sourceListed(),
      emptied: only || this.#how.allowEmptySource ? undefined : await this.#emptied(),
      strangers,
      names: options.policy.mode === 'mirror' ? { source: pair.source.text, dest: pair.dest.text } : undefined,
    });
    if (this.#deleteUnknown && !named && !dryRun) this.#setStrangers(false);
  }

  /**
   * How many objects the source has, at least. If the run saw none of those that it was told to compare, or none in its
   * part of a pass, that costs a listing: all of them may be gone from a source that has others.
   */
  async #sourceListed(): Promise<number> {
    const { census, pass, pair, options, halt } = this.#context;
    const { seen } = census;
    if (seen > 0 || (pass.after === undefined && options.filter?.files === undefined)) return seen;
    return (await firstPage(pair.source, halt.listings)).length;
  }

  #emptied(): Promise<Emptied | undefined> {
    return emptiedFolder(this.#context.pair.source, this.#doomedPages(BATCH), this.#context.halt.signal);
  }

  #doomedBytes(): number {
    let bytes = 0;
    for (const rows of this.#doomedPages(BATCH)) for (const { size } of rows) bytes += size;
    return bytes;
  }

  *#doomedPages(limit: number): Generator<DoomedRow[], void, void> {
    for (let after: string | undefined; ; ) {
      const rows = this.#list.doomed(after, limit);
      if (rows.length === 0) return;
      yield rows;
      after = rows.at(-1)?.key;
    }
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

  /** The destination's delete has no condition, so each object gets a HEAD. */
  get #looks(): boolean {
    return !this.#how.unchecked && !this.#context.pair.dest.store.capabilities.deletesIfMatch;
  }

  get #hasJustLooked(): boolean {
    return this.#context.options.only !== undefined && Date.now() - this.#sinceMs <= RECENT_MS;
  }

  get #batch(): number {
    return this.#looks ? LOOKED_AT : BATCH;
  }

  async #deleteAll(): Promise<void> {
    const queue = new Queue(limiter(BATCHES_IN_FLIGHT));
    try {
      for (const rows of this.#doomedPages(this.#batch)) {
        if (this.#context.halt.stops('objects') || this.#holdsBackOddity()) break;
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
      const gone = await this.#confirmed(await this.#stillDoomed(rows));
      if (gone.length === 0 || halt.stops('objects') || this.#holdsBackOddity()) return;
      this.#record(gone, await executor.delete(gone.map((row) => this.#ticketOf(row))));
    } catch (error) {
      if (!halt.signal.aborted) halt.fail(error);
    }
  }

  /** Those that the person agrees to delete. */
  async #confirmed(rows: readonly DoomedRow[]): Promise<readonly DoomedRow[]> {
    const { options, emit } = this.#context;
    if (!options.confirm) return rows;
    const agreed: DoomedRow[] = [];
    for (const row of rows) {
      const { key, size } = row;
      if (await options.confirm('delete', key, size)) agreed.push(row);
      else {
        this.#spare(key);
        emit({ type: 'skip', key, size, reason: 'declined' });
      }
    }
    return agreed;
  }

  #ticketOf({ key, size, destEtag }: DoomedRow): DeleteTicket {
    const { pair, route } = this.#context;
    const unwanted = this.#how.unchecked || (this.#looks && this.#hasJustLooked);
    const etag = unwanted || destEtag === '' ? undefined : destEtag;
    const backup = backupTarget(this.#context, key);
    return planDelete(route, key, { key: pair.dest.prefix + key, size, etag, backup });
  }

  #record(rows: readonly DoomedRow[], outcomes: readonly Outcome[]): void {
    const { census, emit, pair, recorder } = this.#context;
    pair.manifest.forget(rows.flatMap(({ key }, index) => (outcomes[index]?.kind === 'deleted' ? [key] : [])));
    for (const [index, row] of rows.entries()) {
      const { key, size } = row;
      const outcome = outcomes[index];
      if (outcome?.kind === 'failed') recorder.deleteFailed(row, outcome.fault);
      if (outcome?.kind === 'overtaken') {
        this.#spare(key);
        // After deletes that come first, the keys are listed and reported again.
        if (this.#how.when !== 'before') emit({ type: 'keep', key, size, reason: 'changed-at-destination' });
      }
      if (outcome?.kind !== 'deleted') continue;
      census.doomed--;
      emit({ type: 'deleted', key, size });
    }
  }

  #spare(key: string): void {
    this.#list.clearDoomed([key]);
    this.#context.census.doomed--;
  }

  /** Those that are confirmed gone from the source, as they are to be deleted. @throws faults that end the run */
  async #stillDoomed(rows: readonly DoomedRow[]): Promise<DoomedRow[]> {
    const { limitInspections } = this.#context;
    const confirmed = await Promise.all(
      rows.map((row) => {
        if ((this.#how.unchecked || this.#hasJustLooked) && isFresh(this.#context, row)) return row;
        return limitInspections(() => this.#confirmDoomed(row));
      }),
    );
    return confirmed.filter((row) => row !== undefined);
  }

  async #confirmDoomed(row: DoomedRow): Promise<DoomedRow | undefined> {
    const { halt, recorder } = this.#context;
    if (halt.stops('objects')) return undefined;
    try {
      const doomed = await lookAgain(this.#context, this.#how, row);
      if (!doomed) this.#spare(row.key);
      return doomed;
    } catch (error) {
      if (halt.signal.aborted) return undefined;
      const fault = toXsyncError(error);
      if (endsRun(fault)) throw fault;
      recorder.deleteFailed(row, faultOf(fault));
      return undefined;
    }
  }
}
