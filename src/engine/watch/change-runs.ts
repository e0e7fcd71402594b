/** What change events tell between two looks: each batch of them is a run over the keys that it names. */
import { toXsyncError, type XsyncError } from '../../model/error.js';
import type { Reporter, RunEvent } from '../events.js';
import { limiter, Queue } from '../flow/queue.js';
import type { DeleteOptions, RunOptions } from '../options.js';
import type { RunPair } from '../pair.js';
import { runKeys } from '../run.js';
import type { Shared } from '../shared.js';
import type { SharedPair } from './shared-pair.js';

/** A pair that can be opened again, with what its configuration says by then. */
export interface WatchedPair extends RunPair {
  close(): Promise<void>;
}

/** With what the runs over it share as long as it is open. */
export type OpenPair = WatchedPair & { shared: Shared };

/** What a feed of change events delivers; keys are full ones. See src/feed/feed.ts. */
export interface Changes {
  readonly events: readonly { bucket?: string; key: string }[];
  done(): Promise<void>;
  release(): Promise<void>;
}

/** Change events are handled in so many runs at once. */
const RUNS = 4;
/** Deletes by events between two looks at everything, which alone can tell a slip from a wish; unless --max-delete says it. */
const DELETES = 1000;

export interface ChangeRunsContext {
  /** What all runs have in common. */
  options(pair: WatchedPair): RunOptions;
  /** Nothing more is begun. */
  signal: AbortSignal;
  report: Reporter;
  /** Something happened to a key. */
  changed(key: string): void;
  /** A run was carried through. */
  done(): void;
  /** A run could not be carried through; its events come again. */
  failed(fault: XsyncError): void;
}

export class ChangeRuns {
  readonly #pair: SharedPair<OpenPair>;
  readonly #context: ChangeRunsContext;
  /** Deletes that are left until everything is looked at. */
  #deletes: number | undefined;
  #refused = false;

  constructor(pair: SharedPair<OpenPair>, context: ChangeRunsContext) {
    this.#pair = pair;
    this.#context = context;
  }

  /** Until the changes end and all that began is done. Never rejects. */
  async follow(changes: AsyncIterable<Changes>): Promise<void> {
    const queue = new Queue(limiter(RUNS));
    let why = 'their source has ended';
    try {
      for await (const batch of changes) await queue.push(() => this.#handle(batch));
    } catch (error) {
      why = toXsyncError(error).message;
    }
    if (!this.#context.signal.aborted) this.#warn(`no more change events, only looks: ${why}`);
    await queue.drain();
    this.#context.done();
  }

  /** Counts the deletes anew. */
  polledAll(): void {
    this.#deletes = undefined;
    this.#refused = false;
  }

  async #handle(batch: Changes): Promise<void> {
    const isDone = await this.#pair.use(async (pair) => {
      const only = keysOf(batch, pair);
      return only.length === 0 || (await this.#runOver(pair, only));
    });
    await (isDone ? batch.done() : batch.release());
  }

  /** @returns false when the events are to come again */
  async #runOver(pair: OpenPair, only: readonly string[]): Promise<boolean> {
    const { signal, changed, done, failed } = this.#context;
    if (signal.aborted) return false;
    let left = 0;
    const report = (event: RunEvent): void => {
      if (event.type === 'deleted') left--;
      this.#context.report(event);
    };
    try {
      const { options, allowed } = this.#optionsFor(pair, only);
      left = allowed;
      const { stopped, failed: objects } = await runKeys(pair, [only], options, report, pair.shared);
      if (stopped !== undefined) return false;
      done();
      // The next look may be far away.
      if (objects.byClass.temporary) return false;
    } catch (error) {
      const fault = toXsyncError(error);
      if (fault.code !== 'guard') {
        failed(fault);
        return false;
      }
      this.#refuse();
    } finally {
      if (this.#deletes !== undefined) this.#deletes += left;
    }
    for (const key of only) changed(key);
    return true;
  }

  #optionsFor(pair: OpenPair, only: readonly string[]): { options: RunOptions; allowed: number } {
    const common = this.#context.options(pair);
    if (this.#deletes === undefined) {
      // A look that is under way may have copied what it has not written down: none of that would be known.
      pair.shared.claims.flush();
      this.#deletes = common.deletes ? mostDeletes(common.deletes, pair.manifest.count()) : 0;
    }
    const allowed = Math.min(this.#deletes, only.length);
    this.#deletes -= allowed;
    // Each key was asked for by itself: what happens to another one says nothing of it.
    const how = { when: 'after' as const, ignoreErrors: true, max: { objects: allowed } };
    const deletes = common.deletes && { ...common.deletes, ...how };
    const options = { ...common, deletes, noTraverse: false, failedBefore: 'try' as const };
    return { options, allowed };
  }

  /** All but the deletes was done; the next look at everything asks the guards again. */
  #refuse(): void {
    if (this.#refused) return;
    this.#refused = true;
    this.#warn('change events tell of more deletes than are believed: the rest is left to the next look at everything');
  }

  #warn(message: string): void {
    this.#context.report({ type: 'notice', level: 'warn', message });
  }
}

/** Never the last object: an empty source may be a wrong one. */
function mostDeletes({ max, allowEmptySource }: DeleteOptions, known: number): number {
  const most = !max ? DELETES : 'objects' in max ? max.objects : Math.floor((known * max.percent) / 100);
  return Math.max(0, Math.min(most, allowEmptySource ? known : known - 1));
}

/** Of the pair, and relative to it. */
function keysOf({ events }: Changes, { source }: RunPair): string[] {
  const { bucket: own } = source.store.identity;
  const keys = events.flatMap(({ bucket, key }) => {
    if ((bucket !== undefined && bucket !== own) || !key.startsWith(source.prefix)) return [];
    return [key.slice(source.prefix.length)];
  });
  return [...new Set(keys)];
}
