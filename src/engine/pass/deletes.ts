/**
 * What sync deletes: gathered in the manifest while the listings are merged, asked of the guards once both have been
 * read to their ends, and only then deleted, in batches.
 */
import type { DoomedRow, Manifest } from '../../manifest/port.js';
import { isXsyncError, toXsyncError, type XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { DeleteReason } from '../decide/decide.js';
import { limiter, Queue } from '../flow/queue.js';
import type { Triple } from '../list/diff.js';
import type { DeleteOptions, RunOptions, RunPair, RunSide } from '../options.js';
import type { Tally } from '../record/summary.js';
import { keepAside } from '../transfer/aside.js';
import { Unfinished } from '../transfer/context.js';
import { endsRun, type ObjectContext } from '../transfer/perform.js';
import { countOf, refuseDeletes } from './guard.js';
import type { Pass } from './pass.js';

/** Keys of one request. */
const BATCH = 1000;
const BATCHES_IN_FLIGHT = 4;

/** The manifest's fact that a run was refused because the sides had no key in common. */
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
  readonly #pair: RunPair;
  readonly #options: RunOptions;
  readonly #how: DeleteOptions;
  readonly #deleteUnknown: boolean;
  readonly #context: ObjectContext;
  readonly #tally: Tally;
  readonly #pass: Pass;
  #found: DoomedRow[] = [];
  /** Where what was found waits. A run over a few named keys has a list of its own: a pass may be under way beside it. */
  readonly #list: DoomedList;

  constructor(
    pair: RunPair,
    options: RunOptions,
    how: DeleteOptions,
    { context, tally, pass }: { context: ObjectContext; tally: Tally; pass: Pass },
  ) {
    this.#pair = pair;
    this.#options = options;
    this.#how = how;
    this.#deleteUnknown = options.policy.mode === 'sync' && options.policy.deleteUnknown;
    this.#context = context;
    this.#tally = tally;
    this.#pass = pass;
    this.#list = options.only ? new ShortList() : pair.manifest;
  }

  /** What an earlier run found is found anew, unless this run goes on where that one was interrupted. */
  startAgain(): void {
    this.#found = [];
    if (!this.#options.dryRun) this.#list.clearDoomed();
  }

  doom({ key, dest, row }: Triple, reason: DeleteReason): void {
    const { size, etag } = dest ?? { size: row?.size ?? 0, etag: row?.destEtag ?? '' };
    this.#context.emit({ type: 'doom', key, size, reason });
    if (this.#options.dryRun) return;
    this.#found.push({ key, size, destEtag: etag, foundMs: Date.now() });
    if (this.#found.length >= BATCH) this.save();
  }

  /** Writes what was found so far. */
  save(): void {
    if (this.#found.length > 0) this.#list.doom(this.#found.splice(0));
  }

  /**
   * To be called when both listings have been read to their ends. Single objects that cannot be deleted are told.
   * @throws guard, with nothing deleted
   */
  async carryOut(): Promise<void> {
    this.save();
    const { halt, emit } = this.#context;
    // An interrupted run may have found some of them.
    if (!this.#options.dryRun) this.#tally.doomed = this.#list.doomedCount();
    const objects = this.#tally.doomed;
    if (halt.stops('plans')) return;
    if (objects > 0) this.#askGuards(objects, await this.#sourceListed());
    if (this.#options.dryRun) return;
    if (objects === 0) return;
    const { missing } = this.#tally;
    if (missing > 0 && !this.#how.ignoreErrors) {
      const message = `nothing was deleted, because ${countOf(missing)} could not be copied; --ignore-errors deletes all the same`;
      emit({ type: 'notice', level: 'warn', message });
      return;
    }
    await this.#deleteAll();
  }

  /** What the beginning of an interrupted pass had listed may be gone by now, and the rest had nothing to list. */
  async #sourceListed(): Promise<number> {
    const { sourceSeen } = this.#tally;
    if (sourceSeen > 0 || this.#pass.after === undefined) return sourceSeen;
    const { store, prefix } = this.#pair.source;
    for (let token: string | undefined; ; ) {
      const page = await store.list({ prefix, token, signal: this.#context.halt.listings });
      token = page.nextToken;
      if (page.entries.length > 0 || token === undefined) return page.entries.length;
    }
  }

  /** @throws guard */
  #askGuards(objects: number, sourceListed: number): void {
    const { dryRun, only, filter } = this.#options;
    const named = (only ?? filter?.files) !== undefined;
    const strangers = !named && this.#areStrangers();
    if (strangers && this.#deleteUnknown && !dryRun) this.#setStrangers(true);
    refuseDeletes(this.#how, {
      objects,
      known: this.#pair.manifest.count(),
      sourceListed,
      common: strangers ? 0 : this.#tally.commonKeys,
      unknown: this.#deleteUnknown,
      named,
    });
    if (this.#deleteUnknown && !named && !dryRun) this.#setStrangers(false);
  }

  /** What a refused run had copied until then makes no pair of two places that had no key in common. */
  #areStrangers(): boolean {
    return this.#tally.commonKeys === 0 || Boolean(this.#pair.manifest.getFact(STRANGERS));
  }

  #setStrangers(are: boolean): void {
    const { manifest } = this.#pair;
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

  /** Runs beside this one neither copy these keys meanwhile nor have copied them without a word. */
  #holding(rows: readonly DoomedRow[], work: () => Promise<void>): Promise<void> {
    const { claims } = this.#options;
    if (!claims) return work();
    return claims.holdAll(
      rows.map(({ key }) => key),
      () => {
        claims.settle(this.#context.committer);
        return work();
      },
    );
  }

  async #deleteBatch(rows: readonly DoomedRow[]): Promise<void> {
    const { halt, emit } = this.#context;
    const { dest, manifest } = this.#pair;
    if (halt.stops('objects')) return;
    let ready: readonly DoomedRow[] = [];
    try {
      ready = await this.#makeReady(rows);
      if (ready.length === 0 || halt.stops('objects')) return;
      const failures = await dest.store.delete(
        ready.map(({ key }) => dest.prefix + key),
        { signal: halt.signal },
      );
      const failed = new Map(failures.map(({ key, error }) => [key.slice(dest.prefix.length), toXsyncError(error)]));
      manifest.forget(ready.flatMap(({ key }) => (failed.has(key) ? [] : [key])));
      for (const row of ready) {
        const fault = failed.get(row.key);
        if (fault) this.#tellFailure(row, fault);
        else emit({ type: 'deleted', key: row.key, size: row.size });
      }
    } catch (error) {
      if (halt.signal.aborted) return;
      const fault = toXsyncError(error);
      if (endsRun(fault)) halt.fail(fault);
      else for (const row of ready) this.#tellFailure(row, fault);
    }
  }

  /** Those that are really gone from the source, and of which a copy lies aside where one is wanted. */
  async #makeReady(rows: readonly DoomedRow[]): Promise<DoomedRow[]> {
    const looked = await Promise.all(rows.map((row) => this.#context.looks(() => this.#isReady(row))));
    return rows.filter((_, index) => looked[index]);
  }

  async #isReady(row: DoomedRow): Promise<boolean> {
    const { halt } = this.#context;
    if (halt.stops('objects')) return false;
    try {
      if (!(await this.#isStillDoomed(row))) {
        this.#list.clearDoomed([row.key]);
        this.#tally.doomed--;
        return false;
      }
      const { backup } = this.#options;
      if (backup) await keepAside(this.#context, this.#pair, this.#options, backup, row.key);
      return true;
    } catch (error) {
      if (error instanceof Unfinished || halt.signal.aborted) return false;
      const fault = toXsyncError(error);
      if (endsRun(fault)) throw fault;
      this.#tellFailure(row, fault);
      return false;
    }
  }

  /**
   * What an earlier, interrupted run found gone may be at the source again, or may have been changed at the destination,
   * or this run's filter may shield it.
   */
  async #isStillDoomed({ key, destEtag, foundMs }: DoomedRow): Promise<boolean> {
    const { startedMs } = this.#tally;
    // Perhaps copied by a run beside this one, which may have seen it after it was listed as gone.
    const isNew = this.#options.claims !== undefined && (this.#pair.manifest.get(key)?.atMs ?? 0) >= startedMs;
    if (foundMs >= startedMs && !isNew) return true;
    const { source, dest } = this.#pair;
    if (await this.#find(source, key)) return false;
    const there = await this.#find(dest, key);
    if (!there) return true;
    const { filter } = this.#options;
    if (there.etag !== destEtag && !this.#deleteUnknown) return false;
    return this.#how.excluded || filter?.test(key, there.size, there.mtimeMs).included !== false;
  }

  async #find({ store, prefix }: RunSide, key: string): Promise<ObjectInfo | undefined> {
    try {
      return await store.head(prefix + key, { signal: this.#context.halt.signal });
    } catch (error) {
      if (isXsyncError(error, 'object-not-found')) return undefined;
      throw error;
    }
  }

  /** The copy stays in the manifest, so that the next run finds it to be deleted again. */
  #tellFailure({ key, size }: DoomedRow, fault: XsyncError): void {
    const { code, message, remedy } = fault;
    this.#context.emit({
      type: 'failed',
      key,
      size,
      class: fault.class,
      code,
      message,
      remedy,
      attempts: 1,
      operation: 'delete',
    });
  }
}
