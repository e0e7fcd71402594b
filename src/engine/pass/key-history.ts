/**
 * The history of one key, carried over. A version can only be put on top: only those that are newer than the newest one
 * that was carried are pending, and one that fails holds back the newer ones.
 * Tests: test/engine/pass/history.test.ts
 */

import { UNKNOWN_VERSION } from '../../manifest/port.js';
import { compositeEtag } from '../../model/checksum.js';
import { XsyncError } from '../../model/error.js';
import type { Fault, Outcome } from '../../model/outcome.js';
import type { VersionEntry } from '../../store/port.js';
import type { SkipReason } from '../decide/decide.js';
import { exclusionOf, isNoObject } from '../decide/exclusion.js';
import { nameOfVersion, PendingVersions } from '../list/pending-versions.js';
import { faultOf } from '../plan/fault.js';
import { finalTicket } from '../plan/final.js';
import { planCopy, planMarker, type Subject } from '../plan/plan.js';
import { heldBack } from '../record/failed.js';
import { failedObject } from '../record/recorder.js';
import type { Perform } from '../transfer/executor.js';
import type { Observation } from '../transfer/means.js';
import { pause } from '../transfer/pause.js';
import type { Arrivals } from './arrivals.js';
import type { RunContext } from './context.js';

const ARCHIVED: Fault = {
  class: 'permanent',
  code: 'object-archived',
  message: 'this version is archived, and is missing at the destination from now on',
};

/** What became of a version: `on` if the next one may follow it. */
type Next = 'on' | 'stop';

export class KeyHistory {
  readonly #context: RunContext;
  readonly #arrivals: Arrivals;
  readonly #pending: PendingVersions;
  /** Relative to the pair's prefix. */
  readonly key: string;
  /** A version of it, if one cannot be copied: a link that the destination cannot hold. */
  leftOut: VersionEntry | undefined;
  /** The rest of the key's versions are at the destination, or below one that is. */
  #known = false;
  /** As `expect` was told. */
  #top: string | undefined;
  /** Times of notes tell the order of versions, so no two are equal. */
  #notedMs = 0;

  constructor(context: RunContext, arrivals: Arrivals, key: string) {
    this.#context = context;
    this.#arrivals = arrivals;
    this.key = key;
    this.#pending = new PendingVersions(() => context.pair.manifest.spool());
  }

  /** Call it first, if the destination was listed. @param top ID of its newest version, empty for none */
  expect(top: string | undefined): void {
    this.#top = top;
  }

