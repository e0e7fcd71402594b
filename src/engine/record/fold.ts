import type { FailureRow } from '../../manifest/port.js';
import { type Failure, LISTED_FAILURES, type RunEvent, type Summary } from '../events.js';
import { Pending } from './pending.js';
import { add, increase, nothing } from './sum.js';

/**
 * What the events of a run add up to. Summaries, the progress in the manifest and the statistics on a terminal are
 * views of it. Memory is bounded by the objects that are pending.
 */
export class Fold {
  readonly pending = new Pending();
  readonly listed: Summary['listed'] = { source: 0, destination: 0 };
  /** The source has been listed to its end. */
  sourceListed = false;
  /** Bytes that were sent, including those of unfinished objects. */
  sent = 0;
  readonly copied = nothing();
  readonly verified: Summary['verified'] = {};
  readonly resumed: Summary['resumed'] = { objects: 0, parts: 0, bytes: 0 };
  skipped: Summary['skipped'] = { ...nothing(), byReason: {} };
  /** Of the skipped: excluded by filters, or not objects (symbolic links). */
  excluded = nothing();
  /** Of the skipped: found different and left for the next run. */
  postponed = nothing();
  failed: Summary['failed'] = noFailures();
  /** Of the failed: objects that were not copied. */
  uncopied = nothing();
  /** Of the failed: deletes. A diff that starts again does not undo them. */
  readonly #undeleted: Summary['failed'] = noFailures();
  held: Summary['held'];
  /** Of the held: by these runs. */
  heldNow = nothing();
  /** In a dry run, what would be deleted. */
  deleted = nothing();
  kept: Summary['kept'] = { ...nothing(), byReason: {} };
  readonly backedUp = nothing();
  retries = 0;
  restarts = 0;
  readonly waste: Summary['waste'] = { parts: 0, bytes: 0 };
  readonly #heldBefore: Summary['held'];

  /** @param heldBefore what earlier runs of the same pass did not copy: it counts as held */
  constructor(heldBefore: Summary['held'] = { objects: 0, byClass: {}, dropped: 0 }) {
    this.#heldBefore = heldBefore;
    this.held = structuredClone(heldBefore);
  }

  hear(event: RunEvent): void {
    this.pending.hear(event);
    switch (event.type) {
      case 'listed':
        this.listed[event.side] = event.objects;
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
        this.#fail(event);
        break;
      case 'held':
        addHeld(this.held, event.class, event.why === 'dropped');
        add(this.heldNow, event.size);
        break;
      case 'doom':
        if (this.pending.dryRun) add(this.deleted, event.size);
        break;
      case 'deleted':
        add(this.deleted, event.size);
        break;
      case 'keep':
        add(this.kept, event.size);
        increase(this.kept.byReason, event.reason);
        break;
      case 'backup':
        add(this.backedUp, event.size);
        break;
      case 'retry':
        this.retries++;
        break;
      case 'restart':
        this.restarts++;
        break;
      case 'race':
        this.waste.parts++;
        this.waste.bytes += event.bytes;
        break;
      case 'again':
        this.#startAgain();
        break;
    }
  }

  #skip({ size, reason }: Extract<RunEvent, { type: 'skip' }>): void {
    add(this.skipped, size);
    increase(this.skipped.byReason, reason);
    if (reason === 'filtered' || reason === 'unreadable') add(this.excluded, size);
    else if (reason === 'cutoff' || reason === 'settling') add(this.postponed, size);
  }

  #copied({ size, verifiedBy, resumedParts, resumedBytes }: Extract<RunEvent, { type: 'copied' }>): void {
    add(this.copied, size);
    increase(this.verified, verifiedBy);
    if (resumedParts === 0) return;
    this.resumed.objects++;
    this.resumed.parts += resumedParts;
    this.resumed.bytes += resumedBytes;
  }

  #fail({ type: _, ...failure }: Extract<RunEvent, { type: 'failed' }>): void {
    addFailure(this.failed, failure);
    if (failure.operation === 'delete') addFailure(this.#undeleted, failure);
    else add(this.uncopied, failure.size);
  }

  /** Everything but what was copied and deleted is reported again. */
  #startAgain(): void {
    this.skipped = { ...nothing(), byReason: {} };
    this.excluded = nothing();
    this.postponed = nothing();
    this.failed = structuredClone(this.#undeleted);
    this.uncopied = nothing();
    this.held = structuredClone(this.#heldBefore);
    this.heldNow = nothing();
    this.kept = { ...nothing(), byReason: {} };
    if (this.pending.dryRun) this.deleted = nothing();
  }
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
  const held: Summary['held'] = { objects: 0, byClass: {}, dropped: 0 };
  for (const failure of failures) addHeld(held, failure.class, failure.dropped);
  return held;
}

function addHeld(held: Summary['held'], kind: FailureRow['class'], dropped: boolean): void {
  held.objects++;
  if (dropped) held.dropped++;
  else increase(held.byClass, kind);
}
