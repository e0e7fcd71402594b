/** Sends what waits in the outbox, and asks what became of it. Tests: test/bridge/push/sender.test.ts */
import { versionsOfKey } from '../../engine/list/versions.js';
import { type Fault, type Move, type Outbox, type OutboxRow, ticketId } from '../../manifest/queues.js';
import type { Fidelity } from '../../model/attributes.js';
import { toXsyncError } from '../../model/error.js';
import type { ObjectCatalog } from '../../store/port.js';
import { Bell, backoff } from '../pace.js';
import { type BridgeTicket, bridgeTicket, MOST_TICKETS, type Told } from '../ticket.js';
import { type TellTrouble, Troubles } from '../troubles.js';
import type { Reading } from './attributes.js';
import type { Outcomes, Taken } from './client.js';
import { changeSeen } from './poll.js';
import { fitting, type TicketSource, ticketOf } from './tickets.js';
import { faultOfOne, moved, Verdicts } from './verdicts.js';

export interface SenderMeans {
  store: TicketSource['store'] & Pick<ObjectCatalog, 'head' | 'listVersions' | 'capabilities'>;
  prefix: string;
  /** Of the source, for messages. */
  text: string;
  /** Of each object, besides what its URL tells. */
  reading: Reading;
  /** Rows are versions. */
  versions: boolean;
  outbox: Outbox;
  client: { send(tickets: readonly BridgeTicket[]): Promise<Taken>; ask(ids: readonly string[]): Promise<Outcomes> };
  /** Of the URLs. */
  expiresS: number;
  /** Times that a ticket is sent, or sent again, before it is dead. */
  attempts: number;
  deletes: boolean;
  /** Where the other end tells outcomes, so that only what was lost is asked for, after `lostMs`. */
  callback?: { url: string; lostMs?: number };
  /** @param fidelity what became of its attributes; absent: nothing to tell */
  done(row: OutboxRow, fidelity?: Fidelity): void;
  dead(row: OutboxRow): void;
  /** The other end cannot be reached, or tickets wait for a person; or neither any more (undefined). */
  trouble: TellTrouble;
  /** Something that a person should know, and that holds up nothing. */
  warn(message: string): void;
}

/** Pause between two questions about tickets that were sent. */
const ASK_MS = 1_000;
/** The same if the other end tells outcomes. */
const LOST_MS = 15_000;
/** Another process may have replayed what was given up. */
const IDLE_MS = 5_000;
const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;
const LONGEST_RETRY_MS = 600_000;
/** Tickets that may be at the other end at once. */
const MOST_SENT = 10_000;
/** Outcomes that were heard and not noted yet; beyond it, they are asked for. */
const MOST_HEARD = 10_000;

export class Sender {
  readonly #means: SenderMeans;
  readonly #bell = new Bell();
  readonly #troubles: Troubles;
  readonly #verdicts: Verdicts;
  /** Whoever is overloaded or away is left alone until then, whatever else is found meanwhile. Monotonic, as the next one. */
  #pausedUntilMs = 0;
  #askFromMs = 0;
  /** By ID. They are noted between two requests, so that none overtakes the answer to the request with its ticket. */
  readonly #heard = new Map<string, Told>();

  constructor(means: SenderMeans) {
    this.#means = means;
    this.#troubles = new Troubles(means.trouble);
    this.#verdicts = new Verdicts(means, this.#troubles);
  }

  /** Something waits in the outbox. */
  ring(): void {
    this.#bell.ring();
  }

  /** The other end tells outcomes. */
  hear(outcomes: readonly Told[]): void {
    for (const outcome of outcomes) if (this.#heard.size < MOST_HEARD) this.#heard.set(outcome.id, outcome);
    this.#bell.ring();
  }

  /** The same, where no other request is on its way. Resolves once they are noted. */
  async heard(outcomes: readonly Told[]): Promise<void> {
    this.hear(outcomes);
    await this.#noteHeard();
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

  /**
   * Sends what is due, and does not wait for outcomes.
   * @throws a fault of the source, of the network or of the other end: what was not sent is due later
   */
  async sendDue(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const waiting = await this.#means.outbox.due(Date.now(), MOST_TICKETS);
      if (waiting.length === 0) return;
      await this.#send(waiting);
    }
  }

  /** @returns how long to rest, ms */
  async #turn(): Promise<number> {
    const { outbox } = this.#means;
    try {
      await this.#noteHeard();
      const pauseMs = this.#pausedUntilMs - performance.now();
      if (pauseMs > 0) return pauseMs;
      const { asked, settled } = performance.now() < this.#askFromMs ? NONE : await this.#ask();
      const waiting = (await outbox.countSent()) < MOST_SENT ? await outbox.due(Date.now(), MOST_TICKETS) : [];
      if (waiting.length > 0) await this.#send(waiting);
      await this.#forgetSettled();
      this.#troubles.succeed();
      // There may be more of which the other end knows by now.
      if (waiting.length > 0 || (settled > 0 && asked === MOST_TICKETS)) return 0;
      if (asked > 0 && !this.#means.callback) return ASK_MS;
      const next = (await outbox.nextMs()) ?? Number.POSITIVE_INFINITY;
      return Math.min(IDLE_MS, Math.max(10, next - Date.now()));
    } catch (error) {
      const fault = toXsyncError(error);
      if (fault.code === 'internal') throw error;
      const before = this.#troubles.fail(`${fault.message}; retrying`, fault);
      const askedMs = Math.min(fault.retryAfterMs ?? 0, LONGEST_RETRY_MS);
      const restMs = Math.max(askedMs, backoff(before, FIRST_MS, LONGEST_MS));
      this.#pausedUntilMs = performance.now() + restMs;
      return restMs;
    }
  }

  /** What held up a ticket no longer matters if there is none any more, as when its object is gone. */
  async #forgetSettled(): Promise<void> {
    for (const key of this.#troubles.blocked) {
      const row = await this.#means.outbox.get(key);
      if (row && row.state !== 'waiting' && row.state !== 'sent') this.#troubles.unblock(key);
    }
  }

