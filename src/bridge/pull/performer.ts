/** Performs the tickets of the queue. Tests: test/bridge/pull/performer.test.ts */
import type { RunEvent } from '../../engine/events.js';
import type { Claim } from '../../manifest/queues.js';
import { toXsyncError } from '../../model/error.js';
import { Bell, backoff } from '../pace.js';
import type { BridgeTicket } from '../ticket.js';
import { type TellTrouble, Troubles, waitsForPerson } from '../troubles.js';
import { Batch, type BatchMeans, LEASE_MS, type Result } from './batch.js';

export interface PerformerMeans extends Omit<BatchMeans, 'trouble' | 'waiting'> {
  book: { open(ticket: BridgeTicket): void; close(key: string): void };
  /** @param compares also the attributes of objects whose bytes are the same */
  run(keys: readonly string[], report: (event: RunEvent) => void, compares: boolean): Promise<{ stopped: boolean }>;
  /** Hears the events of every run. */
  report(event: RunEvent): void;
  /** A run failed as a whole, or tickets wait for a person; or neither any more (undefined). */
  trouble: TellTrouble;
}

/** Runs at once: an object of many parts must not hold up the others. */
const RUNS = 4;
const BATCH = 100;
/** The clock may be set meanwhile. */
const LONGEST_REST_MS = 60_000;
/** A run that fails is followed by another after this time, doubling. */
const FIRST_MS = 1_000;

export class Performer {
  readonly #means: PerformerMeans;
  readonly #bell = new Bell();
  readonly #troubles: Troubles;
  #runs = 0;

  constructor(means: PerformerMeans) {
    this.#means = means;
    this.#troubles = new Troubles(means.trouble);
  }

  /** New tickets are in the queue. */
  ring(): void {
    this.#bell.ring();
  }

  /** Until the signal; then waits for the runs that have begun. */
  async follow(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#bell.ring(), { once: true });
    while (!signal.aborted) {
      const options = { nowMs: Date.now(), leaseMs: LEASE_MS, limit: BATCH };
      const claims = this.#runs < RUNS ? await this.#means.queue.claim(options) : [];
      if (claims.length > 0) void this.#perform(claims);
      else await this.#bell.wait(await this.#restMs());
    }
    while (this.#runs > 0) await this.#bell.wait(60_000);
  }

  /**
   * Performs what is due, so many tickets at a time, until nothing is or the signal is aborted.
   * @throws the fault of a run: nothing was decided about its tickets
   */
  async drain(signal: AbortSignal, limit: number): Promise<void> {
    while (!signal.aborted) {
      const claims = await this.#means.queue.claim({ nowMs: Date.now(), leaseMs: LEASE_MS, limit });
      if (claims.length === 0) return;
      await this.#settle(claims);
    }
  }

  async #restMs(): Promise<number> {
    const next = this.#runs < RUNS ? await this.#means.queue.nextMs() : undefined;
    return Math.min(LONGEST_REST_MS, Math.max(10, (next ?? Number.POSITIVE_INFINITY) - Date.now()));
  }

  async #perform(claims: readonly Claim[]): Promise<void> {
    this.#runs++;
    try {
      await this.#settle(claims);
      this.#troubles.succeed();
    } catch (error) {
      const fault = toXsyncError(error);
      const before = this.#troubles.fail(fault.message, fault);
      // Nothing was decided about the tickets: the fault is that of the destination.
      await new Promise((resolve) => setTimeout(resolve, backoff(before, FIRST_MS, 60_000)).unref());
    } finally {
      this.#runs--;
      this.#bell.ring();
    }
  }

  async #settle(claims: readonly Claim[]): Promise<void> {
    const batch = new Batch(claims, {
      ...this.#means,
      settled: (key, result, body) => {
        this.#means.settled(key, result, body);
        this.#troubles.unblock(key);
      },
      waiting: (key, fault) => this.#troubles.block(key, { ...fault, class: 'person' }),
    });
    try {
      await this.#runOver(batch);
    } finally {
      for (const { key } of claims) this.#means.book.close(key);
      await batch.close();
    }
  }

  async #runOver(batch: Batch): Promise<void> {
    const tickets = batch.tickets(Date.now());
    for (const ticket of tickets.values()) this.#means.book.open(ticket);
    const moving = new Set<string>();
    const report = (event: RunEvent): void => {
      this.#means.report(event);
      if (event.type === 'progress') moving.add(event.key);
      const found = resultOf(event, moving);
      if (found) batch.note(found.key, found.result);
      if ((event.type === 'copied' || event.type === 'attributes') && event.fidelity)
        batch.lose(event.key, event.fidelity);
    };
    try {
      for (const compares of [false, true]) {
        const some = [...tickets].filter(([, ticket]) => isCompared(ticket) === compares);
        if (some.length === 0) continue;
        const { stopped } = await this.#means.run(
          some.map(([key]) => key),
          report,
          compares,
        );
        if (stopped) return;
        for (const [key, ticket] of some) batch.suppose(key, silent(ticket));
      }
    } finally {
      await batch.settle();
    }
  }
}

