/** From the diff to the queue: each key is decided, looked at more closely where that is needed, and handed on. */
import { toXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectEntry } from '../../model/object.js';
import { type CopyReason, type Decision, type DestState, decide, type SkipReason } from '../decide/decide.js';
import { exclusionOf } from '../decide/exclusion.js';
import { inspect } from '../decide/inspect.js';
import { Queue } from '../flow/queue.js';
import { destState, evidenceOf, sourceState, type Triple } from '../list/diff.js';
import type { RunOptions, RunPair } from '../options.js';
import { type PlanEntry, planEntry } from '../plan/plan.js';
import { adoptedRow } from '../record/adopted.js';
import { heldBack } from '../record/failed.js';
import type { Tally } from '../record/summary.js';
import { isAside } from '../transfer/aside.js';
import { copyObject, endsRun, type ObjectContext, recordFailure, tellFailure } from '../transfer/perform.js';
import type { Lanes } from '../transfer/slots.js';
import type { Deletes } from './deletes.js';
import type { Batch } from './frontier.js';

type Decided = Extract<Decision, { action: 'copy' | 'skip' | 'fail' }>;

export class Planner {
  readonly #pair: RunPair;
  readonly #options: RunOptions;
  readonly #context: ObjectContext;
  readonly #tally: Tally;
  readonly #transfers: Lanes;
  readonly #checkers: Queue;
  /** Absent: nothing is deleted. */
  readonly #deletes: Deletes | undefined;
  /** Something failed in an earlier run. */
  readonly #failures: boolean;
  /** Runs that were killed had begun to write something. */
  readonly #intents: boolean;
  /** Bytes of what was planned, for --max-transfer. */
  #started = 0;
  #again = false;

  constructor(pair: RunPair, options: RunOptions, context: ObjectContext, tally: Tally, deletes?: Deletes) {
    this.#pair = pair;
    this.#options = options;
    this.#context = context;
    this.#tally = tally;
    this.#transfers = context.slots.lanes();
    this.#checkers = new Queue(context.looks);
    this.#deletes = deletes;
    this.#failures = pair.manifest.failureCount() > 0;
    this.#intents = pair.manifest.anyIntended();
  }