  /** Takes the next version, the newest first. */
  take(version: VersionEntry): void {
    const { pair, options, census } = this.#context;
    if (!version.deleteMarker) census.see(this.#known, this.key);
    const excluded = exclusionOf(pair, options, this.key, version);
    if (excluded) {
      if (isNoObject(version, pair.links)) this.leftOut ??= { ...version, key: this.key };
      this.#skip(version, excluded.reason, excluded.detail);
    } else if (version.fault) this.#fail(version, faultOf(version.fault));
    else {
      this.#known ||= this.#isThere(nameOfVersion(version));
      if (this.#known) this.#skip(version, 'unchanged');
      else this.#pending.add(version);
    }
  }

  /** A version that was carried, and that the destination has lost, is forgotten, so that it is carried again. */
  #isThere(name: string): boolean {
    const { manifest } = this.#context.pair;
    const dest = manifest.destVersion(this.key, name);
    if (!dest || !this.#isLost(dest)) return Boolean(dest);
    if (!this.#context.options.dryRun) manifest.dropVersion(this.key, name);
    return false;
  }

  /** Somebody has deleted for good all versions of the key at the destination, or the newest ones down to an older one. */
  #isLost(dest: string): boolean {
    const { pair, startedMs } = this.#context;
    const top = this.#top;
    if (top === undefined || top === dest || dest === UNKNOWN_VERSION) return false;
    const atMs = pair.manifest.carriedMs(this.key, dest) ?? 0;
    // A run beside this one may have carried it since the destination was listed.
    if (atMs >= startedMs) return false;
    if (top === '') return true;
    const topMs = pair.manifest.carriedMs(this.key, top);
    return topMs !== undefined && topMs < atMs;
  }

  /** Queues what was found. */
  async submit(): Promise<void> {
    const pending = this.#pending;
    if (pending.count === 0 || this.#held()) return pending.dispose();
    const { executor, route, options, claims } = this.#context;
    if (options.dryRun) return this.#foretell();
    const { key } = this;
    await executor.queue({ size: pending.largest, byService: route.byService }, (perform) =>
      claims ? claims.hold(key, () => this.#carryAll(perform)) : this.#carryAll(perform),
    );
  }

  /** Drops what was found. */
  dispose(): void {
    this.#pending.dispose();
  }

  /** A marker is no object, so it is not counted among the skipped ones. */
  #skip({ size, deleteMarker }: VersionEntry, reason: SkipReason, detail?: string): void {
    if (!deleteMarker) this.#context.emit({ type: 'skip', key: this.key, size, reason, detail });
  }

  /** The oldest version failed before, and is not due for a retry; the newer ones have to wait for it. */
  #held(): boolean {
    const { pair, options, census, emit } = this.#context;
    const { oldest } = this.#pending;
    const failure = options.failedBefore === 'wait' ? pair.manifest.failure(this.key) : undefined;
    const now = { sourceEtag: oldest?.etag ?? '', settings: pair.settings, timeMs: Date.now() };
    const held = failure && heldBack(failure, now);
    if (!failure || !held) return false;
    if (!options.dryRun) pair.manifest.seeFailure(this.key, now.timeMs);
    if (held.why !== 'dropped') census.hold();
    const { class: kind, code } = failure;
    for (const { size, deleteMarker } of this.#pending.oldestFirst()) {
      if (!deleteMarker) emit({ type: 'held', key: this.key, size, class: kind, code, ...held });
    }
    return true;
  }

  #foretell(): void {
    const { forecast, route, pair, emit } = this.#context;
    const { key } = this;
    for (const version of this.#pending.oldestFirst()) {
      const { size, mtimeMs: sourceMtimeMs } = version;
      if (version.deleteMarker) {
        forecast.addDelete({ source: 0, destination: 0 }, 1);
        emit({ type: 'doom', key, size, reason: 'gone-at-source' });
      } else {
        const ticket = planCopy(route, this.#subjectOf(version));
        forecast.add(ticket, pair.dest.store.capabilities.attributes);
        emit({ type: 'plan', key, size, reason: 'new', parts: ticket.cut.parts, sourceMtimeMs });
      }
    }
    this.dispose();
  }

  async #carryAll(perform: Perform): Promise<void> {
    const { halt, claims } = this.#context;
    try {
      const { markers, learnt } = await this.#arrivals.settle(this.key);
      this.#pending.expectMarkers(markers);
      let done = learnt || claims ? this.#carriedMeanwhile() : 0;
      for (const version of this.#pending.oldestFirst()) {
        if (halt.stops('objects')) return;
        if (done-- > 0) this.#skip(version, 'unchanged');
        else if ((await this.#carry(version, perform)) === 'stop') return;
      }
    } catch (error) {
      if (!halt.signal.aborted) halt.fail(error);
    } finally {
      this.dispose();
    }
  }

  /** How many of the oldest pending versions cannot be put on top any more: they, or a newer one, arrived meanwhile. */
  #carriedMeanwhile(): number {
    const { manifest } = this.#context.pair;
    let done = 0;
    let index = 0;
    for (const version of this.#pending.oldestFirst()) {
      index++;
      const names = [nameOfVersion(version), ...(version.newer ?? [])];
      if (names.some((name) => manifest.destVersion(this.key, name))) done = index;
    }
    return done;
  }

  /** An attempt whose answer was lost may have written the version, so the destination is looked at before the next one. */
  async #carry(version: VersionEntry, perform: Perform): Promise<Next> {
    const { pair, options, emit } = this.#context;
    const { key } = this;
    const there = this.#pending.takeMarker(version);
    const source = nameOfVersion(version);
    // A list may repeat a row.
    if (pair.manifest.destVersion(key, source)) return 'on';
    if (version.special === 'archived') {
      this.#fail(version, ARCHIVED);
      return 'on';
    }
    if (there !== undefined) {
      this.#note(version, there);
      return 'on';
    }
    const { size, mtimeMs: sourceMtimeMs } = version;
    if (version.deleteMarker) emit({ type: 'doom', key, size, reason: 'gone-at-source' });
    else emit({ type: 'plan', key, size, reason: 'new', sourceMtimeMs });
    for (let attempts = 1; ; attempts++) {
      pair.manifest.putVersion({ key, source, dest: '', atMs: Date.now() });
      const outcome = await (version.deleteMarker ? this.#mark() : this.#copy(version, perform));
      if (outcome.kind === 'copied' || outcome.kind === 'deleted') {
        const told =
          outcome.destVersion ?? (version.deleteMarker ? undefined : await this.#arrivals.written(key, source));
        this.#arrive(version, told ?? UNKNOWN_VERSION);
        return 'on';
      }
      if (outcome.kind !== 'failed') return this.#without(version, outcome);
      const dest = outcome.fault.class === 'temporary' ? await this.#arrivals.arrived(key, source) : undefined;
      if (dest !== undefined) {
        this.#arrive(version, dest.versionId);
        this.#foundLate(version, dest);
        return 'on';
      }
      if (outcome.fault.class === 'temporary' && attempts < options.objectAttempts) {
        await this.#pause(outcome.fault, attempts);
        continue;
      }
      if (outcome.fault.code === 'object-not-found') return this.#without(version, { kind: 'vanished' });
      this.#fail(version, outcome.fault, attempts);
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

  #mark(): Promise<Outcome> {
    const { executor, route, pair } = this.#context;
    return executor.mark(planMarker(route, this.key, pair.dest.prefix + this.key));
  }

  async #copy(version: VersionEntry, perform: Perform): Promise<Outcome> {
    const { planning, route, recorder } = this.#context;
    const started = performance.now();
    const ticket = await finalTicket(planning, { ...route, attempts: 1 }, this.#subjectOf(version));
    if ('kind' in ticket) return ticket;
    const outcome = await perform(ticket);
    if (outcome.kind === 'copied') recorder.copied(ticket, outcome, performance.now() - started);
    return outcome;
  }

  #arrive(version: VersionEntry, dest: string): void {
    this.#note(version, dest);
    if (version.deleteMarker) this.#context.emit({ type: 'deleted', key: this.key, size: 0 });
  }

  /** @param dest ID of the destination's version, which is on top of the others now */
  #note(version: VersionEntry, dest: string): void {
    const { pair, committer } = this.#context;
    const { key } = this;
    this.#notedMs = Math.max(Date.now(), this.#notedMs + 1);
    pair.manifest.putVersion({ key, source: nameOfVersion(version), dest, atMs: this.#notedMs });
    if (version.deleteMarker) committer.forget(key);
  }

  /** The answer was lost, and the version found at the destination. */
  #foundLate({ size, etag, mtimeMs: sourceMtimeMs, deleteMarker }: VersionEntry, dest: VersionEntry): void {
    if (deleteMarker) return;
    const { committer, emit } = this.#context;
    const { key } = this;
    const row = { key, size, sourceEtag: etag, sourceMtimeMs, destEtag: dest.etag, ours: true, atMs: Date.now() };
    committer.add({ ...row, verifiedBy: 'size' });
    const none = { parts: 1, resumedParts: 0, resumedBytes: 0, elapsedMs: 0, replaced: false };
    emit({ type: 'copied', key, size, sourceMtimeMs, verifiedBy: 'size', ...none });
  }

  /** The run stops, or the version is gone from the source. */
  #without(version: VersionEntry, { kind }: Pick<Outcome, 'kind'>): Next {
    if (kind !== 'vanished') return 'stop';
    this.#context.pair.manifest.dropVersion(this.key, nameOfVersion(version));
    this.#context.emit({ type: 'skip', key: this.key, size: version.size, reason: 'vanished' });
    return 'on';
  }

  #fail(version: VersionEntry, fault: Fault, attempts = 1): void {
    // The row of an older version, written later, would take the key off the failed list.
    this.#context.committer.flush();
    this.#context.recorder.failed(failedObject({ ...version, key: this.key }), fault, attempts);
  }

  #subjectOf(version: VersionEntry): Subject {
    const { pair } = this.#context;
    const { key } = this;
    const { etag, versionId, size, mtimeMs, checksums = {}, special } = version;
    return {
      ...(special === 'symlink' && { link: 'keep' as const }),
      ...{ key, etag, versionId, size, mtimeMs, md5ofParts: compositeEtag(checksums) },
      versionName: nameOfVersion(version),
      sourceKey: pair.source.prefix + key,
      destKey: pair.dest.prefix + key,
    };
  }
}
