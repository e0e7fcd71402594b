/** Tests: test/engine/record/progress.test.ts */
import type { FailureRow } from '../../manifest/port.js';
import type { SkipReason } from '../decide/decide.js';
import { type Failure, LISTED_FAILURES, type MirrorSum, type RunEvent, type Summary } from '../events.js';
import { addFidelity } from './fidelity.js';
import { Pending } from './pending.js';
import { add, increase, nothing } from './sum.js';

const POSTPONED: ReadonlySet<SkipReason> = new Set(['cutoff', 'settling', 'archived', 'restoring']);

/**
 * What the events of a run add up to. Summaries, the progress in the manifest and the statistics on a terminal are
 * views of it. Memory is bounded by the objects that are pending.
 */
export class Fold {
  readonly pending = new Pending();
  /** As a summary shows them. */
  readonly sums: ReturnType<typeof noSums>;
  /** The source has been listed to its end. */
  sourceListed = false;
  /** Bytes that were sent, including those of unfinished objects. */
  sent = 0;
  /** Of the skipped: excluded by filters, or not objects (symbolic links). */
  excluded = nothing();
  /** Of the skipped: found different and left for the next run. */
  postponed = nothing();
  /** Of the failed: objects that were not copied. */
  uncopied = nothing();
  /** Of the failed: deletes. A diff that starts again does not undo them. */
  readonly #undeleted = noFailures();
  /** Of the held: by these runs. */
  heldNow = nothing();
  readonly #heldBefore: Summary['held'];
  /** Conflicts with a winner that has not been copied yet, and whether the loser is kept. */
  readonly #settling = new Map<string, boolean>();

  /** @param heldBefore what earlier runs of the same pass did not copy: it counts as held */
  constructor(heldBefore: Summary['held'] = noneHeld(), mirror = false) {
    this.#heldBefore = heldBefore;
    this.sums = noSums(heldBefore);
    if (mirror) this.sums.mirror = noMirror();
  }

  hear(event: RunEvent): void {
    const { sums } = this;
    this.pending.hear(event);
    switch (event.type) {
      case 'listed':
        sums.listed[event.side] = event.objects;
        if (event.side === 'source') this.sourceListed = event.done;
        break;
      case 'skip':
        this.#skip(event);
        break;
      case 'progress':
        this.sent += event.bytes;
        break;
      case 'copied':
        this.#copied(event);
        break;
      case 'failed':
        this.#settling.delete(event.key);
        this.#fail(event);
        break;
      case 'held':
        addHeld(sums.held, event.class, event.why === 'dropped');
        add(this.heldNow, event.size);
        break;
      case 'doom':
        if (!this.pending.dryRun) break;
        add(sums.deleted, event.size);
        if (event.direction) add(this.#mirror().deleted, event.size);
        break;
      case 'plan':
        if (this.pending.dryRun && event.direction) add(this.#mirror().copied, event.size);
        if (event.from !== undefined) this.#renamed(event.size);
        break;
      case 'deleted':
        add(sums.deleted, event.size);
        if (event.direction) add(this.#mirror().deleted, event.size);
        break;
      case 'attributes':
        if (event.changed.length > 0) sums.refreshed = (sums.refreshed ?? 0) + 1;
        if (event.fidelity) sums.fidelity = addFidelity(sums.fidelity, event.key, event.fidelity);
        break;
      case 'conflict':
        this.#conflict(event);
        break;
      case 'moved':
        sums.moved ??= nothing();
        add(sums.moved, event.size);
        break;
      case 'keep':
        add(sums.kept, event.size);
        increase(sums.kept.byReason, event.reason);
        break;
      case 'backup':
        add(sums.backedUp, event.size);
        break;
      case 'retry':
        sums.retries++;
        break;
      case 'restart':
        sums.restarts++;
        break;
      case 'race':
        sums.waste.parts++;
        sums.waste.bytes += event.bytes;
        break;
      case 'fleet':
        if (event.workers.length > 0) sums.workers = event.workers;
        break;
      case 'again':
        this.#startAgain();
        break;
    }
  }

  #skip({ size, reason }: Extract<RunEvent, { type: 'skip' }>): void {
    const { sums } = this;
    add(sums.skipped, size);
    increase(sums.skipped.byReason, reason);
    if (reason === 'filtered' || reason === 'unreadable') add(this.excluded, size);
    else if (POSTPONED.has(reason)) add(this.postponed, size);
  }

  #copied(event: Extract<RunEvent, { type: 'copied' }>): void {
    const { sums } = this;
    const { key, size, verifiedBy, resumedParts, resumedBytes, fidelity } = event;
    if (fidelity) sums.fidelity = addFidelity(sums.fidelity, key, fidelity);
    add(sums.copied, size);
    if (event.from !== undefined) this.#renamed(size);
    if (event.direction) add(this.#mirror().copied, size);
    this.#settled(key);
    increase(sums.verified, verifiedBy);
    if (resumedParts === 0) return;
    sums.resumed.objects++;
    sums.resumed.parts += resumedParts;
    sums.resumed.bytes += resumedBytes;
  }

  /** A conflict is open until its winner has been copied, which may fail. In a dry run nothing is. */
  #conflict({ key, winner, keepsLoser }: Extract<RunEvent, { type: 'conflict' }>): void {
    const { conflicts } = this.#mirror();
    conflicts.objects++;
    conflicts.open++;
    if (winner === undefined) return;
    this.#settling.set(key, keepsLoser);
    if (this.pending.dryRun) this.#settled(key);
  }

  #settled(key: string): void {
    const keepsLoser = this.#settling.get(key);
    if (keepsLoser === undefined) return;
    this.#settling.delete(key);
    const { conflicts } = this.#mirror();
    conflicts.open--;
    if (keepsLoser) conflicts.kept++;
  }

