/** From the diff to the queue: each key is decided, looked at more closely where that is needed, and handed on. */
import { toXsyncError, XsyncError } from '../model/error.js';
import type { ObjectEntry } from '../model/object.js';
import type { VerifiedBy } from '../model/verified.js';
import { type CopyReason, type Decision, decide, type SkipReason } from './decide.js';
import { destState, evidenceOf, sourceState, type Triple } from './diff.js';
import { inspect } from './inspect.js';
import { copyObject, endsRun, type ObjectContext, recordFailure, tellFailure } from './object.js';
import type { RunOptions, RunPair } from './options.js';
import { type PlanEntry, planEntry } from './plan.js';
import { limiter, Queue } from './queue.js';
import type { Tally } from './report.js';
import type { Lanes } from './slots.js';

type Decided = Exclude<Decision, { action: 'none' | 'inspect' }>;

/** What an adopted row was found equal by; a size alone adopts nothing. */
const ADOPTED_BY: Partial<Record<SkipReason, VerifiedBy>> = { 'same-checksum': 'computed', 'same-time': 'size' };

export class Planner {
  readonly #pair: RunPair;
  readonly #options: RunOptions;
  readonly #context: ObjectContext;
  readonly #tally: Tally;
  readonly #transfers: Lanes;
  readonly #checkers: Queue;
  /** Failed in an earlier run: what the destination holds of them may be damaged, whatever its size and time. */
  readonly #doubted: ReadonlySet<string>;
  /** Bytes of what was planned, for --max-transfer. */
  #started = 0;
  #again = false;

  constructor(pair: RunPair, options: RunOptions, context: ObjectContext, tally: Tally) {
    this.#pair = pair;
    this.#options = options;
    this.#context = context;
    this.#tally = tally;
    this.#transfers = context.slots.lanes();
    this.#checkers = new Queue(limiter(options.checkers));
    this.#doubted = new Set(pair.manifest.failures().map((failure) => failure.key));
  }

