/**
 * The keys of a mirror: one diff, two directions. Each key is decided once, and what was decided is done by the planner of
 * its direction, as a copy or a delete like any other.
 * Tests: test/engine/mirror.test.ts, test/engine/mirror-scenarios.test.ts
 */
import type { ManifestRow } from '../../manifest/port.js';
import { reversedRow } from '../../manifest/reversed.js';
import { toXsyncError, XsyncError } from '../../model/error.js';
import { effectiveMtime, isRewritten, type ObjectEntry, type ObjectInfo } from '../../model/object.js';
import { winnerOf } from '../decide/both-ways.js';
import { type Decision, decide, type MirrorPolicy } from '../decide/decide.js';
import { destState, evidenceOf, sourceState } from '../decide/evidence.js';
import { exclusionOf, isNoObject } from '../decide/exclusion.js';
import { headAtDestination } from '../decide/inspect.js';
import { agreeWhenRead, LocalReader } from '../decide/reading.js';
import { endsRun } from '../flow/halt.js';
import { limiter, Queue } from '../flow/queue.js';
import type { Triple } from '../list/diff.js';
import { beingWritten, faultOf, isChange } from '../plan/fault.js';
import { failedObject } from '../record/recorder.js';
import type { MirrorContext, RunContext } from './context.js';
import type { Deletes } from './deletes.js';
import type { Batch } from './frontier.js';
import { Planner } from './planner.js';

/** The key as the other direction sees it. */
export function reversedTriple({ key, source, dest, row, sourceUnlisted, destUnlisted }: Triple): Triple {
  return {
    key,
    source: dest,
    dest: source,
    row: row && reversedRow(row),
    ...(destUnlisted && { sourceUnlisted: destUnlisted }),
    ...(sourceUnlisted && { destUnlisted: sourceUnlisted }),
  };
}

/** How far a store's clock may be ahead: from there on, services refuse requests. */
const SKEW_MS = 15 * 60_000;

interface Both<T = ObjectInfo> {
  source: T;
  dest: T;
}

type Times = 'sourceMtimeMs' | 'destMtimeMs';

export class MirrorPlanner {
  readonly #context: RunContext;
  readonly #mirror: MirrorContext;
  readonly #policy: MirrorPolicy;
  readonly #there: Planner;
  readonly #back: Planner;
  readonly #deletes: { there?: Deletes; back?: Deletes };
  readonly #inspections: Queue;

  /** @param deletes absent: nothing is deleted */
  constructor(
    context: RunContext,
    mirror: MirrorContext,
    policy: MirrorPolicy,
    deletes: { there?: Deletes; back?: Deletes },
  ) {
    this.#context = context;
    this.#mirror = mirror;
    this.#policy = policy;
    this.#deletes = deletes;
    this.#there = new Planner(context, deletes.there);
    this.#back = new Planner(mirror.back, deletes.back);
    // Of its own: an inspection may wait for a comparison of attributes.
    this.#inspections = new Queue(limiter(context.options.checkers));
  }