  #renamed(size: number): void {
    this.sums.renamed ??= nothing();
    add(this.sums.renamed, size);
  }

  #mirror(): MirrorSum {
    this.sums.mirror ??= noMirror();
    return this.sums.mirror;
  }

  #fail({ type: _, direction: __, ...failure }: Extract<RunEvent, { type: 'failed' }>): void {
    addFailure(this.sums.failed, failure);
    if (failure.operation === 'delete') addFailure(this.#undeleted, failure);
    else add(this.uncopied, failure.size);
  }

  #forgetOpen(): void {
    this.#settling.clear();
    const conflicts = this.sums.mirror?.conflicts;
    if (conflicts) Object.assign(conflicts, { objects: conflicts.objects - conflicts.open, open: 0 });
  }

  /** Everything but what was copied and deleted is reported again. */
  #startAgain(): void {
    const { skipped, held, kept, deleted } = noSums(this.#heldBefore);
    this.#forgetOpen();
    Object.assign(this.sums, { skipped, held, kept, failed: structuredClone(this.#undeleted) });
    if (this.pending.dryRun) Object.assign(this.sums, { deleted, renamed: undefined });
    this.excluded = nothing();
    this.postponed = nothing();
    this.uncopied = nothing();
    this.heldNow = nothing();
  }
}

function noSums(held: Summary['held']) {
  const skipped: Summary['skipped'] = { ...nothing(), byReason: {} };
  const kept: Summary['kept'] = { ...nothing(), byReason: {} };
  const verified: Summary['verified'] = {};
  const moved: Summary['moved'] = undefined;
  const renamed: Summary['renamed'] = undefined;
  const mirror: Summary['mirror'] = undefined;
  const refreshed: Summary['refreshed'] = undefined;
  const fidelity: Summary['fidelity'] = undefined;
  const workers: Summary['workers'] = undefined;
  return {
    listed: { source: 0, destination: 0 },
    copied: nothing(),
    resumed: { objects: 0, parts: 0, bytes: 0 },
    skipped,
    failed: noFailures(),
    held: structuredClone(held),
    deleted: { ...nothing(), left: 0 },
    moved: moved as Summary['moved'],
    renamed: renamed as Summary['renamed'],
    mirror: mirror as Summary['mirror'],
    kept,
    backedUp: nothing(),
    verified,
    refreshed: refreshed as Summary['refreshed'],
    fidelity: fidelity as Summary['fidelity'],
    retries: 0,
    restarts: 0,
    workers: workers as Summary['workers'],
    waste: { parts: 0, bytes: 0 },
  };
}

function noMirror(): MirrorSum {
  return { copied: nothing(), deleted: nothing(), conflicts: { objects: 0, kept: 0, open: 0 } };
}

export function noFailures(): Summary['failed'] {
  return { objects: 0, byClass: {}, list: [] };
}

/** Counts the failure; names it unless `LISTED_FAILURES` are named already. */
export function addFailure(failed: Summary['failed'], failure: Failure): void {
  failed.objects++;
  increase(failed.byClass, failure.class);
  if (failed.list.length < LISTED_FAILURES) failed.list.push(failure);
}

/** Failed objects of earlier runs, counted like those that a run holds back. */
export function sumHeld(failures: Iterable<FailureRow>): Summary['held'] {
  const held = noneHeld();
  for (const failure of failures) addHeld(held, failure.class, failure.dropped);
  return held;
}

function noneHeld(): Summary['held'] {
  return { objects: 0, byClass: {}, dropped: 0 };
}

function addHeld(held: Summary['held'], kind: FailureRow['class'], dropped: boolean): void {
  held.objects++;
  if (dropped) held.dropped++;
  else increase(held.byClass, kind);
}
