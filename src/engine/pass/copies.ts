/**
 * From a decision to the queue: what is copied, from where, and when; what cannot be copied; and what another run has
 * already done.
 * Tests: test/engine/pass/elsewhere.test.ts, test/engine/pass/impossible.test.ts
 */
import type { ManifestRow } from '../../manifest/port.js';
import { compositeEtag } from '../../model/checksum.js';
import { toXsyncError, XsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import type { ObjectEntry } from '../../model/object.js';
import type { BackupTarget } from '../../model/ticket.js';
import type { CopyReason } from '../decide/decide.js';
import type { Elsewhere } from '../decide/elsewhere.js';
import { isProvenEqual } from '../decide/evidence.js';
import { endsRun } from '../flow/halt.js';
import { limiter, Queue } from '../flow/queue.js';
import type { Triple } from '../list/diff.js';
import type { RunOptions } from '../options.js';
import { backupTarget, keptTarget } from '../plan/backup.js';
import { faultOf } from '../plan/fault.js';
import { finalTicket } from '../plan/final.js';
import { planCopy, type Subject } from '../plan/plan.js';
import { failedObject, twinOf } from '../record/recorder.js';
import { isUnreadable, leaveArchived } from './archives.js';
import { Backlog, type Planned } from './backlog.js';
import type { RunContext } from './context.js';
import { copyObject } from './copy.js';
import type { Batch } from './frontier.js';
import { References } from './references.js';
import { Renames } from './renames.js';

/** Lists the object as failed. */
export function recordFailure(context: RunContext, source: ObjectEntry, fault: XsyncError, attempts: number): void {
  context.recorder.failed(failedObject(source), faultOf(fault), attempts);
}

/** What is to be queued. */
interface Ready {
  planned: Planned;
  source: ObjectEntry;
  subject: Subject;
}

export class Copies {
  readonly #context: RunContext;
  /** Absent: objects are copied from the source alone. */
  readonly #references: References | undefined;
  /** Absent: the bytes of renamed objects are sent. */
  readonly #renames: Renames | undefined;
  /** Absent: objects are copied as soon as they are decided. */
  readonly #backlog: Backlog | undefined;
  /** Archived objects that are being left out. */
  readonly #left: Queue;
  /** A side is on local disk. */
  readonly #onDisk: boolean;
  /** Bytes planned, for --max-transfer. */
  #started = 0;
  /** Bytes copied. */
  #copied = 0;

  constructor(context: RunContext, { onDisk }: { onDisk: boolean }) {
    this.#context = context;
    this.#references = References.of(context);
    this.#renames = Renames.of(context);
    this.#backlog = Backlog.of(context.pair.manifest, context.options);
    this.#onDisk = onDisk;
    // Of its own: an inspection may wait for room in it.
    this.#left = new Queue(limiter(context.options.checkers));
  }

  /** Other places are looked at, which takes a request for each object, or objects of the source are read. */
  get looksElsewhere(): boolean {
    return this.#references !== undefined || this.#renames?.reads === true;
  }

  /** Nothing is copied before every key was taken. */
  get holdsBack(): boolean {
    return this.#backlog !== undefined;
  }

  /** Starts the copies that were held until every key was taken. */
  async release(): Promise<void> {
    for (const planned of this.#backlog?.take() ?? []) {
      if (this.#context.halt.stops('plans')) return;
      await this.#start(planned);
    }
  }

  /** Drops what is held, and waits for the copies in the queue. */
  async drain(): Promise<void> {
    this.#backlog?.clear();
    await this.#left.drain();
    await this.#context.executor.drain();
  }

  /** The same keys are listed again. */
  startAgain(): void {
    this.#backlog?.clear();
    this.#started = this.#copied;
  }

  /**
   * Queues the copy, or holds it back. Looks first whether another place has the object.
   * @returns a promise to wait for if there is something to wait for
   */
  add(triple: Triple, reason: CopyReason, batch: Batch): Promise<void> | undefined {
    const { source } = triple;
    if (!source || source.special === 'symlink') return this.#copy({ triple, reason }, batch);
    const twin = this.looksElsewhere ? undefined : this.#renames?.find(source, reason);
    if (this.looksElsewhere || twin instanceof Promise) return this.#addFrom(source, { triple, reason }, batch);
    return this.#copy({ triple, reason, twin }, batch);
  }

  async #addFrom(source: ObjectEntry, { triple, reason }: Planned, batch: Batch): Promise<void> {
    const { halt, emit } = this.#context;
    const { key } = source;
    if (halt.stops('plans')) return;
    try {
      const from = await this.#references?.find(source);
      const twin = from ? undefined : await this.#renames?.find(source, reason);
      if (!from || this.#references?.copies) return await this.#copy({ triple, reason, from, twin }, batch);
      emit({ type: 'skip', key, size: source.size, reason: 'in-compare-dest' });
    } catch (error) {
      if (halt.signal.aborted) return;
      const fault = toXsyncError(error);
      if (endsRun(fault)) halt.fail(fault);
      else recordFailure(this.#context, source, fault, 1);
    }
  }

  #copy(planned: Planned, batch: Batch): Promise<void> | undefined {
    if (!this.#backlog) return this.#start(planned, batch);
    this.#backlog.add(planned);
    return undefined;
  }

  /**
   * @param batch absent for an object that was held
   * @returns a promise to wait for if the queue is full, or somebody is asked
   */
  #start(planned: Planned, batch?: Batch): Promise<void> | undefined {
    const { triple, reason, from, twin } = planned;
    const { key, source } = triple;
    if (!source) return undefined;
    const { emit, options } = this.#context;
    const { size } = source;
    const subject = this.#subjectOf(triple, source, reason, twin);
    const fault = this.#impossible(subject);
    // Do not read what cannot be written; a dry run reports this too.
    if (fault) recordFailure(this.#context, source, fault, 0);
    else if (!from && isUnreadable(source)) return this.#leave(source, batch);
    else if (!this.#withinMaxTransfer(twin ? 0 : size)) emit({ type: 'skip', key, size, reason: 'cutoff' });
    else if (!this.#withinMaxCost(subject)) emit({ type: 'skip', key, size, reason: 'cutoff' });
    else if (options.dryRun) return this.#foretell(subject, reason, from);
    else if (options.confirm) return this.#ask(options.confirm, { planned, source, subject }, batch);
    else return this.#queue({ planned, source, subject }, batch);
    return undefined;
  }

  async #ask(confirm: NonNullable<RunOptions['confirm']>, ready: Ready, batch?: Batch): Promise<void> {
    const { key, size, replaces } = ready.subject;
    if (await confirm(replaces === undefined ? 'copy' : 'overwrite', key, size)) await this.#queue(ready, batch);
    else this.#context.emit({ type: 'skip', key, size, reason: 'declined' });
  }

  #queue({ planned, source, subject }: Ready, batch?: Batch): Promise<void> | undefined {
    const { emit, executor, route, claims, intents } = this.#context;
    const { triple, reason, from } = planned;
    const { key, size, mtimeMs: sourceMtimeMs } = source;
    emit({ type: 'plan', key, size, reason, sourceMtimeMs });
    // Another run of this process may copy it meanwhile, and then no write of this one begins.
    if (!claims) intents.foresee(key, subject.replaces);
    const done = batch?.hold(key);
    const byService = from ? this.#references?.byService(from) === true : subject.twin !== undefined || route.byService;
    return executor.queue({ size, byService }, (fromSource) =>
      this.#claimed(source, triple.row, async () => {
        const perform = (from && this.#references?.performing(from, fromSource)) ?? fromSource;
        if (await copyObject(this.#context, this.#asKnown(subject, triple.row), perform)) this.#copied += size;
      }).finally(done),
    );
  }

  async #leave(source: ObjectEntry, batch?: Batch): Promise<void> {
    const done = batch?.hold(source.key);
    await this.#left.push(() => leaveArchived(this.#context, source).finally(done));
  }

  /** Dry run: reports the ticket that would be performed. */
  async #foretell(subject: Subject, reason: CopyReason, from?: Elsewhere): Promise<void> {
    const { planning, route, pair, forecast, moves, emit } = this.#context;
    const found = await finalTicket(planning, route, subject);
    const own = 'kind' in found ? planCopy(route, subject) : found;
    const ticket = (from && this.#references?.ticketOf(from, own)) ?? own;
    const { key, size, mtimeMs: sourceMtimeMs } = subject;
    forecast.add(ticket, pair.dest.store.capabilities.attributes);
    emit({ type: 'plan', key, size, reason, parts: ticket.cut.parts, sourceMtimeMs, ...twinOf(key, ticket.dest) });
    moves?.planned(subject);
  }

  /** ETag of the destination's object, if known. */
  #etagThere({ dest, row }: Triple): string | undefined {
    return dest?.etag ?? (this.#context.options.noTraverse ? row?.destEtag : undefined);
  }

  #subjectOf(triple: Triple, source: ObjectEntry, reason: CopyReason, twin: Subject['twin']): Subject {
    const { pair, options } = this.#context;
    const { key, etag, versionId, size, mtimeMs, checksums, special, followed } = source;
    const replaces = this.#etagThere(triple);
    return {
      key,
      etag,
      versionId: pair.source.atMs === undefined && !pair.source.namesVersions ? undefined : versionId,
      size,
      mtimeMs,
      link: followed ? 'follow' : special === 'symlink' ? 'keep' : undefined,
      md5ofParts: compositeEtag(checksums ?? {}),
      sourceKey: pair.source.prefix + key,
      destKey: pair.dest.prefix + key,
      replaces,
      twin,
      expects: triple.dest || !options.noTraverse ? (replaces ?? '') : undefined,
      ...(options.policy.mode === 'mirror' && { firm: true }),
      backup: reason === 'conflict' ? keptTarget(this.#context, key) : this.#backupOf(triple, replaces),
    };
  }

  #backupOf(triple: Triple, replaces: string | undefined): BackupTarget | undefined {
    // What is written again unchanged must not replace the backup of an older version.
    const needless = replaces === undefined || (!this.#onDisk && isProvenEqual(triple));
    return needless ? undefined : backupTarget(this.#context, triple.key);
  }

  /** Another run of this process may have overwritten the object since the listing. */
  #asKnown(subject: Subject, row: ManifestRow | undefined): Subject {
    const { claims, pair } = this.#context;
    if (claims === undefined || subject.firm || pair.manifest.get(subject.key)?.atMs === row?.atMs) return subject;
    return { ...subject, expects: undefined };
  }

  /** Why the destination cannot hold the object, if it cannot. */
  #impossible({ destKey, size }: Subject): XsyncError | undefined {
    const { store } = this.#context.pair.dest;
    const { maxObjectSize } = store.capabilities;
    if (size > maxObjectSize) {
      const message = `${size} bytes exceed the destination's limit of ${maxObjectSize} bytes per object`;
      return new XsyncError('object-too-large', message, { subject: destKey });
    }
    try {
      store.checkKey(destKey);
      return undefined;
    } catch (error) {
      return toXsyncError(error);
    }
  }

  /**
   * Runs the work while no other run of this process works on the key, unless one of them has already done it.
   * @param known the manifest's row that the decision was based on
   */
  async #claimed(source: ObjectEntry, known: ManifestRow | undefined, work: () => Promise<void>): Promise<void> {
    const { committer, emit, claims } = this.#context;
    if (!claims) return work();
    return claims.hold(source.key, async () => {
      claims.flush(committer);
      if (!this.#doneMeanwhile(source, known)) return work();
      emit({ type: 'skip', key: source.key, size: source.size, reason: 'unchanged' });
    });
  }

  /**
   * Another run of this process has copied the object since the decision: the same version, or one newer than this pass
   * has listed. An older version, whose copy had started before, does not count.
   */
  #doneMeanwhile({ key, etag, mtimeMs }: ObjectEntry, known: ManifestRow | undefined): boolean {
    const { pair, options, startedMs } = this.#context;
    const row = pair.manifest.get(key);
    // A mirror compares both sides anew in the next run. What this one has listed may be older than the row.
    if (options.policy.mode === 'mirror') {
      const isOther = row?.sourceEtag !== known?.sourceEtag || row?.destEtag !== known?.destEtag;
      return isOther || (options.only === undefined && row !== undefined && row.atMs >= startedMs);
    }
    if (row === undefined || row.atMs === known?.atMs) return false;
    if (sameEtag(row.sourceEtag, etag)) return true;
    return this.#context.options.only === undefined && row.sourceMtimeMs > mtimeMs;
  }

  #withinMaxCost(subject: Subject): boolean {
    const { costLimit, route, options } = this.#context;
    return costLimit?.admits(planCopy(route, subject), options.dryRun) ?? true;
  }

  /** `--max-transfer`: soft and hard start objects until it is reached; cautious starts none that would exceed it. */
  #withinMaxTransfer(size: number): boolean {
    const { maxTransfer, cutoffMode } = this.#context.options;
    if (maxTransfer === undefined) return true;
    const after = this.#started + size;
    if (cutoffMode === 'cautious' ? after > maxTransfer : this.#started >= maxTransfer) {
      this.#context.halt.stop('max-transfer', 'plans');
      return false;
    }
    this.#started = after;
    return true;
  }
}