/** Attributes may have changed while the bytes stayed. */
function isCompared(ticket: BridgeTicket): boolean {
  return ticket.action === 'copy' && ticket.attributes?.info !== undefined;
}

/** The codes by which a read says that the source has another version, or none. */
const CHANGED = ['source-changed', 'precondition-failed', 'object-not-found'];

/** @param moving the keys of which bytes have crossed in this run */
function resultOf(event: RunEvent, moving: ReadonlySet<string>): { key: string; result: Result } | undefined {
  switch (event.type) {
    case 'copied':
      return { key: event.key, result: { state: 'done', verifiedBy: event.verifiedBy } };
    case 'deleted':
      return { key: event.key, result: { state: 'done' } };
    case 'skip':
      return { key: event.key, result: skipped(event.reason) };
    case 'keep':
      return { key: event.key, result: { state: 'dead', fault: { code: 'guard', message: `kept: ${event.reason}` } } };
    case 'failed': {
      const { key, code, message, class: kind } = event;
      if (code === 'expired-url') return { key, result: expired(moving.has(key)) };
      if (CHANGED.includes(code)) return { key, result: { state: 'changed', fault: { code, message } } };
      const fault = { code, message };
      // The keys that signed it may have been replaced while it waited.
      if (code === 'refused-url') return { key, result: { state: 'expired', fault } };
      if (waitsForPerson(event)) return { key, result: { again: fault, waits: true } };
      return { key, result: kind === 'temporary' ? { again: fault } : { state: 'dead', fault } };
    }
    default:
      return undefined;
  }
}

/** A fault says that the URL served for a while: its time is over, and no clock is wrong. */
function expired(moved: boolean): Result {
  if (!moved) return { state: 'expired' };
  return { state: 'expired', fault: { code: 'expired-url', message: 'the URL ended half-way' } };
}

type SkipReason = Extract<RunEvent, { type: 'skip' }>['reason'];

/** Why an object is skipped although the destination may not have it. */
function skipped(reason: SkipReason): Result {
  if (reason === 'vanished') return { state: 'changed', fault: { code: 'object-not-found', message: 'it is gone' } };
  const fault = { code: 'unsupported-object', message: `skipped: ${reason}` };
  if (PASSING.has(reason)) return { again: fault };
  return ELSEWHERE.has(reason) ? { state: 'dead', fault } : { state: 'done' };
}

const PASSING: ReadonlySet<SkipReason> = new Set(['restoring', 'settling']);
const ELSEWHERE: ReadonlySet<SkipReason> = new Set([
  ...(['destination-newer', 'filtered', 'unreadable', 'archived'] as const),
  ...(['declined', 'in-compare-dest', 'cutoff'] as const),
]);

/**
 * A run says nothing of a deleted object, or of a delete marker, that is at the destination as it should be; nor of a
 * version that turned out to be another one.
 */
function silent(ticket: BridgeTicket): Result {
  if (ticket.action !== 'copy') return { state: 'done' };
  if (ticket.versionId !== undefined) {
    return { state: 'changed', fault: { code: 'source-changed', message: 'it is not the version that was named' } };
  }
  return { again: { code: 'internal', message: 'the run said nothing of the object' } };
}
