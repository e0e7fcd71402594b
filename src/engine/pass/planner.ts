/**
 * From the diff to a decision: decides each key, inspects it where needed, and hands it on or records the result.
 * Tests: test/engine/record/summary.test.ts
 */
import { toXsyncError, XsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import type { ObjectEntry } from '../../model/object.js';
import { type Decision, type DestState, decide, type SkipReason } from '../decide/decide.js';
import { destState, evidenceOf, sourceState } from '../decide/evidence.js';
import { exclusionOf, isNoObject } from '../decide/exclusion.js';
import { inspect } from '../decide/inspect.js';
import { endsRun } from '../flow/halt.js';
import { Queue } from '../flow/queue.js';
import type { Triple } from '../list/diff.js';
import { withLatest } from '../list/inventory.js';
import { writesUnseen } from '../options.js';
import { isBackup } from '../plan/backup.js';
import { beingWritten, isChange } from '../plan/fault.js';
import { adoptedRow } from '../record/adopted.js';
import { arrivedMs } from '../record/arrived.js';
import { heldBack } from '../record/failed.js';
import { LeftOut } from '../record/left-out.js';
import { failedObject } from '../record/recorder.js';
import { isArchivedRow, waits } from './archives.js';
import { isConflict } from './conflicts.js';
import type { RunContext } from './context.js';
import { Copies, recordFailure } from './copies.js';
import type { Deletes } from './deletes.js';
import type { Batch } from './frontier.js';
import { isRecorded, known } from './known.js';
import { mayBeUnfinished, mayDiffer, refresh } from './refresh.js';

type Decided = Extract<Decision, { action: 'copy' | 'skip' | 'fail' }>;

/** An object that was found equal: why, and how far apart the times of both sides are, if they were compared. */
interface Equal {
  reason: SkipReason;
  batch: Batch;
  apartMs?: number;
}

export class Planner {
  readonly #context: RunContext;
  readonly #checkers: Queue;
  /** Absent: nothing is deleted. */
  readonly #deletes: Deletes | undefined;
  readonly #copies: Copies;
  /** The failed list is not empty. */
  readonly #failures: boolean;
  /** A side is on local disk. */
  readonly #onDisk: boolean;
  #again = false;
  #leftOut = new LeftOut();

  constructor(context: RunContext, deletes?: Deletes) {
    this.#context = context;
    this.#checkers = new Queue(context.limitInspections);
    this.#deletes = deletes;
    this.#failures = context.pair.manifest.failureCount() > 0;
    const { source, dest } = context.pair;
    this.#onDisk = source.store.capabilities.local || dest.store.capabilities.local;
    this.#copies = new Copies(context, { onDisk: this.#onDisk });
  }

  /**
   * Decides the key; its work belongs to `batch`. Most keys need nothing, and each promise would be one a key.
   * @returns a promise to wait for if a queue is full
   */
  take(listed: Triple, batch: Batch): Promise<void> | undefined {
    const triple = withLatest(listed, this.#context.pair);
    const { source } = triple;
    if (triple.sourceUnlisted) return undefined;
    this.#count(triple);
    if (source) this.#context.tagged?.pass(triple.key);
    if (!source) {
      this.#gone(triple);
      return undefined;
    }
    batch.count();
    if (this.isDone(triple)) return undefined;
    return this.#isExcluded(triple, source) ? undefined : this.#takeIncluded(triple, source, batch);
  }

  #isExcluded(triple: Triple, source: ObjectEntry): boolean {
    const { key } = triple;
    const excluded = exclusionOf(this.#context.pair, this.#context.options, key, source);
    if (!excluded) return false;
    this.#context.census.exclude(isCommon(triple));
    this.#context.emit({ type: 'skip', key, size: source.size, ...excluded });
    if (excluded.reason === 'unreadable' && isNoObject(source, this.#context.pair.links)) this.leaveOut(source);
    if (excluded.reason === 'filtered' && this.#context.options.deletes?.excluded)
      this.#gone({ ...triple, source: undefined });
    return true;
  }

  #takeIncluded(triple: Triple, source: ObjectEntry, batch: Batch): Promise<void> | undefined {
    batch.add(source.size);
    if (source.fault) {
      this.fail(source, source.fault, 0);
      return undefined;
    }
    const decision = this.#decide(triple);
    if (!this.#context.pair.dest.inventory || decision.action === 'skip') return this.carryOut(triple, decision, batch);
    // An inventory is no reason to write: the destination is asked.
    const asked = { ...triple, dest: undefined, destUnlisted: true as const };
    return this.carryOut(asked, this.#decide(asked), batch);
  }

  /**
   * Does what was decided about an object of the source.
   * @returns a promise to wait for if a queue is full
   */
  carryOut(triple: Triple, decision: Decision, batch: Batch): Promise<void> | undefined {
    const { source } = triple;
    if (!source || !isWork(decision)) return undefined;
    const { tagged } = this.#context;
    const asksTags = tagged?.concerns(decision.action) === true;
    const exclusion = asksTags ? tagged?.remembered(source)?.exclusion : undefined;
    if (exclusion !== undefined) return this.#leaveOutByTags(triple, source, exclusion);
    const work = decision.action === 'copy' || decision.action === 'inspect';
    if (work && (this.#held(triple.key, source) || this.#isSettling(triple.key, source))) return undefined;
    if (decision.action === 'inspect')
      return this.#check(source.key, batch, () => this.#inspect(triple, decision, batch));
    const asks =
      asksTags ||
      (decision.action === 'skip' && this.#mayDiffer(triple, decision.reason)) ||
      (decision.action === 'copy' && this.#copies.looksElsewhere);
    return asks
      ? this.#check(source.key, batch, async () => this.#act(triple, decision, batch))
      : this.#act(triple, decision, batch);
  }

  /** Queues what takes a request. */
  #check(key: string, batch: Batch, task: () => Promise<void>): Promise<void> | undefined {
    const done = batch.hold(key);
    return this.#checkers.push(() => task().finally(done));
  }

  /** Only finds keys to delete, and objects that keep the run from deleting them. */
  takeDoomed(listed: Triple): void {
    const triple = withLatest(listed, this.#context.pair);
    const { key, source } = triple;
    if (triple.sourceUnlisted) return;
    this.#count(triple);
    const verdict = source && exclusionOf(this.#context.pair, this.#context.options, key, source);
    if (verdict) this.#context.census.exclude(isCommon(triple));
    else if (source?.fault) this.#context.census.fail();
    else if (source && this.#failedBefore(triple)) this.#context.census.hold();
    if (!source || (verdict?.reason === 'filtered' && this.#context.options.deletes?.excluded)) {
      this.#gone({ ...triple, source: undefined }, false);
    }
  }

  #count(triple: Triple): void {
    const { census, options } = this.#context;
    // One that has come since the filter was shown all keys.
    if (triple.source) options.filter?.hidden?.see(triple.key);
    if (triple.source) census.see(isCommon(triple), triple.key);
    else census.miss({ known: triple.row !== undefined });
  }

  /**
   * An earlier run could not copy the object, and it is still not at the destination as it should be. Whether or not it
   * is due for a retry, deleting before it is copied might leave the destination without either.
   */
  #failedBefore(triple: Triple): boolean {
    const failure = this.#failures ? this.#context.pair.manifest.failure(triple.key) : undefined;
    if (!failure || failure.dropped || isArchivedRow(failure) || isConflict(this.#context.pair.dest, failure))
      return false;
    const { action } = this.#decide(triple);
    return action === 'copy' || action === 'inspect';
  }

  #decide(triple: Triple): Decision {
    const { policy } = this.#context.options;
    return decide(policy, sourceState(triple), this.#destState(triple), evidenceOf(triple, this.#onDisk));
  }

  #destState(triple: Triple): DestState {
    if (triple.destUnlisted) return 'unlisted';
    return destState(triple, !this.#context.options.noTraverse);
  }

  /**
   * The source does not have the key.
   * @param reportKept false if the same keys are listed again later
   */
  #gone(triple: Triple, reportKept = true): void {
    const { key, row, dest } = triple;
    const { noTraverse, dryRun, policy } = this.#context.options;
    if (row && !dest && !noTraverse) {
      // Gone from both sides: forget it, unless neither side looked.
      if (!dryRun && !triple.destUnlisted && !this.isSkipped(key)) this.#context.committer.forget(key);
      return;
    }
    const decision = decide(policy, 'absent', this.#destState(triple), evidenceOf(triple));
    if (decision.action !== 'delete' && decision.action !== 'keep') return;
    // Without a listing the filter's input comes from the manifest.
    const there = dest ?? (row && { key, size: row.size, etag: row.destEtag, mtimeMs: row.sourceMtimeMs });
    if (!there || !this.#deletes || isNoObject(there, this.#context.pair.links)) return;
    const { deletes } = this.#context.options;
    if (!deletes?.excluded && exclusionOf(this.#context.pair, this.#context.options, key, there)) return;
    const aside = decision.reason === 'unknown' && isBackup(this.#context.pair, key);
    if (decision.action === 'delete' && !aside) this.#deletes.doom(triple, decision.reason);
    else if (reportKept) {
      const reason = decision.action === 'keep' ? decision.reason : 'unknown';
      this.#context.emit({ type: 'keep', key, size: there.size, reason });
    }
  }

  /** The filter excludes the folder of the key, so that it need not be listed. */
  isSkipped(key: string): boolean {
    return this.#context.options.filter?.mayContain(key.slice(0, key.lastIndexOf('/') + 1)) === false;
  }

  /** Skips an object that was rewritten very recently (--settle). */
  #isSettling(key: string, { size, etag, mtimeMs }: ObjectEntry): boolean {
    const { options, pair, pass } = this.#context;
    if (!options.settling?.waits(key, mtimeMs, Date.now())) return false;
    const arrived = arrivedMs(pair.manifest, failedObject({ key, size, etag, mtimeMs }), Date.now());
    pass.unsettledMs = Math.min(pass.unsettledMs ?? arrived, arrived);
    this.#context.emit({ type: 'skip', key, size, reason: 'settling', sourceMtimeMs: mtimeMs });
    if (this.#failures && !options.dryRun) pair.manifest.seeFailure(key, Date.now());
    return true;
  }

  /** Skips an object that failed before and is not due for a retry. */
  #held(key: string, source: ObjectEntry): boolean {
    if (!this.#failures || this.#context.options.failedBefore === 'try') return false;
    const { manifest, settings } = this.#context.pair;
    const failure = manifest.failure(key);
    const timeMs = Date.now();
    if (failure && isArchivedRow(failure)) return waits(this.#context, source, failure);
    const held = failure && heldBack(failure, { sourceEtag: source.etag, settings, timeMs });
    if (!failure || !held) return false;
    // What is in the way may be gone, which changes neither the source nor the settings.
    if (!failure.dropped && isConflict(this.#context.pair.dest, failure)) return false;
    if (!this.#context.options.dryRun) manifest.seeFailure(key, timeMs);
    if (held.why !== 'dropped') this.#context.census.hold();
    this.#context.emit({ type: 'held', key, size: source.size, class: failure.class, code: failure.code, ...held });
    return true;
  }

  /** Something that is not a file. */
  leaveOut(object: ObjectEntry): void {
    this.#leftOut.add(object);
  }

  /** Warns of what was left out, after all keys have been taken. */
  reportLeftOut(): void {
    const { links, dest } = this.#context.pair;
    if (links === 'skip') this.#leftOut.ignoreLinks();
    for (const message of this.#leftOut.messages(dest.store.capabilities.links !== undefined))
      this.#context.emit({ type: 'notice', level: 'warn', message });
  }

  /** Starts the copies that were held until every key was taken. */
  async release(): Promise<void> {
    if (!this.#copies.holdsBack) return;
    await this.#checkers.drain();
    await this.#copies.release();
  }

  /** Waits for the work of all keys taken. */
  async drain(): Promise<void> {
    try {
      await this.#checkers.drain();
    } finally {
      await this.#copies.drain();
    }
  }

  /** The same keys are listed again, sorted; those already copied are left out. */
  startAgain(): void {
    this.#again = true;
    this.#copies.startAgain();
    this.#context.tagged?.startAgain();
    this.#leftOut = new LeftOut();
  }

  /** The same keys are listed again, and this one was copied the first time. */
  isDone({ source, dest, row }: Triple): boolean {
    if (!this.#again || !row?.ours || row.atMs < this.#context.startedMs) return false;
    if (!sameEtag(source?.etag, row.sourceEtag)) return false;
    return this.#context.options.noTraverse || sameEtag(dest?.etag, row.destEtag);
  }

  async #inspect(triple: Triple, decision: Extract<Decision, { action: 'inspect' }>, batch: Batch): Promise<void> {
    const { pair, options, halt, budget } = this.#context;
    const { source, dest } = pair;
    const { key } = triple;
    if (!triple.source || halt.stops('objects')) return;
    const stores = { source: source.store, dest: dest.store };
    try {
      // The destination's copy of a failed object may be damaged although its size and time match.
      const doubted = this.#failures && pair.manifest.failure(key) !== undefined;
      const keys = { key, sourceKey: source.prefix + key, destKey: dest.prefix + key };
      // --update must know the time of what it overwrites.
      const unseen = writesUnseen(options) || (triple.dest !== undefined && !options.policy.update);
      const how = { ...stores, budget, policy: options.policy, signal: halt.signal, unseen };
      const inspected = await inspect(
        how,
        { ...keys, doubted, link: triple.source.special === 'symlink', ...known(triple, keys, pair) },
        decision,
      );
      await this.#act({ ...triple, dest: inspected.dest ?? triple.dest }, inspected.verdict, batch, inspected.apartMs);
    } catch (error) {
      this.#caught(triple.source, error);
    }
  }

  /** What a request about the object threw. */
  #caught(source: ObjectEntry, error: unknown): void {
    const { halt } = this.#context;
    if (halt.signal.aborted) return;
    const fault = toXsyncError(error);
    if (endsRun(fault)) halt.fail(fault);
    else this.#fail(source, isChange(fault) ? beingWritten(fault) : fault, 1);
  }

  /** Something that cannot be copied as it is. Like any failed object it is reported once, and then held back. */
  fail(source: ObjectEntry, fault: XsyncError, attempts: number): void {
    if (!this.#held(source.key, source)) this.#fail(source, fault, attempts);
  }

  /**
   * @param apartMs how far apart the times of both sides are, if they were compared
   * @returns a promise to wait for if there is something to wait for
   */
  #act(triple: Triple, decision: Decided, batch: Batch, apartMs?: number): Promise<void> | undefined {
    if (!this.#context.tagged?.concerns(decision.action)) return this.#carryOn(triple, decision, batch, apartMs);
    return this.#actByTags(triple, () => this.#carryOn(triple, decision, batch, apartMs));
  }

  /** Goes on with the object, unless its tags leave it out. */
  async #actByTags(triple: Triple, goOn: () => Promise<void> | undefined): Promise<void> {
    const { tagged, halt } = this.#context;
    const { source } = triple;
    if (!source || halt.stops('objects')) return;
    try {
      const exclusion = await tagged?.exclusionOf(source);
      if (exclusion === undefined) await goOn();
      else this.#leaveOutByTags(triple, source, exclusion);
    } catch (error) {
      this.#caught(source, error);
    }
  }

  #leaveOutByTags(triple: Triple, { key, size }: ObjectEntry, detail: string): undefined {
    this.#context.census.exclude(isCommon(triple));
    this.#context.emit({ type: 'skip', key, size, reason: 'filtered', detail });
    if (this.#context.options.deletes?.excluded) this.#gone({ ...triple, source: undefined });
  }

  #carryOn(triple: Triple, decision: Decided, batch: Batch, apartMs?: number): Promise<void> | undefined {
    const { source } = triple;
    if (!source) return undefined;
    if (decision.action === 'copy') return this.#copies.add(triple, decision.reason, batch);
    if (decision.action === 'skip') return this.#skip(triple, source, { reason: decision.reason, batch, apartMs });
    const message = 'differs at the destination, and --immutable forbids overwriting it';
    this.#fail(source, new XsyncError('guard', message, { class: 'permanent' }), 0);
    return undefined;
  }

  #skip(triple: Triple, source: ObjectEntry, equal: Equal): Promise<void> | undefined {
    const { moves, intents } = this.#context;
    const { reason, batch } = equal;
    // An earlier run was killed while it wrote the object: a copy proves what a comparison cannot.
    const again = moves?.isGuess(reason) && intents.unfinished(triple.key) !== undefined;
    if (again) return this.#copies.add(triple, 'failed-before', batch);
    const { dest } = triple;
    if (dest && this.#mayDiffer(triple, reason)) return this.#refreshed(triple, { source, dest }, equal);
    return this.#settle(triple, source, equal, dest?.etag);
  }

  async #refreshed(triple: Triple, sides: { source: ObjectEntry; dest: ObjectEntry }, equal: Equal): Promise<void> {
    const refreshed = await this.#refresh(triple, sides);
    if (refreshed === 'failed') return;
    const write = (): Promise<void> | undefined => this.#copies.add(triple, 'attributes-differ', equal.batch);
    if (refreshed === 'needs-copy') await (this.#context.tagged ? this.#actByTags(triple, write) : write());
    else await this.#settle(triple, sides.source, equal, refreshed.destEtag);
  }

  #settle(
    triple: Triple,
    source: ObjectEntry,
    { reason, apartMs }: Equal,
    destEtag: string | undefined,
  ): Promise<void> | undefined {
    const { key, row } = triple;
    this.#context.emit({ type: 'skip', key, size: source.size, reason });
    this.#adopt(triple, reason, { apartMs, destEtag });
    return this.#context.moves?.skipped(source, reason, destEtag ?? row?.destEtag);
  }

  #mayDiffer(triple: Triple, reason: SkipReason): boolean {
    return mayDiffer(this.#context, triple, reason, this.#mayBeUnfinished(triple.key));
  }

  #mayBeUnfinished(key: string): boolean {
    return mayBeUnfinished(this.#context, key, this.#failures);
  }

  /** Never rejects. */
  async #refresh(
    triple: Triple,
    sides: { source: ObjectEntry; dest: ObjectEntry },
  ): Promise<{ destEtag: string } | 'needs-copy' | 'failed'> {
    const { halt } = this.#context;
    const { source, dest } = sides;
    try {
      if (halt.stops('objects')) return { destEtag: dest.etag };
      return await refresh(this.#context, triple, sides, this.#mayBeUnfinished(triple.key));
    } catch (error) {
      this.#caught(source, error);
      return 'failed';
    }
  }

  #fail(source: ObjectEntry, fault: XsyncError, attempts: number): void {
    recordFailure(this.#context, source, fault, attempts);
  }

  /**
   * Records an object that was found equal, so that the next run need not inspect it.
   * @param destEtag of the destination's object, which may have been written again with other attributes
   */
  #adopt(triple: Triple, reason: SkipReason, { apartMs, destEtag }: { apartMs?: number; destEtag?: string }): void {
    if (this.#context.options.dryRun) return;
    if (isRecorded(triple, reason)) return;
    const row = adoptedRow(triple, reason, apartMs);
    const etag = destEtag ?? row?.destEtag;
    const isKnown = this.#context.options.policy.mode === 'mirror' && etag === row?.destEtag;
    this.#context.recorder.adopt(
      row && { ...row, destEtag: etag ?? row.destEtag, ...(isKnown && { destMtimeMs: triple.dest?.mtimeMs }) },
    );
  }
}

/** Something is done about an object of the source. */
function isWork(decision: Decision): decision is Extract<Decision, { action: 'copy' | 'skip' | 'fail' | 'inspect' }> {
  return ['copy', 'skip', 'fail', 'inspect'].includes(decision.action);
}

/** The source has the key, and it is also at the destination or in the manifest. */
function isCommon({ dest, row }: Triple): boolean {
  return dest !== undefined || row !== undefined;
}