  /** Returns once the key has found its place in `batch`; waits while the queues are full. */
  async take(triple: Triple, batch: Batch): Promise<void> {
    const { source, key } = triple;
    if (!source) return this.#gone(triple);
    this.#tally.addLooked(triple.dest !== undefined || triple.row !== undefined);
    batch.look();
    if (this.#again && this.#copiedBefore(triple)) return;
    const excluded = exclusionOf(this.#pair, this.#options, key, source);
    if (excluded) {
      this.#context.emit({ type: 'skip', key, size: source.size, ...excluded });
      if (excluded.reason === 'filtered' && this.#options.deletes?.excluded)
        this.#gone({ ...triple, source: undefined });
      return;
    }
    batch.add(source.size);
    const decision = decide(this.#options.policy, sourceState(triple), this.#destState(triple), evidenceOf(triple));
    const work = decision.action === 'copy' || decision.action === 'inspect';
    if (work && (this.#held(key, source) || this.#settles(key, source))) return;
    if (decision.action === 'inspect') {
      const done = batch.hold();
      await this.#checkers.push(() => this.#inspect(triple, decision, batch).finally(done));
    } else if (decision.action === 'copy' || decision.action === 'skip' || decision.action === 'fail') {
      await this.#act(triple, decision, batch);
    }
  }

  /** Deletes what is to be deleted, without looking at anything else. */
  takeDoomed(triple: Triple): void {
    const { key, source } = triple;
    if (source) this.#tally.addLooked(triple.dest !== undefined || triple.row !== undefined);
    const verdict = source && exclusionOf(this.#pair, this.#options, key, source);
    if (!source || (verdict?.reason === 'filtered' && this.#options.deletes?.excluded)) {
      this.#gone({ ...triple, source: undefined }, false);
    }
  }

  #destState(triple: Triple): DestState {
    return destState(triple, !this.#options.noTraverse);
  }

  /**
   * The source does not have it.
   * @param tellsKept false when the same keys come once more
   */
  #gone(triple: Triple, tellsKept = true): void {
    const { key, row, dest } = triple;
    const { noTraverse, dryRun, policy } = this.#options;
    if (row && !dest && !noTraverse) {
      // Gone from both sides: nothing is left to know about it.
      if (!dryRun) this.#context.committer.forget(key);
      return;
    }
    const evidence = { ...evidenceOf(triple), intended: this.#isIntended(triple) };
    const decision = decide(policy, 'absent', this.#destState(triple), evidence);
    if (decision.action !== 'delete' && decision.action !== 'keep') return;
    // Without a listing the manifest tells what the filter asks for.
    const there = dest ?? (row && { key, size: row.size, etag: row.destEtag, mtimeMs: row.sourceMtimeMs });
    if (!there || !this.#deletes) return;
    const { deletes, backup } = this.#options;
    if (!deletes?.excluded && exclusionOf(this.#pair, this.#options, key, there)) return;
    const aside = decision.reason === 'unknown' && isAside(this.#pair, backup, key);
    if (decision.action === 'delete' && !aside) this.#deletes.doom(triple, decision.reason);
    else if (tellsKept) {
      const reason = decision.action === 'keep' ? decision.reason : 'unknown';
      this.#context.emit({ type: 'keep', key, size: there.size, reason });
    }
  }

  /** A run that was killed was about to write it at the destination, which had something else then. */
  #isIntended(triple: Triple): boolean {
    if (!this.#intents || this.#options.claims?.has(triple.key)) return false;
    const intent = this.#pair.manifest.intended(triple.key);
    return intent !== undefined && intent.atMs < this.#tally.startedMs && intent.destEtag !== this.#etagThere(triple);
  }

  /** Of what the destination has, as far as it is known. */
  #etagThere({ dest, row }: Triple): string | undefined {
    return dest?.etag ?? (this.#options.noTraverse ? row?.destEtag : undefined);
  }

  /** Is being rewritten right now. */
  #settles(key: string, { size, mtimeMs }: ObjectEntry): boolean {
    if (!this.#options.settling?.waits(key, mtimeMs, Date.now())) return false;
    this.#context.emit({ type: 'skip', key, size, reason: 'settling', sourceMtimeMs: mtimeMs });
    if (this.#failures && !this.#options.dryRun) this.#pair.manifest.seeFailure(key, Date.now());
    return true;
  }

  /** Failed before, and its time has not come. */
  #held(key: string, source: ObjectEntry): boolean {
    if (!this.#failures || this.#options.failedBefore === 'try') return false;
    const { manifest, settings } = this.#pair;
    const failure = manifest.failure(key);
    const timeMs = Date.now();
    const held = failure && heldBack(failure, { sourceEtag: source.etag, settings, timeMs });
    if (!failure || !held) return false;
    if (!this.#options.dryRun) manifest.seeFailure(key, timeMs);
    this.#context.emit({ type: 'held', key, size: source.size, class: failure.class, code: failure.code, ...held });
    return true;
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

  async #inspect(triple: Triple, decision: Extract<Decision, { action: 'inspect' }>, batch: Batch): Promise<void> {
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
      // What the destination holds of a failed object may be damaged, whatever its size and time.
      const doubted = this.#failures && this.#pair.manifest.failure(triple.key) !== undefined;
      const looked = await inspect(context, entry, decision, doubted);
      await this.#act({ ...triple, dest: looked.dest ?? triple.dest }, looked.verdict, batch);
    } catch (error) {
      if (this.#context.halt.signal.aborted) return;
      const fault = toXsyncError(error);
      if (endsRun(fault)) this.#context.halt.fail(fault);
      else this.#fail(entry, fault, 1);
    }
  }

  async #act(triple: Triple, decision: Decided, batch: Batch): Promise<void> {
    const { source, key } = triple;
    if (!source) return;
    if (decision.action === 'copy') return this.#copy(triple, decision.reason, batch);
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
  #adopt(triple: Triple, reason: SkipReason): void {
    if (this.#options.dryRun) return;
    const row = adoptedRow(triple, reason, this.#isIntended(triple));
    if (row) this.#context.committer.add(row);
  }

  async #copy(triple: Triple, reason: CopyReason, batch: Batch): Promise<void> {
    const { key, source, row } = triple;
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
    const { size, mtimeMs: sourceMtimeMs } = source;
    this.#context.emit({ type: 'plan', key, size, reason, parts: entry.parts, sourceMtimeMs });
    if (this.#options.dryRun) return this.#tally.addPlanned(entry);
    const destEtag = this.#etagThere(triple);
    const done = batch.hold();
    await this.#transfers.push(entry, (opened) =>
      this.#begin(source, entry, { destEtag, knownMs: row?.atMs, opened }).finally(done),
    );
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

  /** `knownMs`: of the manifest's row by which it was decided. */
  #begin(
    source: ObjectEntry,
    entry: PlanEntry,
    { destEtag, knownMs, opened }: { destEtag?: string; knownMs?: number; opened: () => void },
  ): Promise<void> {
    const { claims } = this.#options;
    if (!claims) return this.#copyNow(source, entry, destEtag, opened);
    return claims.hold(entry.key, async () => {
      claims.settle(this.#context.committer);
      if (this.#doneMeanwhile(source, knownMs)) {
        this.#context.emit({ type: 'skip', key: entry.key, size: entry.size, reason: 'unchanged' });
        return;
      }
      await this.#copyNow(source, entry, destEtag, opened);
    });
  }

  /** Large objects are cut anew when they begin: meanwhile the tuner may know better. */
  #copyNow(source: ObjectEntry, entry: PlanEntry, destEtag: string | undefined, opened: () => void): Promise<void> {
    const { partSize } = this.#context.slots;
    const context = { ...this.#context, opened };
    if (entry.parts === 1 || partSize === undefined) return copyObject(context, entry, destEtag);
    return copyObject(context, planEntry(source, entry.reason, this.#pair, this.#options, partSize), destEtag);
  }

  /**
   * Another run of this process has copied it since it was decided to: the same version, or one that is newer than
   * what this pass has listed. An older one, which it had begun to copy before, counts for nothing.
   */
  #doneMeanwhile({ key, etag, mtimeMs }: ObjectEntry, knownMs: number | undefined): boolean {
    const row = this.#pair.manifest.get(key);
    if (row === undefined || row.atMs === knownMs) return false;
    if (row.sourceEtag === etag) return true;
    return this.#options.only === undefined && row.sourceMtimeMs > mtimeMs;
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
