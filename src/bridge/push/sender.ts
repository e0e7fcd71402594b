/** Sends what waits in the outbox, and asks what became of it. Tests: test/bridge/push/sender.test.ts */
import type { Fault, Move, Outbox, OutboxRow } from '../../manifest/queues.js';
import { isXsyncError, toXsyncError, XsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import type { ObjectStore } from '../../store/port.js';
import { Bell, backoff } from '../pace.js';
import { type BridgeTicket, idOf, MOST_BYTES, MOST_TICKETS } from '../ticket.js';
import type { Outcomes, Taken } from './client.js';
import { changeOf } from './poll.js';

export interface SenderMeans {
  store: Pick<ObjectStore, 'head' | 'signedUrl'>;
  prefix: string;
  outbox: Outbox;
  client: { send(tickets: readonly BridgeTicket[]): Promise<Taken>; ask(ids: readonly string[]): Promise<Outcomes> };
  /** Of the URLs. */
  expiresS: number;
  /** Times that a ticket is sent, or sent again, before it is dead. */
  attempts: number;
  deletes: boolean;
  done(row: OutboxRow): void;
  dead(row: OutboxRow): void;
  /** The other end cannot be reached, or can be again (undefined). */
  trouble(message: string | undefined): void;
}

/** Pause between two questions about tickets that were sent. */
const ASK_MS = 1_000;
/** Another process may have replayed what was given up. */
const IDLE_MS = 5_000;
const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;
const LONGEST_RETRY_MS = 600_000;
/** Tickets that may be at the other end at once. */
const MOST_SENT = 10_000;

export class Sender {
  readonly #means: SenderMeans;
  readonly #bell = new Bell();
  #troubles = 0;

  constructor(means: SenderMeans) {
    this.#means = means;
  }

  /** Something waits in the outbox. */
  ring(): void {
    this.#bell.ring();
  }

  /** Until the signal, or with `once` until nothing waits and nothing is at the other end. */
  async follow(signal: AbortSignal, { once = false } = {}): Promise<void> {
    signal.addEventListener('abort', () => this.#bell.ring(), { once: true });
    while (!signal.aborted) {
      const restMs = await this.#turn();
      if (once && (await this.#means.outbox.isIdle())) return;
      if (restMs > 0 && !signal.aborted) await this.#bell.wait(restMs);
    }
  }

  /** @returns how long to rest, ms */
  async #turn(): Promise<number> {
    const { outbox } = this.#means;
    try {
      const asked = await this.#ask();
      const waiting = (await outbox.countSent()) < MOST_SENT ? await outbox.due(Date.now(), MOST_TICKETS) : [];
      if (waiting.length > 0) await this.#send(waiting);
      if (this.#troubles > 0) this.#means.trouble(undefined);
      this.#troubles = 0;
      if (waiting.length > 0) return 0;
      if (asked > 0) return ASK_MS;
      const next = (await outbox.nextMs()) ?? Number.POSITIVE_INFINITY;
      return Math.min(IDLE_MS, Math.max(10, next - Date.now()));
    } catch (error) {
      const fault = toXsyncError(error);
      if (fault.code === 'internal') throw error;
      this.#means.trouble(`${fault.message}; retrying`);
      return Math.max(fault.retryAfterMs ?? 0, backoff(this.#troubles++, FIRST_MS, LONGEST_MS));
    }
  }

  async #send(rows: readonly OutboxRow[]): Promise<void> {
    const made = await Promise.all(rows.map(async (row) => ({ row, ticket: await this.#ticketOf(row) })));
    for (const batch of fitting(made)) {
      const { refused } = await this.#means.client.send(batch.map(({ ticket }) => ticket));
      const faults = new Map(refused.map(({ id, code, message }) => [id, { code, message }]));
      // A stale one is settled there: the question about it tells.
      const moves = batch.map(({ row, ticket }) => {
        const fault = faults.get(ticket.id);
        return fault
          ? this.#given(row, fault)
          : moved(row, { state: 'sent', attempts: row.attempts + 1, untilMs: Date.now() });
      });
      await this.#means.outbox.move(moves);
    }
  }

  async #ticketOf(row: OutboxRow): Promise<BridgeTicket> {
    const { key, revision, etag, size, mtimeMs, versionId } = row;
    const common = { version: 1 as const, id: idOf(row), key, revision };
    if (row.action === 'delete') return { ...common, action: 'delete' };
    const { store, prefix, expiresS } = this.#means;
    if (!store.signedUrl) throw new XsyncError('unsupported', 'the source has no presigned URLs');
    const { url, expiresMs } = await store.signedUrl(prefix + key, { expiresS, versionId });
    return { ...common, action: 'copy', url, expiresMs: Math.floor(expiresMs), etag, size, mtimeMs };
  }

  /** @returns how many are at the other end */
  async #ask(): Promise<number> {
    const rows = await this.#means.outbox.sent(MOST_TICKETS);
    if (rows.length === 0) return 0;
    const outcomes = new Map((await this.#means.client.ask(rows.map(idOf))).map((one) => [one.id, one]));
    const moves: Move[] = [];
    for (const row of rows) moves.push(...(await this.#settle(row, outcomes.get(idOf(row)))));
    await this.#means.outbox.move(moves);
    for (const row of rows) if (outcomes.get(idOf(row))?.state === 'done') this.#means.done(row);
    return rows.length;
  }

  async #settle(row: OutboxRow, outcome: Outcomes[number] | undefined): Promise<Move[]> {
    switch (outcome?.state) {
      case 'queued':
        // Those that have not been asked about for longest come first.
        return [moved(row, { untilMs: Date.now() })];
      case 'done':
        return [moved(row, { state: 'done' })];
      case 'changed':
        return this.#lookAgain(row);
      case 'dead':
        return [this.#given(row, outcome.fault ?? { code: 'internal', message: 'the other end gave it up' })];
      // Its URL has expired, or the other end has lost it: with a fresh one, it goes on from its checkpoint. If that
      // happens again and again, a clock is wrong.
      default:
        return [moved(row, { state: 'waiting', untilMs: Date.now() + renewalPauseMs(row) })];
    }
  }

  /** The other end found another version than the ticket names. */
  async #lookAgain(row: OutboxRow): Promise<Move[]> {
    const { store, prefix, outbox, deletes } = this.#means;
    try {
      const now = { ...(await store.head(prefix + row.key)), key: row.key };
      if (sameEtag(now.etag, row.etag)) return [this.#again(row)];
      await outbox.note([changeOf(now)], 'waiting');
      return [];
    } catch (error) {
      if (!isXsyncError(error, 'object-not-found')) throw error;
      if (!deletes) return [moved(row, { state: 'done' })];
      await outbox.note([{ ...row, action: 'delete' }], 'waiting');
      return [];
    }
  }

  #again(row: OutboxRow): Move {
    const fault = { code: 'source-changed', message: 'the other end read another version' };
    if (row.attempts >= this.#means.attempts) return this.#given(row, fault);
    const untilMs = Date.now() + backoff(row.attempts, FIRST_MS, LONGEST_RETRY_MS);
    return moved(row, { state: 'waiting', untilMs, fault });
  }

  #given(row: OutboxRow, fault: Fault): Move {
    this.#means.dead({ ...row, fault });
    return moved(row, { state: 'dead', fault });
  }
}

const QUICK_RENEWALS = 5;

function renewalPauseMs({ attempts }: OutboxRow): number {
  return attempts < QUICK_RENEWALS ? 0 : backoff(attempts - QUICK_RENEWALS, FIRST_MS, LONGEST_RETRY_MS);
}

function moved({ key, revision, state, attempts }: OutboxRow, to: Partial<Move>): Move {
  return { key, revision, state, attempts, ...to };
}

/** Batches whose bodies are accepted. */
function* fitting<T extends { ticket: BridgeTicket }>(all: readonly T[]): Generator<T[]> {
  let batch: T[] = [];
  let bytes = 0;
  for (const one of all) {
    const size = Buffer.byteLength(JSON.stringify(one.ticket)) + 1;
    if (batch.length > 0 && bytes + size > MOST_BYTES - 1024) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(one);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
