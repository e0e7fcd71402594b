/**
 * Copies and deletes named keys without a manifest, for programs that have no disk. What both sides have is asked, key by
 * key; an unfinished upload goes on from its checkpoint, in this process or in the next one.
 * Tests: test/engine/bare.test.ts
 */
import type { Checkpoints } from '../manifest/checkpoints.js';
import type { ManifestRow } from '../manifest/port.js';
import type { WrittenRows } from '../manifest/state.js';
import { compositeEtag, sameChecksum } from '../model/checksum.js';
import { toXsyncError } from '../model/error.js';
import type { ObjectInfo } from '../model/object.js';
import type { Copied, Fault, Outcome } from '../model/outcome.js';
import type { CopyTicket } from '../model/ticket.js';
import { type Decision, decide } from './decide/decide.js';
import { destState, evidenceOf, sourceState } from './decide/evidence.js';
import { compareInspected, headAtDestination, headIfThere } from './decide/inspect.js';
import type { Reporter } from './events.js';
import { MemoryBudget } from './flow/budget.js';
import { endsRun, Halt } from './flow/halt.js';
import { limiter } from './flow/queue.js';
import type { Triple } from './list/diff.js';
import type { RunOptions } from './options.js';
import type { RunSide } from './pair.js';
import { faultOf } from './plan/fault.js';
import { finalTicket } from './plan/final.js';
import { planCopy, planDelete, type Route, routeOf, type Subject } from './plan/plan.js';
import { EtagTrust } from './transfer/etag-trust.js';
import type { Means } from './transfer/means.js';
import { type Deleting, perform, performDeletes } from './transfer/perform.js';
import { Races } from './transfer/race.js';
import { refreshAttributes } from './transfer/refresh.js';
import { type PartSlots, Slots } from './transfer/slots.js';

export interface BarePair {
  source: Pick<RunSide, 'store' | 'prefix'>;
  dest: Pick<RunSide, 'store' | 'prefix'>;
  checkpoints: Checkpoints;
  written: WrittenRows;
}

export interface BareOptions
  extends Pick<RunOptions, 'policy' | 'carry' | 'objectAttempts' | 'partSize' | 'maxMemory' | 'stop'> {
  /** Objects in flight. */
  transfers: number;
  /** Parts of one object in flight. */
  partConcurrency: number;
  /** How long requests in flight may go on after `stop`, ms. */
  graceMs: number;
  /** Also the attributes of objects whose bytes are the same. */
  compareAttributes?: boolean;
}

/**
 * Performs what both sides say of these keys.
 * @returns `stopped`: before all of it was done
 * @throws faults that end the run
 */
export async function runBare(
  pair: BarePair,
  keys: readonly string[],
  options: BareOptions,
  report: Reporter,
): Promise<{ stopped: boolean }> {
  const halt = new Halt(options.graceMs);
  const stop = (): void => halt.stop('interrupted', 'parts');
  if (options.stop.aborted) stop();
  options.stop.addEventListener('abort', stop);
  const run = new BareRun(pair, options, halt, report);
  const limit = limiter(options.transfers);
  try {
    await Promise.all(keys.map((key) => limit(() => run.settle(key))));
    if (halt.fatal) throw halt.fatal.error;
    return { stopped: halt.level !== undefined };
  } finally {
    options.stop.removeEventListener('abort', stop);
    halt.dispose();
  }
}

const OVERTAKEN: Fault = {
  class: 'temporary',
  code: 'precondition-failed',
  message: 'somebody else has written it at the destination meanwhile, so it was not overwritten',
};

const IMMUTABLE: Fault = {
  class: 'permanent',
  code: 'guard',
  message: 'it has other attributes at the destination, which are not changed',
};

/** Skips of objects whose bytes the destination has. */
const SAME: readonly string[] = ['unchanged', 'same-checksum', 'same-time'];

const EXISTS: Fault = {
  class: 'permanent',
  code: 'guard',
  message: 'it exists at the destination, and is not overwritten',
};

class BareRun {
  readonly #pair: BarePair;
  readonly #options: BareOptions;
  readonly #halt: Halt;
  readonly #report: Reporter;
  readonly #means: Means & Deleting;
  readonly #slots: Slots;
  readonly #route: Route;

