/** Adds up a run's events to its summary. */
import type { FailureRow } from '../../manifest/port.js';
import type { Failure, RunEvent, Summary } from '../events.js';
import { LISTED_FAILURES } from '../events.js';
import type { RunPair } from '../options.js';
import type { PlanEntry } from '../plan/plan.js';
import { plannedRequests } from '../plan/plan.js';
import { costOf } from '../plan/price.js';
import { trafficOf, trafficSince } from './traffic.js';

export class Tally {
  readonly #summary: Summary;
  readonly #pair: RunPair;
  readonly #started = performance.now();
  /** What the pair had cost when the run began: a watch makes many runs over one opened pair. */
  readonly #trafficBefore: Summary['traffic'];
  #looked = 0;
  #common = 0;
  #doomed = 0;
  /** Failures other than of deletes. */
  #uncopied = 0;
  readonly #before: Summary['held'] = { objects: 0, byClass: {}, dropped: 0 };
  /** Failures of deletes: a diff that starts again does not undo them. */
  readonly #undeleted: Summary['failed'] = { objects: 0, byClass: {}, list: [] };

  /** @param before what the runs before this one in the same pass have not copied: it is held back by this one */
  constructor(pair: RunPair, runId: string, dryRun: boolean, before: Iterable<FailureRow> = []) {
    this.#pair = pair;
    this.#trafficBefore = trafficOf(pair);
    for (const failure of before) addHeld(this.#before, failure.class, failure.dropped);
    this.#summary = {
      runId,
      source: pair.source.text,
      destination: pair.dest.text,
      dryRun,
      startedMs: Date.now(),
      elapsedMs: 0,
      listed: { source: 0, destination: 0 },
      copied: { objects: 0, bytes: 0 },
      resumed: { objects: 0, parts: 0, bytes: 0 },
      skipped: { objects: 0, bytes: 0, byReason: {} },
      failed: { objects: 0, byClass: {}, list: [] },
      held: structuredClone(this.#before),
      deleted: { objects: 0, bytes: 0, left: 0 },
      kept: { objects: 0, bytes: 0, byReason: {} },
      backedUp: { objects: 0, bytes: 0 },
      unfinished: { objects: 0 },
      verified: {},
      retries: 0,
      restarts: 0,
      waste: { parts: 0, bytes: 0 },
      traffic: trafficSince(this.#trafficBefore, trafficOf(this.#pair)),
      planned: dryRun ? { source: {}, destination: {} } : undefined,
    };
  }

  add(event: RunEvent): void {
    const sum = this.#summary;
    switch (event.type) {
      case 'listed':
        sum.listed[event.side] = event.objects;
        break;
      case 'skip':
        sum.skipped.objects++;
        sum.skipped.bytes += event.size;
        increase(sum.skipped.byReason, event.reason);
        break;
      case 'copied':
        sum.copied.objects++;
        sum.copied.bytes += event.size;
        increase(sum.verified, event.verifiedBy);
        if (event.resumedParts > 0) {
          sum.resumed.objects++;
          sum.resumed.parts += event.resumedParts;
          sum.resumed.bytes += event.resumedBytes;
        }
        break;
      case 'failed':
        this.#addFailure(event);
        break;
      case 'held':
        addHeld(sum.held, event.class, event.why === 'dropped');
        break;
      case 'doom':
        this.#doomed++;
        if (sum.dryRun) add(sum.deleted, event.size);
        break;
      case 'deleted':
        this.#doomed--;
        add(sum.deleted, event.size);
        break;
      case 'keep':
        add(sum.kept, event.size);
        increase(sum.kept.byReason, event.reason);
        break;
      case 'backup':
        add(sum.backedUp, event.size);
        break;
      case 'retry':
        sum.retries++;
        break;
      case 'restart':
        sum.restarts++;
        break;
      case 'race':
        sum.waste.parts++;
        sum.waste.bytes += event.bytes;
        break;
    }
  }

  /**
   * A source object that must end as copied, skipped, failed, held or unfinished.
   * @param common the destination or the manifest has its key too
   */
  addLooked(common: boolean): void {
    this.#looked++;
    if (common) this.#common++;
  }

  /** In a dry run: the object would be copied. */
  addPlanned(entry: PlanEntry): void {
    const { planned, copied } = this.#summary;
    if (!planned) return;
    copied.objects++;
    copied.bytes += entry.size;
    const cost = plannedRequests(entry);
    for (const side of ['source', 'destination'] as const) {
      for (const [kind, n] of Object.entries(cost[side]))
        increase(planned[side], kind as keyof typeof planned.source, n);
    }
  }

  /** Objects that the source has, those that a filter leaves out included. */
  get sourceSeen(): number {
    return this.#looked;
  }

  get commonKeys(): number {
    return this.#common;
  }

  /** Objects that are still to be deleted. */
  get doomed(): number {
    return this.#doomed;
  }

  set doomed(objects: number) {
    this.#doomed = objects;
  }

  /** Objects that are not at the destination as the source has them, for all that anybody still wants them there. */
  get missing(): number {
    const { failed, held } = this.#summary;
    return failed.objects + held.objects - held.dropped;
  }

  get nothingListed(): boolean {
    return this.#summary.listed.source === 0;
  }

  get startedMs(): number {
    return this.#summary.startedMs;
  }

  get copiedBytes(): number {
    return this.#summary.copied.bytes;
  }

  /** The diff starts again (a side lists out of order): everything but what was copied is counted anew. */
  resetDiff(): void {
    const sum = this.#summary;
    this.#looked = 0;
    this.#common = 0;
    this.#doomed = 0;
    this.#uncopied = 0;
    sum.failed = structuredClone(this.#undeleted);
    sum.held = structuredClone(this.#before);
    sum.kept = { objects: 0, bytes: 0, byReason: {} };
    sum.skipped = { objects: 0, bytes: 0, byReason: {} };
    if (sum.planned) {
      sum.planned = { source: {}, destination: {} };
      sum.copied = { objects: 0, bytes: 0 };
      sum.deleted = { objects: 0, bytes: 0, left: 0 };
    }
  }

  #addFailure(failure: Failure): void {
    const { key, size, class: kind, code, message, remedy, attempts, operation } = failure;
    const { failed } = this.#summary;
    if (operation === undefined) this.#uncopied++;
    for (const sum of operation === 'delete' ? [failed, this.#undeleted] : [failed]) {
      sum.objects++;
      increase(sum.byClass, kind);
      if (sum.list.length >= LISTED_FAILURES) continue;
      sum.list.push({ key, size, class: kind, code, message, remedy, attempts, operation });
    }
  }

  /** The summary as it stands now. */
  summary(stopped: Summary['stopped']): Summary {
    const { copied, skipped, held, deleted, dryRun } = this.#summary;
    const done = copied.objects + skipped.objects + this.#uncopied + held.objects - this.#before.objects;
    const traffic = trafficSince(this.#trafficBefore, trafficOf(this.#pair));
    return {
      ...this.#summary,
      unfinished: { objects: this.#looked - done },
      deleted: { ...deleted, left: dryRun ? 0 : this.#doomed },
      elapsedMs: performance.now() - this.#started,
      traffic,
      cost: costOf(this.#pair, this.#plannedTraffic() ?? traffic),
      stopped,
    };
  }

  /** What a dry run would cost: the bytes of its copies leave the source once. */
  #plannedTraffic(): Summary['traffic'] | undefined {
    const { planned, copied } = this.#summary;
    if (!planned) return undefined;
    return {
      source: { requests: planned.source, bytesIn: copied.bytes, bytesOut: 0 },
      destination: { requests: planned.destination, bytesIn: 0, bytesOut: copied.bytes },
    };
  }
}

function add(sum: { objects: number; bytes: number }, size: number): void {
  sum.objects++;
  sum.bytes += size;
}

function addHeld(held: Summary['held'], kind: FailureRow['class'], dropped: boolean): void {
  held.objects++;
  if (dropped) held.dropped++;
  else increase(held.byClass, kind);
}

function increase<K extends string>(counts: Partial<Record<K, number>>, key: K, by = 1): void {
  counts[key] = (counts[key] ?? 0) + by;
}