  /** Returns once the key has found its place; waits while the queues are full. */
  async take(triple: Triple): Promise<void> {
    const { source, key, row } = triple;
    if (!source) {
      // Gone from both sides: nothing is left to know about it.
      if (row && !triple.dest && !this.#options.noTraverse && !this.#options.dryRun)
        this.#context.committer.forget(key);
      return;
    }
    this.#tally.addLooked();
    if (this.#again && this.#copiedBefore(triple)) return;
    const excluded = this.#excluded(triple);
    if (excluded) {
      this.#context.emit({ type: 'skip', key, size: source.size, ...excluded });
      return;
    }
    const d = destState(triple, !this.#options.noTraverse);
    const decision = decide(this.#options.policy, sourceState(triple), d, evidenceOf(triple));
    if (decision.action === 'inspect') await this.#checkers.push(() => this.#inspect(triple, decision));
    else if (decision.action !== 'none') await this.#act(triple, decision);
  }

  /** Waits for all that was taken. */
  async drain(): Promise<void> {
    try {
      await this.#checkers.drain();
    } finally {
      await this.#transfers.drain();
    }
  }

  /** The same keys come again, in better order; what this run has copied is done. */
  startAgain(): void {
    this.#again = true;
    this.#started = this.#tally.copiedBytes;
  }

  #copiedBefore({ source, dest, row }: Triple): boolean {
    if (!row?.ours || row.atMs < this.#tally.startedMs) return false;
    return source?.etag === row.sourceEtag && (this.#options.noTraverse || dest?.etag === row.destEtag);
  }

  #excluded({ key, source }: Triple): { reason: SkipReason; detail: string } | undefined {
    if (!source) return undefined;
    if (
      key === '' &&
      !this.#pair.single &&
      (this.#pair.dest.prefix === '' || this.#pair.dest.store.capabilities.local)
    ) {
      return { reason: 'unreadable', detail: "the source folder's own marker, which has no name at the destination" };
    }
    if (source.special === 'symlink' || source.special === 'other') {
      return { reason: 'unreadable', detail: source.special === 'symlink' ? 'symbolic link' : 'not a regular file' };
    }
    const verdict = this.#options.filter?.test(key, source.size, source.mtimeMs);
    return verdict && !verdict.included ? { reason: 'filtered', detail: verdict.reason } : undefined;
  }

  async #inspect(triple: Triple, decision: Extract<Decision, { action: 'inspect' }>): Promise<void> {
    const { source, dest } = this.#pair;
    if (!triple.source || this.#context.halt.stops('objects')) return;
    const entry = planEntry(triple.source, decision.otherwise, this.#pair, this.#options);
    const context = {
      source: source.store,
      dest: dest.store,
      budget: this.#context.budget,
      policy: this.#options.policy,
      signal: this.#context.halt.signal,
    };
    try {
      const looked = await inspect(context, entry, decision, this.#doubted.has(triple.key));
      await this.#act({ ...triple, dest: looked.dest ?? triple.dest }, looked.verdict);
    } catch (error) {
      if (this.#context.halt.signal.aborted) return;
      const fault = toXsyncError(error);
      if (endsRun(fault)) this.#context.halt.fail(fault);
      else this.#fail(entry, fault, 1);
    }
  }

  async #act(triple: Triple, decision: Decided): Promise<void> {
    const { source, key } = triple;
    if (!source) return;
    if (decision.action === 'copy') return this.#copy(triple, decision.reason);
    if (decision.action === 'skip') {
      this.#context.emit({ type: 'skip', key, size: source.size, reason: decision.reason });
      this.#adopt(triple, decision.reason);
      return;
    }
    const entry = planEntry(source, 'source-changed', this.#pair, this.#options);
    const fault = new XsyncError('guard', 'differs at the destination, and --immutable forbids to change it', {
      class: 'permanent',
    });
    this.#fail(entry, fault, 0);
  }

  #fail(entry: PlanEntry, fault: XsyncError, attempts: number): void {
    const record = this.#options.dryRun ? tellFailure : recordFailure;
    record(this.#context, entry, fault, attempts);
  }

  /** Found equal without a copy: noted, so that the next run need not look again. */
  #adopt({ key, source, dest, row }: Triple, reason: SkipReason): void {
    const verifiedBy = ADOPTED_BY[reason];
    if (!source || !dest || verifiedBy === undefined || this.#options.dryRun) return;
    this.#context.committer.add({
      key,
      size: source.size,
      sourceEtag: source.etag,
      sourceMtimeMs: source.mtimeMs,
      destEtag: dest.etag,
      verifiedBy,
      ours: row?.ours ?? false,
      atMs: row?.atMs ?? Date.now(),
    });
  }

  async #copy({ key, source }: Triple, reason: CopyReason): Promise<void> {
    if (!source) return;
    const entry = planEntry(source, reason, this.#pair, this.#options);
    const fault = this.#impossible(entry);
    if (fault) {
      // Nothing is read of what could not be written; a dry run says so as well.
      (this.#options.dryRun ? tellFailure : recordFailure)(this.#context, entry, fault, 0);
      return;
    }
    if (!this.#withinMaxTransfer(entry)) {
      this.#context.emit({ type: 'skip', key, size: source.size, reason: 'cutoff' });
      return;
    }
    this.#context.emit({ type: 'plan', key, size: source.size, reason, parts: entry.parts });
    if (this.#options.dryRun) this.#tally.addPlanned(entry);
    else await this.#transfers.push(entry, (opened) => this.#begin(source, entry, opened));
  }

  /** Why the destination cannot hold the object, if it cannot. */
  #impossible({ destKey, size }: PlanEntry): XsyncError | undefined {
    const { store } = this.#pair.dest;
    const { maxObjectSize } = store.capabilities;
    if (size > maxObjectSize) {
      const message = `${size} bytes are more than the ${maxObjectSize} that an object may have at the destination`;
      return new XsyncError('object-too-large', message, { subject: destKey });
    }
    try {
      store.checkKey(destKey);
      return undefined;
    } catch (error) {
      return toXsyncError(error);
    }
  }

  /** Large objects are cut anew when they begin: meanwhile the tuner may know better. */
  #begin(source: ObjectEntry, entry: PlanEntry, opened: () => void): Promise<void> {
    const { partSize } = this.#context.slots;
    const context = { ...this.#context, opened };
    if (entry.parts === 1 || partSize === undefined) return copyObject(context, entry);
    return copyObject(context, planEntry(source, entry.reason, this.#pair, this.#options, partSize));
  }

  /** `--max-transfer`: soft and hard start until it is reached, cautious never starts what would go beyond it. */
  #withinMaxTransfer(entry: PlanEntry): boolean {
    const { maxTransfer, cutoffMode } = this.#options;
    if (maxTransfer === undefined) return true;
    const after = this.#started + entry.size;
    if (cutoffMode === 'cautious' ? after > maxTransfer : this.#started >= maxTransfer) {
      this.#context.halt.stop('max-transfer', 'plans');
      return false;
    }
    this.#started = after;
    return true;
  }
}
