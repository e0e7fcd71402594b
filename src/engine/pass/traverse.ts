/**
 * One pass over the keys: from the listings through the planner, with the deletes before, during or after.
 * Tests: test/engine/decide/policies.test.ts
 */
import { isXsyncError, XsyncError } from '../../model/error.js';
import { Census, MirrorCensus } from '../census.js';
import type { RunEvent, Side } from '../events.js';
import type { Covered } from '../fan/reading.js';
import type { Bounds } from '../list/bounds.js';
import { diff } from '../list/diff.js';
import { lookForHidden } from '../list/hidden.js';
import { OutOfOrder } from '../list/list.js';
import { type StreamOptions, Streams } from '../list/streams.js';
import { type RunOptions, writesUnseen } from '../options.js';
import { faultOf } from '../plan/fault.js';
import { synchronisedMs } from '../record/journal.js';
import { Conflicts } from './conflicts.js';
import type { RunContext } from './context.js';
import { Deletes } from './deletes.js';
import { Folders } from './folders.js';
import { type Batch, Frontier } from './frontier.js';
import { MirrorPlanner } from './mirror.js';
import { PassKeeper } from './pass.js';
import { Planner } from './planner.js';

export class Traversal {
  readonly #context: RunContext;
  readonly #streams: Streams;
  readonly #planner: Planner | MirrorPlanner;
  /** One for each direction. */
  readonly #deletes: readonly Deletes[];
  readonly #keeper: PassKeeper;
  /** One for each direction with deletes to come. */
  readonly #conflicts: readonly Conflicts[];
  /** The first oddity was reported as a failure. */
  #told = false;
  readonly #folders: Folders | undefined;
  /** The first of two traversals of the same keys: the second one reports its failures. */
  #findsOnly = false;

