/**
 * Handles change events between polls: each batch is a run over the keys that it names.
 * Tests: test/engine/watch/watch.test.ts
 */
import { toXsyncError, type XsyncError } from '../../model/error.js';
import type { Reporter, RunEvent } from '../events.js';
import { limiter, Queue } from '../flow/queue.js';
import type { DeleteOptions, RunOptions } from '../options.js';
import type { RunPair } from '../pair.js';
import { runKeys } from '../run.js';
import type { Shared } from '../shared.js';
import type { SharedPair } from './shared-pair.js';

/** A pair that can be closed, and opened again with a changed configuration. */
export interface WatchedPair extends RunPair {
  close(): Promise<void>;
}

/** An open pair, with what the runs over it share. */
export type OpenPair = WatchedPair & { shared: Shared };

/** A batch of change events with full keys. See src/feed/feed.ts. */
export interface Changes {
  /** `attributes`: what changed may be tags or the ACL alone. */
  readonly events: readonly { bucket?: string; key: string; attributes?: true }[];
  done(): Promise<void>;
  release(): Promise<void>;
}

/** Concurrent runs over changed keys. */
const RUNS = 4;
/** Objects in the manifest from which on they are counted once between two full polls. */
const COUNTED_ONCE = 10_000;
/** Deletes by events between two full polls, unless --max-delete is given: only a full poll can apply the guards. */
const DELETES = 1000;

export interface ChangeRunsContext {
  /** Options of every run. */
  options(pair: WatchedPair): RunOptions;
  /** Aborted when no more runs may start. */
  signal: AbortSignal;
  report: Reporter;
  /** A key has changed. */
  changed(key: string): void;
  /** A run has succeeded. */
  done(): void;
  /** A run has failed; its events are delivered again. */
  failed(fault: XsyncError): void;
}

export class ChangeRuns {
  readonly #pair: SharedPair<OpenPair>;
  readonly #context: ChangeRunsContext;
  /** Deletes since the last full poll. */
  #deleted = 0;
  /** Deletes that the runs in progress may make. */
  #reserved = 0;
  /** Objects in the manifest, as far as they matter. */
  #known: number | undefined;
  #refused = false;

  constructor(pair: SharedPair<OpenPair>, context: ChangeRunsContext) {
    this.#pair = pair;
    this.#context = context;
  }

  /** Handles the changes until they end and all runs are done. Never rejects. */
  async follow(changes: AsyncIterable<Changes>): Promise<void> {
    const queue = new Queue(limiter(RUNS));
    let why = 'the event source has ended';
    try {
      for await (const batch of changes) await queue.push(() => this.#handle(batch));
    } catch (error) {
      why = toXsyncError(error).message;
    }
    if (!this.#context.signal.aborted) this.#warn(`no more change events, only polls: ${why}`);
    await queue.drain();
    this.#context.done();
  }

  /** Call after a full poll: resets the count of deletes. */
  polledAll(): void {
    this.#deleted = 0;
    this.#known = undefined;
    this.#refused = false;
  }

  async #handle(batch: Changes): Promise<void> {
    const isDone = await this.#pair.use(async (pair) => {
      const only = keysOf(batch, pair);
      const attributes = batch.events.some((event) => event.attributes);
      return only.length === 0 || (await this.#runOver(pair, only, attributes));
    });
    await (isDone ? batch.done() : batch.release());
  }

  /** @returns false if the events must be delivered again */
  async #runOver(pair: OpenPair, only: readonly string[], attributes: boolean): Promise<boolean> {
    const { signal, changed, done, failed } = this.#context;
    if (signal.aborted) return false;
    let reserved = 0;
    const report = (event: RunEvent): void => {
      if (event.type === 'deleted') this.#deleted++;
      this.#context.report(event);
    };
    try {
      const { options, allowed } = this.#optionsFor(pair, only);
      if (attributes) options.compareAttributes = true;
      reserved = allowed;
      this.#reserved += reserved;
      const { stopped, failed: objects } = await runKeys(pair, [only], options, report, pair.shared);
      if (stopped !== undefined) return false;
      done();
      // The next poll may be far away.
      if (objects.byClass.temporary) return false;
    } catch (error) {
      const fault = toXsyncError(error);
      if (fault.code !== 'guard') {
        failed(fault);
        return false;
      }
      this.#refuse();
    } finally {
      this.#reserved -= reserved;
    }
    for (const key of only) changed(key);
    return true;
  }

  #optionsFor(pair: OpenPair, only: readonly string[]): { options: RunOptions; allowed: number } {
    const common = this.#context.options(pair);
    const allowed = common.deletes ? Math.min(this.#allowance(pair, common.deletes), only.length) : 0;
    // Each key is checked with its own HEADs, so the failure of another key does not matter.
    const how = { when: 'after' as const, ignoreErrors: true, max: { objects: allowed } };
    const deletes = common.deletes && { ...common.deletes, ...how };
    const options = { ...common, deletes, noTraverse: false, failedBefore: 'try' as const };
    return { options, allowed };
  }

  /**
   * Deletes that are allowed now. A small pair is counted each time: it may have grown since, and each object matters. Of
   * a big one, counting reads too much.
   */
  #allowance({ shared, manifest }: OpenPair, how: DeleteOptions): number {
    if (this.#known === undefined || this.#known < COUNTED_ONCE) {
      // A poll in progress may have copied objects that are not in the manifest yet, and the count needs them.
      shared.claims.flush();
      this.#known = manifest.count() + this.#deleted;
    }
    return Math.max(0, mostDeletes(how, this.#known) - this.#deleted - this.#reserved);
  }

  /** Everything but the deletes was done; the next full poll applies the guards again. */
  #refuse(): void {
    if (this.#refused) return;
    this.#refused = true;
    this.#warn(
      'change events report more deletes than are allowed between full polls; the rest is left to the next full poll',
    );
  }

  #warn(message: string): void {
    this.#context.report({ type: 'notice', level: 'warn', message });
  }
}

/** Never allows deleting the last object: an empty source may be a mistake. */
function mostDeletes({ max, allowEmptySource }: DeleteOptions, known: number): number {
  const most = !max ? DELETES : 'objects' in max ? max.objects : Math.floor((known * max.percent) / 100);
  return Math.max(0, Math.min(most, allowEmptySource ? known : known - 1));
}

/** The changed keys inside the pair, relative to its prefix; of a mirror, on either side. */
function keysOf({ events }: Changes, { source, dest, reverse }: RunPair): string[] {
  const sides = reverse ? [source, dest] : [source];
  const keys = sides.flatMap(({ store, prefix }) => {
    const { bucket: own } = store.identity;
    return events.flatMap(({ bucket, key }) => {
      if ((bucket !== undefined && bucket !== own) || !key.startsWith(prefix)) return [];
      return [key.slice(prefix.length)];
    });
  });
  return [...new Set(keys)];
}