  async #send(rows: readonly OutboxRow[]): Promise<void> {
    const { client, outbox } = this.#means;
    const made = await Promise.all(rows.map((row) => this.#prepared(row)));
    await outbox.move(made.flatMap(({ instead = [] }) => instead));
    const ready = made.flatMap(({ row, ticket }) => (ticket ? [{ row, ticket }] : []));
    for (const batch of fitting(ready)) {
      const { refused, stale } = await client.send(batch.map(({ ticket }) => ticket));
      const faults = new Map(refused.map(({ id, code, message }) => [id, { code, message }]));
      for (const id of await this.#overtaken(stale)) faults.set(id, OVERTAKEN);
      const moves = batch.map(({ row, ticket }) => {
        const fault = faults.get(ticket.id);
        // The right to read it is there again; whether its URLs are good is not known yet.
        if (row.fault?.code !== 'refused-url') this.#troubles.unblock(row.key);
        return fault
          ? this.#verdicts.given(row, fault)
          : moved(row, { state: 'sent', attempts: row.attempts + 1, untilMs: Date.now(), fault: row.fault });
      });
      await outbox.move(moves);
    }
  }

  /** Of stale tickets, those that are unknown there: of the others, the other end has sent the outcome before. */
  async #overtaken(stale: readonly string[]): Promise<string[]> {
    if (stale.length === 0) return [];
    const known = new Set((await this.#means.client.ask(stale)).map(({ id }) => id));
    return stale.filter((id) => !known.has(id));
  }

  /** A ticket, or what becomes of the row instead: one that has none must not hold up the others. */
  async #prepared(row: OutboxRow): Promise<{ row: OutboxRow; ticket?: BridgeTicket; instead?: Move[] }> {
    try {
      if (row.action === 'delete') {
        const instead = await (this.#means.versions ? this.#anyVersion(row) : this.#back(row));
        if (instead) return { row, instead };
      }
      const { success, data: ticket, error } = bridgeTicket.safeParse(await ticketOf(row, this.#means));
      if (success) return { row, ticket };
      const [issue] = error.issues;
      const message = `no ticket can be made of it: ${issue?.path.join('.')}: ${issue?.message}`;
      return { row, instead: [this.#verdicts.given(row, { code: 'unsupported', message })] };
    } catch (error) {
      return { row, instead: [this.#verdicts.failed(row, faultOfOne(error))] };
    }
  }

  /** Nothing is deleted that has come back since it was seen to be gone. */
  async #back(row: OutboxRow): Promise<Move[] | undefined> {
    const now = await this.#verdicts.head(row);
    if (!now) return undefined;
    await this.#means.outbox.note([changeSeen(now, row)], 'waiting');
    return [];
  }

  /** The next look at the key finds its versions, which were forgotten. */
  async #anyVersion(row: OutboxRow): Promise<Move[] | undefined> {
    const { done } = await versionsOfKey(this.#means, row.key, {}).next();
    return done ? undefined : [moved(row, { state: 'known', passes: true })];
  }

  /** @returns how many are at the other end, and of how many it has an outcome */
  async #ask(): Promise<{ asked: number; settled: number }> {
    const { outbox, client, callback } = this.#means;
    const rows = await outbox.sent(MOST_TICKETS);
    if (rows.length === 0) return NONE;
    const outcomes = new Map((await client.ask(rows.map(ticketId))).map((one) => [one.id, one]));
    await this.#note(rows.map((row) => ({ row, outcome: outcomes.get(ticketId(row)) })));
    const settled = rows.filter((row) => outcomes.get(ticketId(row))?.state !== 'queued').length;
    // If callbacks are lost, there may be more of them.
    if (callback && settled < MOST_TICKETS) this.#askFromMs = performance.now() + (callback.lostMs ?? LOST_MS);
    return { asked: rows.length, settled };
  }

  async #noteHeard(): Promise<void> {
    const heard = [...this.#heard.values()];
    if (heard.length === 0) return;
    this.#heard.clear();
    const about: { row: OutboxRow; outcome: Told }[] = [];
    for (const outcome of heard) {
      const { outbox } = this.#means;
      const row = (await outbox.versions?.sentVersion(outcome.key)) ?? (await outbox.get(outcome.key));
      if (row?.state === 'sent' && ticketId(row) === outcome.id) about.push({ row, outcome });
    }
    await this.#note(about);
  }

  async #note(about: readonly { row: OutboxRow; outcome: Outcomes[number] | undefined }[]): Promise<void> {
    const moves: Move[] = [];
    for (const { row, outcome } of about) moves.push(...(await this.#verdicts.settle(row, outcome)));
    await this.#means.outbox.move(moves);
    for (const { row, outcome } of about) if (outcome?.state === 'done') this.#means.done(row, outcome.fidelity);
  }
}

const NONE = { asked: 0, settled: 0 };
const OVERTAKEN: Fault = {
  code: 'stale',
  message:
    'the other end knows a newer ticket of this key, or one of another source: another push sends it, too, or the clock was set back',
};
