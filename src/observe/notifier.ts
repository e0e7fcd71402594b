/** Turns the events of runs into notifications and hands them to their targets. */
import { randomBytes } from 'node:crypto';
import type { RunEvent } from '../engine/events.js';
import type { ErrorClass } from '../model/error.js';
import { Live } from './live.js';
import { type ReplicationEvent, type ReplicationEventType, S3_NAMES, totalsOf } from './replication-event.js';
import type { Target, TargetCounts } from './target.js';
import { type Late, Threshold } from './threshold.js';

export interface NotifierOptions {
  /** As typed. */
  source: string;
  destination: string;
  /** Of one of several rules: its name. */
  rule?: string;
  targets: readonly Target[];
  /** An object that is pending longer than this has missed the threshold, ms. By default fifteen minutes, as in S3. */
  rpoMs?: number;
  /** Start of the first complete pass, ms since 1970 (`liveSinceMs` of the journal). */
  liveSinceMs(): number | undefined;
  /** Send RunFinished for runs that found nothing to do. False for the many passes of a watch. */
  tellIdle: boolean;
  now?: () => number;
}

/** A ticket of a bridge that was given up. */
export interface GivenUp {
  key: string;
  size?: number;
  operation: 'copy' | 'delete';
  attempts?: number;
  fault: { code: string; message: string };
}

/** What holds up the tickets of a bridge. */
interface HoldUp {
  class: ErrorClass;
  code: string;
  message: string;
}

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;
type Fields = Omit<ReplicationEvent, 'id' | 'type' | 'eventName' | 'at' | 'pair'>;

const S3_THRESHOLD_MS = 15 * 60_000;
const CHECK_MS = 1000;
const CLOSE_MS = 10_000;

export class Notifier {
  readonly #options: NotifierOptions;
  readonly #now: () => number;
  readonly #live: Live;
  readonly #threshold: Threshold;
  /** Active runs by ID; true if `report` can show the run. */
  readonly #runs = new Map<string, boolean>();
  readonly #name = randomBytes(6).toString('hex');
  readonly #checks: NodeJS.Timeout;
  #count = 0;
  #dryRun = false;
  #isHeldUp = false;

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#live = new Live(options.liveSinceMs);
    this.#threshold = new Threshold(options.rpoMs ?? S3_THRESHOLD_MS);
    this.#checks = setInterval(() => this.#tellLate(), CHECK_MS).unref();
  }

  get counts(): readonly TargetCounts[] {
    return this.#options.targets.map((target) => target.counts);
  }

  /** Ignores dry runs. Never throws. */
  hear(event: RunEvent): void {
    if (event.type === 'start') this.#dryRun = event.dryRun;
    if (this.#dryRun) return;
    this.#live.hear(event, this.#now());
    switch (event.type) {
      case 'start':
        this.#runs.set(event.runId, event.kept !== false);
        break;
      case 'plan':
        this.#planned(event);
        break;
      case 'copied':
        this.#copied(event);
        break;
      case 'deleted':
        this.#tell('ObjectRemoved', { key: event.key, size: event.size });
        break;
      case 'failed':
        this.#failed(event);
        break;
      case 'end':
        this.#ended(event);
        break;
    }
  }

  /** Of a bridge: a ticket was given up. Never throws. */
  gaveUp({ key, fault, ...rest }: GivenUp): void {
    this.#tell('ObjectReplicationFailed', { key, ...rest, error: fault });
  }

  /** Of a bridge: tickets wait until a person has mended something, or no longer (undefined). Never throws. */
  heldUp(fault: HoldUp | undefined): void {
    if (fault && fault.class !== 'person') return;
    if (this.#isHeldUp === (fault !== undefined)) return;
    this.#isHeldUp = fault !== undefined;
    const error = fault && { class: fault.class, code: fault.code, message: fault.message };
    this.#tell(error ? 'TicketsHeldUp' : 'TicketsResumed', { error });
  }

  /** Delivers queued events for at most `withinMs`. The targets warn about the rest. Never throws. */
  async close(withinMs = CLOSE_MS): Promise<void> {
    clearInterval(this.#checks);
    await Promise.all(this.#options.targets.map((target) => target.close(withinMs)));
  }

  #planned({ key, size, sourceMtimeMs }: Of<'plan'>): void {
    const now = this.#now();
    const lagMs = this.#live.lagMs(sourceMtimeMs, now);
    if (lagMs === undefined) return;
    this.#threshold.wait({ key, size, sourceMtimeMs });
    if (lagMs > this.#threshold.ms) this.#tellLate();
  }

  #copied({ key, size, replaced, verifiedBy, sourceMtimeMs }: Of<'copied'>): void {
    const lagMs = this.#live.lagMs(sourceMtimeMs, this.#now());
    const thresholdMs = this.#threshold.ms;
    const late = lagMs !== undefined && lagMs > thresholdMs;
    // The object may have become late since the last check.
    if (late) this.#tellLate();
    this.#threshold.over(key);
    const fields = { key, size, requestTime: isoOf(sourceMtimeMs), lagMs, verifiedBy };
    this.#tell(replaced ? 'ObjectModified' : 'ObjectCreated', fields);
    if (late) this.#tell('ReplicatedAfterThreshold', { ...fields, thresholdMs });
  }

  #failed(event: Of<'failed'>): void {
    const { key, size, operation, attempts, class: kind, code, message } = event;
    // No object is known that was not replicated.
    if (operation === 'list') return;
    this.#threshold.over(key);
    const error = { class: kind, code, message };
    this.#tell('ObjectReplicationFailed', { key, size, operation: operation ?? 'copy', attempts, error });
  }

  #ended({ summary, outcome, error }: Of<'end'>): void {
    const { copied, deleted, failed } = summary;
    const idle = outcome === 'complete' && copied.objects + deleted.objects + failed.objects === 0;
    if (!idle || this.#options.tellIdle) {
      const runId = this.#runs.get(summary.runId) === false ? undefined : summary.runId;
      this.#tell('RunFinished', { runId, outcome, error, summary: totalsOf(summary) });
    }
    this.#runs.delete(summary.runId);
    if (this.#runs.size === 0) this.#threshold.clear();
  }

  #tellLate(): void {
    if (this.#threshold.idle) return;
    const now = this.#now();
    for (const late of this.#threshold.takeLate(now)) this.#tell('MissedThreshold', this.#late(late, now));
  }

  #late({ key, size, sourceMtimeMs }: Late, now: number): Fields {
    const lagMs = now - sourceMtimeMs;
    return { key, size, requestTime: isoOf(sourceMtimeMs), lagMs, thresholdMs: this.#threshold.ms };
  }

  #tell(type: ReplicationEventType, fields: Fields): void {
    const { source, destination, rule, targets } = this.#options;
    const [[id, isKept] = []] = this.#runs.size === 1 ? this.#runs : [];
    const runId = isKept ? id : undefined;
    const event: ReplicationEvent = {
      id: `${this.#name}-${++this.#count}`,
      type,
      eventName: S3_NAMES[type],
      at: new Date(this.#now()).toISOString(),
      pair: { source, destination },
      rule,
      runId,
      ...fields,
    };
    for (const target of targets) target.send(event);
  }
}

/** Undefined for an invalid time: a source may return any. */
function isoOf(ms: number): string | undefined {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