  constructor(context: RunContext) {
    const { pair, options, pass, halt, mirror } = context;
    this.#context = context;
    this.#folders = Folders.of(context);
    this.#streams = new Streams(
      pair,
      {
        ...{ ...options, distrusted: distrusted(options), ...blindness(options) },
        excludedToo: options.deletes?.excluded === true,
        bothWays: mirror !== undefined,
        onFolder: this.#folders && ((folder) => this.#folders?.add(folder)),
      },
      {
        emit: (event) => this.#hear(event),
        halt,
        failed: (key, fault) => this.#failed(key, fault),
        damaged: (fault) => this.#damaged(fault),
        odd: (what, side) => {
          const listed = mirror && side === 'destination' ? mirror.back.pass : pass;
          listed.oddity ??= what;
        },
      },
    );
    const there = options.deletes && new Deletes(context, options.deletes);
    const back = mirror && options.deletes && new Deletes(mirror.back, options.deletes);
    this.#deletes = [there, back].filter((deletes) => deletes !== undefined);
    const deletesLater = options.deletes && options.deletes.when !== 'before' && !options.dryRun;
    const waiting = ({ pair, recorder, startedMs }: RunContext) => new Conflicts(pair, recorder, startedMs);
    this.#conflicts = deletesLater ? [context, ...(mirror ? [mirror.back] : [])].map(waiting) : [];
    const [conflicts, backConflicts] = this.#conflicts;
    const planning = { ...context, conflicts };
    this.#planner =
      mirror && options.policy.mode === 'mirror'
        ? new MirrorPlanner(
            planning,
            { ...mirror, back: { ...mirror.back, conflicts: backConflicts } },
            options.policy,
            { there, back },
          )
        : new Planner(planning, there);
    this.#keeper = new PassKeeper(pair.manifest, pass, options);
  }

  #hear(event: RunEvent): void {
    if (event.type === 'listed' && event.side === 'source') this.#context.census.listed = event.objects;
    this.#context.emit(event);
  }

  /** The HEAD of a named object failed, or a folder could not be listed. */
  #failed(key: string, fault: XsyncError): void {
    const { census } = this.#context;
    census.unseen++;
    if (this.#findsOnly) census.fail();
    else this.#planner.fail({ key, size: 0, etag: '', mtimeMs: 0 }, fault, 1);
  }

  /** Without a key, nothing can be noted in the failed list. Until the next pass, the object may be one that has changed. */
  #damaged(fault: XsyncError): void {
    const { census, pass, pair, recorder, startedMs } = this.#context;
    if (pass.oddity === undefined) this.#told = true;
    pass.oddity ??= fault.message;
    pass.unsettledMs = Math.min(pass.unsettledMs ?? startedMs, synchronisedMs(pair.manifest, startedMs) ?? 0);
    census.unseen++;
    if (this.#findsOnly) census.fail();
    else recorder.unnamed(faultOf(fault));
  }

  /** @throws faults that end the run; guard when the deletes are refused */
  async run(): Promise<void> {
    const { options, pass, census } = this.#context;
    const { deletes, dryRun } = options;
    // A dry run deletes nothing, so one traversal is enough.
    const when = deletes && (dryRun ? 'after' : deletes.when);
    if (pass.after === undefined) {
      for (const deletes of this.#deletes) deletes.startAgain();
      this.#keeper.clear();
    }
    try {
      await this.#lookForHidden();
      if (when === 'before') {
        this.#findsOnly = true;
        await this.#sorting(() => this.#findDoomed());
        await this.#delete();
        this.#findsOnly = false;
        census.restart();
      }
      try {
        await this.#sorting(() => this.#plan(when === 'during'));
        this.#planner.reportLeftOut();
        this.#context.committer.flush();
        this.#context.mirror?.back.committer.flush();
        if (when === 'after') await this.#delete();
      } catch (error) {
        // The guards refuse the deletes and nothing else.
        if (isXsyncError(error, 'guard')) {
          await this.#copyConflicts();
          await this.#copyKept();
        }
        throw error;
      }
      await this.#copyConflicts();
      await this.#copyKept();
      if (!this.#told) for (const deletes of this.#deletes) deletes.warnOfOddity();
      if (!this.#context.halt.stops('plans')) this.#keeper.clear();
      await this.#folders?.make();
    } finally {
      this.#folders?.dispose();
      for (const deletes of this.#deletes) deletes.end();
      this.#streams.dispose();
    }
  }

  async #lookForHidden(): Promise<void> {
    const { pair, options, halt } = this.#context;
    if (options.only === undefined) await lookForHidden(pair, { ...options, mode: options.policy.mode }, halt);
  }

  /** Copies what the destination could not hold beside objects that are deleted now. Without deletes, it fails again. */
  async #copyConflicts(): Promise<void> {
    const { halt } = this.#context;
    for (const conflicts of this.#conflicts) {
      for (const only of conflicts.keys()) {
        if (halt.stops('plans')) return;
        await this.#named(only, new MirrorCensus()).run();
      }
    }
  }

  /** The losers of conflicts, which are under their new names on one side so far. */
  async #copyKept(): Promise<void> {
    const { mirror, options, halt, committer } = this.#context;
    if (!mirror || options.dryRun || options.only !== undefined) return;
    for (const only of mirror.conflicts.kept()) {
      if (halt.stops('plans')) return;
      committer.flush();
      mirror.back.committer.flush();
      await this.#named(only, mirror.census).run();
    }
  }

  /** A traversal of these keys alone, in the same run. @param keys of a mirror: counts them */
  #named(only: readonly string[], keys: MirrorCensus): Traversal {
    const named = {
      ...this.#context.options,
      only,
      filter: undefined,
      deletes: undefined,
      failedBefore: 'try' as const,
    };
    const { mirror } = this.#context;
    const back = mirror && { ...mirror.back, options: named, census: new Census() };
    return new Traversal({
      ...this.#context,
      ...(mirror && back && { mirror: { ...mirror, back, census: keys } }),
      options: named,
      census: new Census(),
      // They have been seen and listed before.
      emit: (event) => {
        if (event.type !== 'listed') this.#context.emit(event);
      },
    });
  }

  /**
   * The deletes of every direction. What a guard refuses is refused for its direction alone.
   * @throws guard
   */
  async #delete(): Promise<void> {
    const refusals: XsyncError[] = [];
    for (const deletes of this.#deletes) {
      try {
        await deletes.carryOut();
      } catch (error) {
        if (!isXsyncError(error, 'guard')) throw error;
        refusals.push(error);
      }
    }
    const [first, second] = refusals;
    if (first && second) {
      const { subject, remedy } = first;
      throw new XsyncError('guard', `${first.message}; ${second.message}`, { subject, remedy });
    }
    if (first) throw first;
  }

  /** If a side is out of order, sorts it on disk and starts the diff again. */
  async #sorting(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof OutOfOrder)) throw error;
        this.#streams.sortFromNowOn(error);
      }
      this.#context.committer.flush();
      this.#context.census.restart();
      this.#context.forecast.restart();
      this.#context.emit({ type: 'again' });
      this.#context.mirror?.back.census.restart();
      this.#context.mirror?.back.committer.flush();
      this.#context.mirror?.back.forecast.restart();
      for (const deletes of this.#deletes) deletes.startAgain();
      this.#planner.startAgain();
    }
  }

  /** @param deleteMeanwhile the deletes need not wait for the transfers */
  async #plan(deleteMeanwhile: boolean): Promise<void> {
    const { committer, halt, pass, pair } = this.#context;
    const { reading } = pair.source;
    const frontier = new Frontier(
      () => halt.stops('plans'),
      () => this.#keepPlace(frontier),
      { key: pass.after, passed: pass.passed },
      reading && ((key) => reading.hold(key)),
    );
    reading?.covers(this.#covered());
    try {
      await this.#each(async (triples) => {
        this.#noteListing();
        const batch: Batch = frontier.begin(triples.at(-1)?.key ?? '');
        for (const triple of triples) {
          if (halt.stops('plans')) break;
          const waiting = this.#planner.take(triple, batch);
          reading?.passed(triple.key);
          if (waiting) await waiting;
        }
        reading?.review();
        batch.release();
      });
      // There may have been nothing to take.
      this.#noteListing();
      await this.#planner.release();
      committer.flush();
      this.#context.mirror?.back.committer.flush();
      if (deleteMeanwhile) await this.#delete();
    } finally {
      await this.#planner.drain();
      reading?.covers({ only: new Set() });
    }
  }

  #covered(): Covered {
    const { pair, options } = this.#context;
    const only = pair.single ? [''] : (options.only ?? options.filter?.files);
    const inAnyOrder = options.checkFirst === true || options.order !== undefined;
    return { ...this.#bounds(), only: only && new Set(only), inAnyOrder };
  }

  /** Another pair may have begun the listing, before this run began. */
  #noteListing(): void {
    const { pass, pair, startedMs } = this.#context;
    const { listedMs = startedMs } = pair.source.reading ?? {};
    if (listedMs < pass.startedMs) pass.unsettledMs = Math.min(pass.unsettledMs ?? listedMs, listedMs);
  }

  async #findDoomed(): Promise<void> {
    await this.#each((triples) => {
      for (const triple of triples) if (this.#planner instanceof Planner) this.#planner.takeDoomed(triple);
    });
  }

  async #each(take: (triples: Parameters<Planner['take']>[0][]) => void | Promise<void>): Promise<void> {
    const { halt } = this.#context;
    const { source, dest, rows, unlisted } = this.#streams.open(this.#bounds());
    try {
      for await (const triples of diff(source, dest, rows, unlisted)) {
        if (!halt.stops('plans')) await take(triples);
        if (halt.stops('plans')) return;
      }
    } catch (error) {
      // A stop aborts the listings; the level of the stop decides what happens to keys already taken.
      if (!(halt.stops('plans') && isXsyncError(error, 'aborted'))) throw error;
    }
  }

  #bounds(): Bounds {
    return this.#context.options.bounds ?? { after: this.#context.pass.after };
  }

  #keepPlace({ key, passed }: Frontier): void {
    const now = Date.now();
    if (key === undefined || !this.#keeper.due(passed, now)) return;
    try {
      this.#context.committer.flush();
      for (const deletes of this.#deletes) deletes.save();
      this.#keeper.save(key, passed, now);
    } catch (error) {
      this.#context.halt.fail(error);
    }
  }
}

/**
 * Sides that must be sorted unless they guarantee order. Disorder is noticed late, and until then a key that is listed
 * later seems absent. That costs at most a needless copy, except with options that protect the destination's objects.
 */
function distrusted({ policy, backup }: RunOptions): readonly Side[] {
  if (policy.mode === 'mirror') return ['source', 'destination'];
  const protects = policy.ignoreExisting || policy.immutable || policy.update || backup !== undefined;
  return protects ? ['destination'] : [];
}

/**
 * What need not be known of the destination's named objects. A delete must know what it deletes, and a repair, which
 * is forced, what it replaces.
 */
function blindness(options: RunOptions): Pick<StreamOptions, 'unseen' | 'forced'> {
  const unseen = writesUnseen(options) && options.deletes === undefined;
  return { unseen, forced: unseen && options.only === undefined && options.policy.compare === 'ignore-times' };
}
