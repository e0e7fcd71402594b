/** Adds up a run's events to its summary. */
import type { FailureRow } from '../../manifest/port.js';
import type { CensusView } from '../census.js';
import type { Failure, RunEvent, Summary } from '../events.js';
import { LISTED_FAILURES } from '../events.js';
import type { RunPair } from '../pair.js';
import type { Forecast } from '../plan/forecast.js';
import { costOf } from '../plan/price.js';

export interface SummaryOptions {
  runId: string;
  /** ms since 1970. */
  startedMs: number;
  dryRun: boolean;
  census: CensusView;
  /** Of a dry run. */
  forecast: Forecast;
  /** What the runs before this one in the same pass have not copied: it is held back by this one. */
  before: Summary['held'];
}

export class SummaryBook {
  readonly #summary: Summary;
  readonly #pair: RunPair;
  readonly #options: SummaryOptions;
  readonly #started = performance.now();
  /** Failures other than of deletes. */
  #uncopied = 0;
  readonly #before: Summary['held'];
  /** Failures of deletes: a diff that starts again does not undo them. */
  readonly #undeleted: Summary['failed'] = { objects: 0, byClass: {}, list: [] };

  /** @param pair as the run sees it: its traffic is the run's alone */
  constructor(pair: RunPair, options: SummaryOptions) {
    const { runId, startedMs, dryRun, before } = options;
    this.#pair = pair;
    this.#options = options;
    this.#before = before;
    this.#summary = {
      runId,
      source: pair.source.text,
      destination: pair.dest.text,
      dryRun,
      startedMs,
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
      traffic: this.#traffic,
      planned: undefined,
    };
  }

  get #traffic(): Summary['traffic'] {
    return { source: this.#pair.source.traffic(), destination: this.#pair.dest.traffic() };
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
        if (sum.dryRun) add(sum.deleted, event.size);
        break;
      case 'deleted':
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
      case 'again':
        this.#startAgain();
        break;
    }
  }

  /** Everything but what was copied and deleted is reported once more. */
  #startAgain(): void {
    const sum = this.#summary;
    this.#uncopied = 0;
    sum.failed = structuredClone(this.#undeleted);
    sum.held = structuredClone(this.#before);
    sum.kept = { objects: 0, bytes: 0, byReason: {} };
    sum.skipped = { objects: 0, bytes: 0, byReason: {} };
    if (sum.dryRun) sum.deleted = { objects: 0, bytes: 0, left: 0 };
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
    const { skipped, held, deleted, dryRun } = this.#summary;
    const { census, forecast } = this.#options;
    const copied = dryRun ? forecast.copied : this.#summary.copied;
    const done = copied.objects + skipped.objects + this.#uncopied + held.objects - this.#before.objects;
    const traffic = this.#traffic;
    return {
      ...this.#summary,
      copied: { ...copied },
      unfinished: { objects: census.seen - done },
      deleted: { ...deleted, left: dryRun ? 0 : census.doomed },
      elapsedMs: performance.now() - this.#started,
      traffic,
      planned: dryRun ? forecast.requests : undefined,
      cost: costOf(this.#pair, dryRun ? forecast.traffic : traffic),
      stopped,
    };
  }
}

function add(sum: { objects: number; bytes: number }, size: number): void {
  sum.objects++;
  sum.bytes += size;
}

/** Failed objects as a summary counts what is held back. */
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

function increase<K extends string>(counts: Partial<Record<K, number>>, key: K, by = 1): void {
  counts[key] = (counts[key] ?? 0) + by;
}