  /** As of `Planner`. */
  async take(triple: Triple, batch: Batch): Promise<void> {
    const { key, source, dest, row } = triple;
    // Nothing is known of it on one side: it may have changed there.
    if (triple.sourceUnlisted || triple.destUnlisted) return;
    this.#count(triple);
    if (!source && !dest) {
      if (row && !this.#context.options.dryRun && !this.#there.isSkipped(key)) this.#context.committer.forget(key);
      return;
    }
    batch.count();
    if (this.#there.isDone(triple) || this.#isExcluded(triple)) return;
    if (source?.fault) return this.#failed(this.#there, source, source.fault);
    if (dest?.fault) return this.#failed(this.#back, dest, dest.fault);
    await this.#carryOut(triple, batch, async (work) => this.#inspections.push(work));
  }

  #failed(planner: Planner, object: ObjectEntry, fault: XsyncError): void {
    this.#mirror.census.seen++;
    planner.fail(object, fault, 0);
  }

  fail(source: ObjectEntry, fault: XsyncError, attempts: number): void {
    this.#there.fail(source, fault, attempts);
  }

  reportLeftOut(): void {
    this.#there.reportLeftOut();
  }

  async release(): Promise<void> {
    await this.#inspections.drain();
    await this.#there.release();
    await this.#back.release();
  }

  async drain(): Promise<void> {
    try {
      await this.#inspections.drain();
    } finally {
      await Promise.all([this.#there.drain(), this.#back.drain()]);
    }
  }

  startAgain(): void {
    this.#mirror.census.restart();
    this.#there.startAgain();
    this.#back.startAgain();
  }

  /** For the guards of both directions. */
  #count({ key, source, dest, row }: Triple): void {
    const common = row !== undefined || (source !== undefined && dest !== undefined);
    for (const [census, object] of [
      [this.#context.census, source],
      [this.#mirror.back.census, dest],
    ] as const) {
      if (object) census.see(common, key);
      else census.miss({ known: row !== undefined });
    }
  }

  /** What the filters exclude on one side is left alone on both. */
  #isExcluded({ key, source, dest, row }: Triple): boolean {
    const { pair, options, emit, census } = this.#context;
    const common = row !== undefined || (source !== undefined && dest !== undefined);
    const excluded =
      (source && exclusionOf(pair, options, key, source)) ??
      (dest && exclusionOf(this.#mirror.back.pair, options, key, dest));
    if (!excluded) return false;
    if (source) census.exclude(common);
    if (dest) this.#mirror.back.census.exclude(common);
    this.#mirror.census.seen++;
    emit({ type: 'skip', key, size: (source ?? dest)?.size ?? 0, ...excluded });
    if (excluded.reason === 'unreadable') for (const object of [source, dest]) this.#leaveOut(object);
    return true;
  }

  #leaveOut(object: ObjectEntry | undefined): void {
    if (object && isNoObject(object, this.#context.pair.links)) this.#there.leaveOut(object);
  }

  /** @param inspecting queues an inspection */
  async #carryOut(
    triple: Triple,
    batch: Batch,
    inspecting: (work: () => Promise<void>) => Promise<void>,
  ): Promise<void> {
    if (this.#isOfCopy(triple)) {
      if (!this.#context.options.dryRun) this.#context.pair.manifest.forget([triple.key]);
      return this.#carryOut({ ...triple, row: undefined }, batch, inspecting);
    }
    const { source, dest, row } = triple;
    const decision = decide(this.#policy, sourceState(triple), destState(triple, true), evidenceOf(triple));
    if (decision.action === 'delete') return this.#doom(triple, decision);
    if (decision.action === 'none') {
      // Of a key that was looked at again, and is gone from both sides.
      if (row && !source && !dest && !this.#context.options.dryRun) this.#context.committer.forget(triple.key);
      return;
    }
    if (decision.action === 'inspect') {
      const done = batch.hold(triple.key);
      return inspecting(() => this.#inspect(triple, batch).finally(done));
    }
    this.#mirror.census.seen++;
    const size = (source ?? dest)?.size ?? 0;
    batch.add(size);
    if (decision.action === 'copy' && decision.direction) {
      return this.#back.carryOut(reversedTriple(triple), decision, batch);
    }
    if (decision.action === 'skip' && decision.reason === 'unchanged') return this.#same(triple, decision, batch);
    return this.#there.carryOut(triple, decision, batch);
  }

  /**
   * Only a copy has written the row, and it leaves on one side what is deleted on the other: nobody has deleted it since.
   * Where a mirror has compared both sides, it knows the times of both.
   */
  #isOfCopy({ source, dest, row }: Triple): boolean {
    if (!row || (source && dest)) return false;
    const isSeen = row.sourceMtimeMs > 0 && row.destMtimeMs !== undefined;
    return !isSeen && row.atMs < (this.#context.pair.reverse?.sinceMs ?? 0);
  }

  /** The bytes are the same. Attributes cross from the side on which the object has another time than before. */
  async #same(triple: Triple, decision: Decision, batch: Batch): Promise<void> {
    const { source, dest, row: known } = triple;
    if (!source || !dest || !known) return;
    const row = { ...known, ...timesOf(known, { source, dest }) };
    const here = isRewritten(source.mtimeMs, row.sourceMtimeMs);
    const there = isRewritten(dest.mtimeMs, row.destMtimeMs);
    const isSure = known.destMtimeMs !== undefined && known.sourceMtimeMs === 0;
    const isBack = there && (!here || isSure);
    const now = isBack ? reversedTriple({ ...triple, row }) : { ...triple, row };
    const isNew = row.sourceMtimeMs !== known.sourceMtimeMs || row.destMtimeMs !== known.destMtimeMs;
    const { committer } = isBack ? this.#mirror.back : this.#context;
    if (isNew && now.row && !this.#context.options.dryRun) committer.add(now.row);
    return (isBack ? this.#back : this.#there).carryOut(now, decision, batch);
  }

  #doom(triple: Triple, { reason, direction }: Extract<Decision, { action: 'delete' }>): void {
    if (direction) this.#deletes.back?.doom(reversedTriple(triple), reason);
    else this.#deletes.there?.doom(triple, reason);
  }

  /** Asks both sides what they have now. Never rejects. */
  async #inspect(triple: Triple, batch: Batch): Promise<void> {
    const { halt } = this.#context;
    const { key } = triple;
    if (halt.stops('objects')) return;
    try {
      const { source, dest, row } = await this.#lookAt(triple);
      const now = { ...triple, row, source: source && { ...source, key }, dest: dest && { ...dest, key } };
      const states = [sourceState(now), destState(now, true)];
      // Another run, or a person, has been here since the listings.
      if (!source || !dest || states.includes('same')) {
        return await this.#carryOut(now, batch, async () => undefined);
      }
      const both = { source, dest };
      const by = await this.#equalBy(both);
      this.#mirror.census.seen++;
      batch.add(source.size);
      if (by) return await this.#there.carryOut(now, { action: 'skip', reason: by }, batch);
      await this.#settle(now, both, batch);
    } catch (error) {
      if (halt.signal.aborted) return;
      const fault = toXsyncError(error);
      if (endsRun(fault)) halt.fail(fault);
      else if (triple.source) {
        this.#mirror.census.seen++;
        this.#there.fail(triple.source, isChange(fault) ? beingWritten(fault) : fault, 1);
      }
    }
  }

  /** What both sides have now, and the row of that; while no other run of this process works on the key. */
  #lookAt({ key, row }: Triple): Promise<Partial<Both> & Pick<Triple, 'row'>> {
    const { pair, halt, claims } = this.#context;
    const look = async (known: Triple['row']) => {
      const [source, dest] = await Promise.all([
        headAtDestination(pair.source.store, pair.source.prefix + key, halt.signal),
        headAtDestination(pair.dest.store, pair.dest.prefix + key, halt.signal),
      ]);
      return { source, dest, row: known };
    };
    if (!claims) return look(row);
    return claims.hold(key, () => {
      claims.flush();
      return look(pair.manifest.get(key));
    });
  }

  /** How both sides were found equal. Reads both if nothing else tells. */
  async #equalBy({ source, dest }: Both): Promise<'same-checksum' | 'same-time' | undefined> {
    if (source.size !== dest.size) return undefined;
    const { pair, budget, halt } = this.#context;
    const context = { source: pair.source.store, dest: pair.dest.store, budget, signal: halt.signal };
    const same = await new LocalReader(context).agree({ source, dest });
    if (typeof same === 'boolean') return same ? 'same-checksum' : undefined;
    if (isCopy(source, dest) || isCopy(dest, source)) return 'same-time';
    return (await agreeWhenRead(context, { source, dest })) ? 'same-checksum' : undefined;
  }

  async #settle(triple: Triple, both: Both, batch: Batch): Promise<void> {
    const { key } = triple;
    const settlement = winnerOf(this.#policy.conflict, both);
    this.#mirror.conflicts.found(key, both, settlement);
    if (!settlement) {
      const fault = new XsyncError('guard', 'has changed on both sides, and --conflict fail leaves both as they are', {
        class: 'person',
        remedy: 'Make both sides equal, or choose another --conflict.',
      });
      this.#context.recorder.undecided(failedObject({ ...both.source, key }), faultOf(fault));
      return;
    }
    const reason = settlement.keepsLoser ? 'conflict' : 'conflict-overwrites';
    const decision = { action: 'copy', reason } as const;
    if (settlement.winner === 'source') await this.#there.carryOut(triple, decision, batch);
    else await this.#back.carryOut(reversedTriple(triple), decision, batch);
  }
}

/**
 * The answer to a write does not tell the object's time. Unless the object is clearly newer than the row, it is the one
 * that was written then.
 */
function timesOf(row: ManifestRow, { source, dest }: Both<ObjectEntry>): Required<Pick<ManifestRow, Times>> {
  const { atMs, sourceMtimeMs, destMtimeMs = 0 } = row;
  const written = ({ mtimeMs }: ObjectEntry): number => (mtimeMs > atMs + SKEW_MS ? atMs : mtimeMs);
  return { sourceMtimeMs: sourceMtimeMs || written(source), destMtimeMs: destMtimeMs || written(dest) };
}

/** The time that `copy` carries in its metadata is the one at which `original` was written. */
function isCopy(copy: ObjectInfo, original: ObjectInfo): boolean {
  const carried = effectiveMtime(copy);
  return carried !== copy.mtimeMs && carried === effectiveMtime(original);
}