  constructor(pair: BarePair, options: BareOptions, halt: Halt, report: Reporter) {
    const [source, dest] = [pair.source.store, pair.dest.store];
    const { maxMemory, carry, objectAttempts: attempts, partSize: wanted } = options;
    this.#pair = pair;
    this.#options = options;
    this.#halt = halt;
    this.#report = report;
    this.#slots = new Slots(options);
    this.#route = routeOf(source, dest, { carry, attempts, wanted, most: maxMemory });
    this.#means = {
      ...{ source, dest, halt, checkpoints: pair.checkpoints, slots: withoutRaces(this.#slots) },
      budget: new MemoryBudget(maxMemory),
      etags: { source: new EtagTrust(), dest: new EtagTrust() },
      refusals: new Map(),
      limitInspections: limiter(options.transfers),
      observe: (observation) => {
        if (observation.type !== 'damaged') report(observation);
      },
    };
  }

  /** One key. Never rejects: a fault that ends the run goes to the halt. */
  async settle(key: string): Promise<void> {
    if (this.#halt.stops('objects')) return;
    try {
      await this.#look(key);
    } catch (error) {
      if (this.#halt.signal.aborted) return;
      const fault = toXsyncError(error);
      if (endsRun(fault)) this.#halt.fail(fault);
      else this.#failed(key, 0, faultOf(fault), 1);
    }
  }

  async #look(key: string): Promise<void> {
    const { source, dest, written } = this.#pair;
    const { signal } = this.#halt;
    dest.store.checkKey(dest.prefix + key);
    const from = await headIfThere(source.store, source.prefix + key, signal);
    const there = await headAtDestination(dest.store, dest.prefix + key, signal);
    const [row] = there ? await written.rows([key]) : [];
    const size = (from ?? there)?.size ?? 0;
    if (from?.special === 'symlink' || from?.special === 'other') {
      return this.#report({ type: 'skip', key, size, reason: 'unreadable' });
    }
    const decision = this.#decide({ key, source: from, dest: there, row });
    switch (decision.action) {
      case 'copy':
        return from && this.#copy(key, from, there?.etag);
      case 'delete':
        return there && this.#delete(key, there);
      case 'skip':
        if (from && there && SAME.includes(decision.reason) && this.#mayDiffer(from, row)) {
          return this.#refresh(key, from, there, row);
        }
        return this.#report({ type: 'skip', key, size, reason: decision.reason });
      case 'keep':
        return this.#report({ type: 'keep', key, size, reason: decision.reason });
      case 'fail':
        return this.#failed(key, size, EXISTS, 1);
      default:
        return;
    }
  }

  /** By the table of every run. Both sides have been asked, so that nothing is left to be inspected. */
  #decide(triple: Triple & { source?: ObjectInfo; dest?: ObjectInfo }): Decision {
    const { policy } = this.#options;
    const { source, dest } = triple;
    const decision = decide(policy, sourceState(triple), destState(triple, true), evidenceOf(triple));
    if (decision.action !== 'inspect' || !source || !dest) return decision;
    const same = sameChecksum(source.checksums, dest.checksums);
    return compareInspected(policy, source, dest, same === 'hint-differs' ? undefined : same);
  }

  /** What is set by requests of its own may be missing, if no row says that the object was written whole. */
  #mayDiffer({ etag }: ObjectInfo, row: ManifestRow | undefined): boolean {
    const { carry: { tags, acl, lock } = {}, compareAttributes = false } = this.#options;
    return compareAttributes || ((tags || acl || lock) === true && row?.sourceEtag !== etag);
  }

  /** Sets the attributes that differ. */
  async #refresh(key: string, from: ObjectInfo, there: ObjectInfo, row: ManifestRow | undefined): Promise<void> {
    const { immutable } = this.#options.policy;
    const subject = this.#subjectOf(key, from, there.etag);
    const refreshed = await refreshAttributes(this.#means, planCopy(this.#route, subject), immutable);
    const { size } = from;
    if (immutable && refreshed.kind !== 'same') return this.#failed(key, size, IMMUTABLE, 1);
    if (refreshed.kind === 'needs-copy') return this.#copy(key, from, there.etag);
    const destEtag = refreshed.kind === 'refreshed' ? refreshed.destEtag : there.etag;
    const { etag: sourceEtag, mtimeMs: sourceMtimeMs } = from;
    if (row) await this.#pair.written.commit([{ ...row, sourceEtag, sourceMtimeMs, destEtag, atMs: Date.now() }]);
    if (refreshed.kind === 'same') return this.#report({ type: 'skip', key, size, reason: 'unchanged' });
    const { changed, fidelity } = refreshed;
    this.#report({ type: 'attributes', key, size, changed, ...(fidelity && { fidelity }) });
  }

