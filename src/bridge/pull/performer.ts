/** Performs the tickets of the queue. Tests: test/bridge/pull/performer.test.ts */
import type { RunEvent } from '../../engine/events.js';
import type { Settled, TicketQueue, Waiting } from '../../manifest/queues.js';
import { toXsyncError } from '../../model/error.js';
import { Bell, backoff } from '../pace.js';
import { type BridgeTicket, bridgeTicket } from '../ticket.js';

export interface PerformerMeans {
  queue: TicketQueue;
  book: { open(ticket: BridgeTicket): void; close(key: string): void };
  run(keys: readonly string[], report: (event: RunEvent) => void): Promise<{ stopped: boolean }>;
  /** Hears the events of every run. */
  report(event: RunEvent): void;
  /** A run failed as a whole, or runs succeed again (undefined). */
  trouble(message: string | undefined): void;
  settled(key: string, result: Settled): void;
  /** Attempts of a ticket. */
  attempts: number;
}

/** Runs at once: an object of many parts must not hold up the others. */
const RUNS = 4;
const BATCH = 100;
/** A ticket that was refused for a passing reason is tried again after this time, doubling. */
const FIRST_MS = 1_000;
const LONGEST_MS = 600_000;

type Result = Omit<Settled, 'id'> | { again: { code: string; message: string } };

export class Performer {
  readonly #means: PerformerMeans;
  readonly #bell = new Bell();
  /** Keys that are in a run. */
  readonly #busy = new Set<string>();
  #runs = 0;
  #troubles = 0;

  constructor(means: PerformerMeans) {
    this.#means = means;
  }

  /** New tickets are in the queue. */
  ring(): void {
    this.#bell.ring();
  }

  /** Until the signal; then waits for the runs that have begun. */
  async follow(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#bell.ring(), { once: true });
    while (!signal.aborted) {
      const waiting = this.#runs < RUNS ? await this.#means.queue.due(Date.now(), BATCH, this.#busy) : [];
      if (waiting.length > 0) void this.#perform(waiting);
      else await this.#bell.wait(await this.#restMs());
    }
    while (this.#runs > 0) await this.#bell.wait(60_000);
  }

  async #restMs(): Promise<number> {
    const next = this.#runs < RUNS ? await this.#means.queue.nextMs() : undefined;
    return next === undefined || this.#busy.size > 0 ? 60_000 : Math.max(10, next - Date.now());
  }

  async #perform(waiting: readonly Waiting[]): Promise<void> {
    this.#runs++;
    for (const { key } of waiting) this.#busy.add(key);
    try {
      await this.#runOver(waiting);
      if (this.#troubles > 0) this.#means.trouble(undefined);
      this.#troubles = 0;
    } catch (error) {
      this.#means.trouble(toXsyncError(error).message);
      // Nothing was decided about the tickets: the fault is that of the destination.
      await new Promise((resolve) => setTimeout(resolve, backoff(this.#troubles++, FIRST_MS, 60_000)).unref());
    } finally {
      for (const { key } of waiting) {
        this.#means.book.close(key);
        this.#busy.delete(key);
      }
      this.#runs--;
      this.#bell.ring();
    }
  }

  async #runOver(waiting: readonly Waiting[]): Promise<void> {
    const results = new Map<string, Result>();
    const tickets = new Map<string, BridgeTicket>();
    const nowMs = Date.now();
    for (const { key, body } of waiting) {
      const { data: ticket } = bridgeTicket.safeParse(JSON.parse(body));
      // Another edition of the program took it: the pushing end sends it again.
      if (!ticket) results.set(key, { state: 'expired' });
      else if (ticket.action === 'copy' && ticket.expiresMs <= nowMs) results.set(key, { state: 'expired' });
      else tickets.set(key, ticket);
    }
    for (const ticket of tickets.values()) this.#means.book.open(ticket);
    const report = (event: RunEvent): void => {
      this.#means.report(event);
      const found = resultOf(event);
      if (found) results.set(found.key, found.result);
    };
    try {
      const { stopped } = tickets.size > 0 ? await this.#means.run([...tickets.keys()], report) : { stopped: false };
      for (const [key, ticket] of tickets) if (!stopped && !results.has(key)) results.set(key, silent(ticket));
    } finally {
      await this.#note(waiting, results);
    }
  }

  async #note(waiting: readonly Waiting[], results: ReadonlyMap<string, Result>): Promise<void> {
    const { queue, settled, attempts: most } = this.#means;
    const final: { key: string; settled: Settled }[] = [];
    for (const { key, id, attempts } of waiting) {
      const result = results.get(key);
      if (result === undefined) continue;
      if (!('again' in result)) final.push({ key, settled: { id, ...result } });
      else if (attempts + 1 >= most) final.push({ key, settled: { id, state: 'dead', fault: result.again } });
      else await queue.delay(id, Date.now() + backoff(attempts, FIRST_MS, LONGEST_MS), result.again);
    }
    await queue.settle(final.map((one) => one.settled));
    for (const one of final) settled(one.key, one.settled);
  }
}

/** The codes by which a read says that the source has another version, or none. */
const CHANGED = ['source-changed', 'precondition-failed', 'object-not-found'];

function resultOf(event: RunEvent): { key: string; result: Result } | undefined {
  switch (event.type) {
    case 'copied':
    case 'deleted':
      return { key: event.key, result: { state: 'done' } };
    case 'skip':
      return { key: event.key, result: skipped(event.reason) };
    case 'keep':
      return { key: event.key, result: { state: 'dead', fault: { code: 'guard', message: `kept: ${event.reason}` } } };
    case 'failed': {
      const { key, code, message, class: kind } = event;
      if (code === 'expired-url') return { key, result: { state: 'expired' } };
      if (CHANGED.includes(code)) return { key, result: { state: 'changed', fault: { code, message } } };
      const fault = { code, message };
      // The keys that signed it may have been replaced while it waited.
      if (code === 'refused-url') return { key, result: { state: 'expired', fault } };
      return { key, result: kind === 'temporary' ? { again: fault } : { state: 'dead', fault } };
    }
    default:
      return undefined;
  }
}

type SkipReason = Extract<RunEvent, { type: 'skip' }>['reason'];

/** Why an object is skipped although the destination may not have it. */
function skipped(reason: SkipReason): Result {
  if (reason === 'vanished') return { state: 'changed', fault: { code: 'object-not-found', message: 'it is gone' } };
  if (!ELSEWHERE.has(reason)) return { state: 'done' };
  return { state: 'dead', fault: { code: 'unsupported-object', message: `skipped: ${reason}` } };
}

const ELSEWHERE: ReadonlySet<SkipReason> = new Set([
  ...(['destination-newer', 'filtered', 'unreadable', 'archived', 'restoring'] as const),
  ...(['settling', 'declined', 'in-compare-dest', 'cutoff'] as const),
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
