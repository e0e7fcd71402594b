/** One pass over the keys: from the listings through the planner, and the deletes at their time. */
import { isXsyncError, type XsyncError } from '../../model/error.js';
import type { Bounds } from '../list/bounds.js';
import { diff } from '../list/diff.js';
import { OutOfOrder } from '../list/list.js';
import { Streams } from '../list/streams.js';
import type { RunOptions, RunPair } from '../options.js';
import { planEntry } from '../plan/plan.js';
import type { Tally } from '../record/summary.js';
import { type ObjectContext, recordFailure, tellFailure } from '../transfer/perform.js';
import { Deletes } from './deletes.js';
import { type Batch, Frontier } from './frontier.js';
import { type Pass, PassKeeper } from './pass.js';
import { Planner } from './planner.js';

export class Traversal {
  readonly #options: RunOptions;
  readonly #context: ObjectContext;
  readonly #tally: Tally;
  readonly #streams: Streams;
  readonly #planner: Planner;
  readonly #deletes: Deletes | undefined;
  readonly #keeper: PassKeeper;
  readonly #pass: Pass;

  constructor(pair: RunPair, options: RunOptions, context: ObjectContext, tally: Tally, pass: Pass) {
    this.#options = options;
    this.#context = context;
    this.#tally = tally;
    this.#pass = pass;
    const failed = (key: string, fault: XsyncError): void => {
      const entry = planEntry({ key, size: 0, etag: '', mtimeMs: 0 }, 'new', pair, options);
      tally.addLooked(false);
      (options.dryRun ? tellFailure : recordFailure)(context, entry, fault, 1);
    };
    this.#streams = new Streams(pair, options, { emit: context.emit, halt: context.halt, failed });
    this.#deletes = options.deletes && new Deletes(pair, options, options.deletes, { context, tally, pass });
    this.#planner = new Planner(pair, options, context, tally, this.#deletes);
    this.#keeper = new PassKeeper(pair.manifest, pass, options);
  }

  /** @throws faults that end the run, and `guard` when what is to be deleted is refused */
  async run(): Promise<void> {
    const { deletes, dryRun } = this.#options;
    // Where nothing is deleted, one look is enough.
    const when = deletes && (dryRun ? 'after' : deletes.when);
    if (this.#pass.after === undefined) {
      this.#deletes?.startAgain();
      this.#keeper.clear();
    }
    try {
      if (when === 'before') {
        await this.#sorting(() => this.#findDoomed());
        await this.#deletes?.carryOut();
        this.#tally.resetDiff();
      }
      await this.#sorting(() => this.#plan(when === 'during'));
      this.#context.committer.flush();
      if (when === 'after') await this.#deletes?.carryOut();
      if (!this.#context.halt.stops('plans')) this.#keeper.clear();
    } finally {
      this.#deletes?.save();
      this.#streams.dispose();
    }
  }

  /** A side found to be out of order is sorted on disk, and the diff starts again. */
  async #sorting(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof OutOfOrder)) throw error;
        this.#streams.sortFromNowOn(error);
      }
      this.#context.committer.flush();
      this.#tally.resetDiff();
      this.#context.emit({ type: 'again' });
      this.#deletes?.startAgain();
      this.#planner.startAgain();
    }
  }

  /** @param deleteMeanwhile the deletes need not wait for the transfers */
  async #plan(deleteMeanwhile: boolean): Promise<void> {
    const { committer, halt } = this.#context;
    const frontier = new Frontier(
      () => halt.stops('plans'),
      () => this.#keepPlace(frontier),
      { key: this.#pass.after, passed: this.#pass.passed },
    );
    try {
      await this.#each(async (triples) => {
        const batch: Batch = frontier.begin(triples.at(-1)?.key ?? '');
        for (const triple of triples) {
          if (halt.stops('plans')) break;
          await this.#planner.take(triple, batch);
        }
        batch.release();
      });
      committer.flush();
      if (deleteMeanwhile) await this.#deletes?.carryOut();
    } finally {
      await this.#planner.drain();
    }
  }

  async #findDoomed(): Promise<void> {
    await this.#each((triples) => {
      for (const triple of triples) this.#planner.takeDoomed(triple);
    });
  }

  async #each(take: (triples: Parameters<Planner['take']>[0][]) => void | Promise<void>): Promise<void> {
    const { halt } = this.#context;
    const { source, dest, rows } = this.#streams.open(this.#bounds());
    try {
      for await (const triples of diff(source, dest, rows)) {
        if (!halt.stops('plans')) await take(triples);
        if (halt.stops('plans')) return;
      }
    } catch (error) {
      // A stop ends the listings; what was taken goes on as the stop allows.
      if (!(halt.stops('plans') && isXsyncError(error, 'aborted'))) throw error;
    }
  }

  #bounds(): Bounds {
    return this.#options.bounds ?? { after: this.#pass.after };
  }

  #keepPlace({ key, passed }: Frontier): void {
    const now = Date.now();
    if (key === undefined || !this.#keeper.due(passed, now)) return;
    try {
      this.#context.committer.flush();
      this.#deletes?.save();
      this.#keeper.save(key, passed, now);
    } catch (error) {
      this.#context.halt.fail(error);
    }
  }
}