  #subjectOf(key: string, { etag, size, mtimeMs, checksums }: ObjectInfo, replaces: string | undefined): Subject {
    const { source, dest } = this.#pair;
    return {
      ...{ key, sourceKey: source.prefix + key, destKey: dest.prefix + key },
      ...{ etag, size, mtimeMs, md5ofParts: compositeEtag(checksums), replaces, expects: replaces ?? '' },
    };
  }

  /** With a new ticket whenever the source changes meanwhile. */
  async #copy(key: string, from: ObjectInfo, replaces: string | undefined): Promise<void> {
    let subject = this.#subjectOf(key, from, replaces);
    const startedMs = performance.now();
    for (let tried = 0; ; ) {
      const { ticket, outcome } = await this.#performOnce(subject, tried);
      if (outcome.kind !== 'changed') {
        return this.#record(subject, outcome, { tried, ticket, elapsedMs: performance.now() - startedMs });
      }
      this.#report({ type: 'restart', key, message: outcome.message });
      tried += outcome.attempts;
      subject = { ...subject, ...outcome.now, expects: undefined };
    }
  }

  async #performOnce(subject: Subject, tried: number): Promise<{ ticket?: CopyTicket; outcome: Outcome }> {
    const left = { ...this.#route, attempts: this.#route.attempts - tried, byService: this.#route.byService };
    const { source, checkpoints } = this.#means;
    const { signal } = this.#halt;
    const ticket = await finalTicket({ source, checkpoints, slots: this.#slots, dryRun: false, signal }, left, subject);
    return 'kind' in ticket ? { outcome: ticket } : { ticket, outcome: await perform(ticket, this.#means) };
  }

  async #record(
    subject: Subject,
    outcome: Exclude<Outcome, { kind: 'changed' }>,
    { tried, ticket, elapsedMs }: { tried: number; ticket?: CopyTicket; elapsedMs: number },
  ): Promise<void> {
    const { key, size, mtimeMs } = subject;
    switch (outcome.kind) {
      case 'copied':
        await this.#pair.written.commit([rowOf(subject, outcome)]);
        return this.#report({
          ...{ type: 'copied', key, size, sourceMtimeMs: mtimeMs, elapsedMs, ...told(outcome) },
          replaced: ticket?.dest.replaces !== undefined,
        });
      case 'vanished':
        return this.#report({ type: 'skip', key, size, reason: 'vanished' });
      case 'overtaken':
        return this.#failed(key, size, OVERTAKEN, tried + 1);
      case 'failed':
        return this.#failed(key, size, outcome.fault, tried + outcome.attempts);
      default:
        // Unfinished: the checkpoint has what was sent.
        return;
    }
  }

  /** If it has not been replaced by somebody else meanwhile. */
  async #delete(key: string, { size, etag }: ObjectInfo): Promise<void> {
    const { dest, written } = this.#pair;
    const ticket = planDelete(this.#route, key, { key: dest.prefix + key, size, etag });
    const [outcome] = await performDeletes([ticket], this.#means);
    if (outcome?.kind === 'deleted') {
      await written.forget([key]);
      this.#report({ type: 'deleted', key, size });
    } else if (outcome?.kind === 'overtaken') {
      this.#report({ type: 'keep', key, size, reason: 'changed-at-destination' });
    } else if (outcome?.kind === 'failed') {
      this.#failed(key, size, outcome.fault, outcome.attempts, 'delete');
    }
  }

  #failed(key: string, size: number, fault: Fault, attempts: number, operation?: 'delete'): void {
    const { class: kind, code, message, remedy } = fault;
    this.#report({ type: 'failed', key, size, class: kind, code, message, remedy, attempts, operation });
  }
}

/** Who pays by the second and by the byte does not send a part twice. A clock that stands still shows nobody late. */
function withoutRaces(slots: Slots): PartSlots {
  return { partFlow: slots.partFlow, races: new Races(() => 0), spare: 0, ofObject: () => slots.ofObject() };
}

function rowOf({ key, size, etag, mtimeMs }: Subject, { destEtag, verifiedBy, content }: Copied): ManifestRow {
  const written = { destEtag, verifiedBy, content, ours: true, atMs: Date.now() };
  return { key, size, sourceEtag: etag, sourceMtimeMs: mtimeMs, ...written };
}

function told({ verifiedBy, parts, resumedParts, resumedBytes, fidelity }: Copied) {
  return { verifiedBy, parts, resumedParts, resumedBytes, fidelity };
}
