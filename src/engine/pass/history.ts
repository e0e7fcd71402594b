/**
 * Carries every version and delete marker over, so that the history of each key at the destination reads like that at the
 * source. Versions of one key are written in their order, different keys side by side. A version can only be put on top:
 * only those that are newer than the newest one that was carried are pending, and one that fails holds back the newer ones.
 * Tests: test/engine/pass/history.test.ts
 */
import { compositeEtag } from '../../model/checksum.js';
import { XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import { versionName } from '../../model/object.js';
import type { Fault, Outcome } from '../../model/outcome.js';
import type { VersionEntry } from '../../store/port.js';
import type { SkipReason } from '../decide/decide.js';
import { listVersions } from '../list/versions.js';
import { faultOf } from '../plan/fault.js';
import { finalTicket } from '../plan/final.js';
import { planCopy, planMarker, type Subject } from '../plan/plan.js';
import { failedObject } from '../record/recorder.js';
import type { Perform } from '../transfer/executor.js';
import type { Observation } from '../transfer/means.js';
import { pause } from '../transfer/pause.js';
import { Arrivals } from './arrivals.js';
import type { RunContext } from './context.js';
import { PendingVersions } from './pending-versions.js';

const ARCHIVED: Fault = {
  class: 'permanent',
  code: 'object-archived',
  message: 'this version is archived, and is missing at the destination from now on',
};

const NOT_A_LINK: Fault = {
  class: 'permanent',
  code: 'unsupported-object',
  message: 'this version is a symbolic link, which the destination does not have; it is missing there from now on',
};

const OUT_OF_ORDER = 'Leave out --versions: a history cannot be carried from a store that does not list in order.';

/** What became of a version: `on` if the next one may follow it. */
type Next = 'on' | 'stop';

export class History {
  readonly #context: RunContext;
  readonly #arrivals: Arrivals;
  #pending: PendingVersions | undefined;
  /** The rest of the key's versions are at the destination, or below one that is. */
  #known = false;
  #listed = 0;
  #last: string | undefined;

  constructor(context: RunContext) {
    this.#context = context;
    this.#arrivals = new Arrivals(context);
  }

  /** @throws faults that end the run */
  async run(): Promise<void> {
    const { pair, halt, emit, census, recorder, executor } = this.#context;
    const onDamaged = (fault: XsyncError): void => recorder.unnamed(faultOf(fault));
    try {
      await this.#arrivals.begin();
      for await (const { versions } of listVersions(pair.source, { signal: halt.listings, onDamaged })) {
        for (const version of versions) {
          if (halt.stops('plans')) return;
          await this.#take(version);
        }
        this.#listed += versions.filter(({ deleteMarker }) => !deleteMarker).length;
        census.listed = this.#listed;
        emit({ type: 'listed', side: 'source', objects: this.#listed, done: false });
      }
      await this.#submit();
      emit({ type: 'listed', side: 'source', objects: this.#listed, done: true });
    } finally {
      this.#pending?.dispose();
      await executor.drain();
    }
  }

  async #take(version: VersionEntry): Promise<void> {
    const { pair, options, emit, census } = this.#context;
    const key = version.key.slice(pair.source.prefix.length);
    if (pair.single && key !== '') return;
    if (this.#pending?.key !== key) await this.#begin(key);
    const { size, mtimeMs } = version;
    const verdict = options.filter?.test(key, size, mtimeMs);
    // A marker is no object, so it is not counted among the listed and skipped ones.
    const skip = (reason: SkipReason, detail?: string): void => {
      if (!version.deleteMarker) emit({ type: 'skip', key, size, reason, detail });
    };
    if (!version.deleteMarker) census.see(this.#known, key);
    if (verdict && !verdict.included) return skip('filtered', verdict.reason);
    if (version.fault) return this.#fail(key, version, faultOf(version.fault));
    this.#known ||= Boolean(pair.manifest.destVersion(key, nameOf(version)));
    if (this.#known) return skip('unchanged');
    this.#pending?.add(version);
  }

  /** @throws invalid-response: the versions of a key are not next to each other, so that their order is not known */
  async #begin(key: string): Promise<void> {
    await this.#submit();
    const { pair, options } = this.#context;
    if (this.#last !== undefined && compareKeys(key, this.#last) <= 0) {
      const message = `${pair.source.text} lists the versions of ${JSON.stringify(key)} out of order`;
      throw new XsyncError('invalid-response', message, { subject: pair.source.text, remedy: OUT_OF_ORDER });
    }
    this.#last = key;
    const markers = options.dryRun ? [] : await this.#arrivals.settle(key);
    this.#pending = new PendingVersions(key, () => pair.manifest.spool(), markers);
    this.#known = false;
  }

  /** Queues what was found of a key. */
  async #submit(): Promise<void> {
    const pending = this.#pending;
    this.#pending = undefined;
    if (!pending || pending.count === 0) return pending?.dispose();
    const { executor, route, options } = this.#context;
    if (options.dryRun) return this.#foretell(pending);
    await executor.queue({ size: pending.largest, byService: route.byService }, (perform) =>
      this.#carryAll(pending, perform),
    );
  }

  #foretell(pending: PendingVersions): void {
    const { forecast, route, emit } = this.#context;
    const { key } = pending;
    for (const version of pending.oldestFirst()) {
      const { size, mtimeMs: sourceMtimeMs } = version;
      if (version.deleteMarker) {
        forecast.addDelete({ source: 0, destination: 0 }, 1);
        emit({ type: 'doom', key, size, reason: 'gone-at-source' });
      } else {
        const ticket = planCopy(route, this.#subjectOf(key, version));
        forecast.add(ticket);
        emit({ type: 'plan', key, size, reason: 'new', parts: ticket.cut.parts, sourceMtimeMs });
      }
    }
    pending.dispose();
  }

  async #carryAll(pending: PendingVersions, perform: Perform): Promise<void> {
    const { halt } = this.#context;
    try {
      for (const version of pending.oldestFirst()) {
        if (halt.stops('objects')) return;
        if ((await this.#carry(pending, version, perform)) === 'stop') return;
      }
    } catch (error) {
      if (!halt.signal.aborted) halt.fail(error);
    } finally {
      pending.dispose();
    }
  }

  /** An attempt whose answer was lost may have written the version, so the destination is looked at before the next one. */
  async #carry(pending: PendingVersions, version: VersionEntry, perform: Perform): Promise<Next> {
    const { pair, options, emit } = this.#context;
    const { key } = pending;
    const there = pending.takeMarker(version);
    const source = nameOf(version);
    if (version.special === 'archived') {
      this.#fail(key, version, ARCHIVED);
      return 'on';
    }
    if (version.special === 'symlink' && pair.links !== 'keep') {
      this.#fail(key, version, NOT_A_LINK);
      return 'on';
    }
    const { size, mtimeMs: sourceMtimeMs } = version;
    if (version.deleteMarker) emit({ type: 'doom', key, size, reason: 'gone-at-source' });
    else emit({ type: 'plan', key, size, reason: 'new', sourceMtimeMs });
    for (let attempts = 1; ; attempts++) {
      pair.manifest.putVersion({ key, source, dest: '', atMs: Date.now() });
      const outcome = await (version.deleteMarker ? this.#mark(key, there) : this.#copy(key, version, perform));
      if (outcome.kind === 'copied' || outcome.kind === 'deleted') {
        this.#arrive(key, version, outcome.destVersion ?? 'unknown');
        return 'on';
      }
      if (outcome.kind !== 'failed') return this.#without(key, version, outcome);
      const dest = outcome.fault.class === 'temporary' ? await this.#arrivals.arrived(key, source) : undefined;
      if (dest !== undefined) {
        this.#arrive(key, version, dest, true);
        return 'on';
      }
      if (outcome.fault.class === 'temporary' && attempts < options.objectAttempts) {
        await this.#pause(outcome.fault, attempts);
        continue;
      }
      if (outcome.fault.code === 'object-not-found') return this.#without(key, version, { kind: 'vanished' });
      this.#fail(key, version, outcome.fault, attempts);
      return 'stop';
    }
  }

  /** @throws aborted */
  #pause({ code, message, class: kind }: Fault, attempts: number): Promise<void> {
    const { halt, emit } = this.#context;
    const observe = (observation: Observation): void => {
      if (observation.type === 'notice') emit(observation);
    };
    return pause({ halt, observe }, attempts, new XsyncError(code, message, { class: kind }));
  }

  /** @param there ID of the marker, if the destination has it already */
  async #mark(key: string, there: string | undefined): Promise<Outcome> {
    const { executor, route, pair } = this.#context;
    if (there !== undefined) return { kind: 'deleted', destVersion: there };
    return executor.mark(planMarker(route, key, pair.dest.prefix + key));
  }

  async #copy(key: string, version: VersionEntry, perform: Perform): Promise<Outcome> {
    const { planning, route, recorder } = this.#context;
    const started = performance.now();
    const ticket = await finalTicket(planning, { ...route, attempts: 1 }, this.#subjectOf(key, version));
    if ('kind' in ticket) return ticket;
    const outcome = await perform(ticket);
    if (outcome.kind === 'copied') recorder.copied(ticket, outcome, performance.now() - started);
    return outcome;
  }

  /** @param late the answer was lost, and the version found at the destination */
  #arrive(key: string, version: VersionEntry, dest: string, late = false): void {
    const { pair, committer, emit } = this.#context;
    const { size, mtimeMs: sourceMtimeMs } = version;
    pair.manifest.putVersion({ key, source: nameOf(version), dest, atMs: Date.now() });
    if (version.deleteMarker) {
      committer.forget(key);
      emit({ type: 'deleted', key, size: 0 });
    } else if (late) {
      const none = { parts: 1, resumedParts: 0, resumedBytes: 0, elapsedMs: 0, replaced: false };
      emit({ type: 'copied', key, size, sourceMtimeMs, verifiedBy: 'size', ...none });
    }
  }

  /** The run stops, or the version is gone from the source. */
  #without(key: string, version: VersionEntry, { kind }: Pick<Outcome, 'kind'>): Next {
    if (kind !== 'vanished') return 'stop';
    this.#context.pair.manifest.dropVersion(key, nameOf(version));
    this.#context.emit({ type: 'skip', key, size: version.size, reason: 'vanished' });
    return 'on';
  }

  #fail(key: string, version: VersionEntry, fault: Fault, attempts = 1): void {
    this.#context.recorder.failed(failedObject({ ...version, key }), fault, attempts);
  }

  #subjectOf(key: string, version: VersionEntry): Subject {
    const { pair } = this.#context;
    const { etag, versionId, size, mtimeMs, checksums = {}, special } = version;
    return {
      ...(special === 'symlink' && { link: 'keep' }),
      ...{ key, etag, versionId, size, mtimeMs, md5ofParts: compositeEtag(checksums), versionName: nameOf(version) },
      sourceKey: pair.source.prefix + key,
      destKey: pair.dest.prefix + key,
    };
  }
}

function nameOf(version: VersionEntry): string {
  return versionName(version, version.deleteMarker === true);
}
