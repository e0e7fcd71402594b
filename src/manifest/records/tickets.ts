/** The tickets of the pulling end, in records. Tests: test/contract/state.test.ts */
import { randomUUID } from 'node:crypto';
import { inParallel } from '../../model/parallel.js';
import {
  type Claim,
  type ClaimOptions,
  type Fault,
  type Held,
  LONGEST_WAIT_MS,
  type NewTicket,
  type Settled,
  slotIn,
  slotOf,
  type TicketQueue,
  type TicketState,
} from '../queues.js';
import { AT_ONCE, changeAll } from './change.js';
import { dueIn } from './due.js';
import { onceIn } from './nonces.js';
import { type Draft, type RecordName, type Records, rankOf, type Stored } from './port.js';

const QUEUE = 'ticket';
/** A ticket that is settled is remembered for this time. Its URL has ended long before. */
const REMEMBERED_MS = 30 * 86_400_000;
/** Tickets that a claimer looks at beyond those that it takes. */
const SPARE = 10;
/** Times that a claimer looks for tickets that others do not take. */
const ROUNDS = 20;

interface TicketRecord {
  key: string;
  id: string;
  revision: number;
  source?: string;
  state: TicketState;
  /** Absent once it is settled. */
  body?: string;
  attempts: number;
  /** With a lease: when it runs out. */
  dueMs: number;
  lease?: string;
  fault?: Fault;
}

export class RecordTickets implements TicketQueue {
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
  }

  async add(tickets: readonly NewTicket[]): Promise<string[]> {
    const newest = new Map<string, NewTicket>();
    for (const ticket of tickets) {
      if (ticket.revision > (newest.get(ticket.key)?.revision ?? 0)) newest.set(ticket.key, ticket);
    }
    const taken = new Set<string>();
    const changes = [...newest.values()].map((ticket) => ({
      name: nameOf(slotOf(ticket.key)),
      next: (now: Stored | undefined) => {
        const draft = added(ticket, now && ticketIn(now));
        if (draft) taken.add(ticket.id);
        else taken.delete(ticket.id);
        return draft;
      },
    }));
    await changeAll(this.#records, changes);
    return tickets.flatMap(({ id }) => (taken.has(id) ? [] : [id]));
  }

  async claim(options: ClaimOptions): Promise<Claim[]> {
    for (let rounds = 0; rounds < ROUNDS; rounds++) {
      const ready = (await this.#candidates(options)).filter((stored) => mayTake(ticketIn(stored), options));
      const claims = (await inParallel(ready, AT_ONCE, (stored) => this.#take(stored, options))).flat();
      // If others have taken all of these, there may be more.
      if (claims.length > 0 || ready.length === 0) return claims;
    }
    return [];
  }

  async #candidates({ nowMs, limit, ids }: ClaimOptions): Promise<Stored[]> {
    if (ids) return [...(await this.#records.get(ids.slice(0, limit).map((id) => nameOf(slotIn(id))))).values()];
    const found = await dueIn(this.#records, QUEUE, { nowMs, limit: limit + SPARE });
    // Not the same for each claimer, so that many do not want the same.
    const from = Math.floor(Math.random() * (Math.max(0, found.length - limit) + 1));
    return found.slice(from, from + limit);
  }

  async #take(stored: Stored, { nowMs, leaseMs }: ClaimOptions): Promise<Claim[]> {
    const ticket = ticketIn(stored);
    const attempts = ticket.attempts + (ticket.lease === undefined ? 0 : 1);
    const lease = randomUUID();
    const draft = draftOf({ ...ticket, attempts, lease, dueMs: nowMs + leaseMs });
    if (!(await this.#records.swap(stored.name, stored, draft))) return [];
    return [{ key: ticket.key, id: ticket.id, body: ticket.body ?? '', attempts, lease }];
  }

  async renew<T extends Held>(held: readonly T[], untilMs: number): Promise<T[]> {
    const still = new Set<T>();
    await this.#changeHeld(held, (one, ticket) => {
      still.add(one);
      return { ...ticket, dueMs: untilMs };
    });
    return held.filter((one) => still.has(one));
  }

  async nextMs(): Promise<number | undefined> {
    const [first] = await this.#records.queued(QUEUE, { limit: 1 });
    return first && ticketIn(first).dueMs;
  }

  async settle(results: readonly (Settled & Held)[]): Promise<string[]> {
    const noted = new Set<string>();
    await this.#changeHeld(results, ({ id, state, fault }, ticket) => {
      noted.delete(id);
      if (ticket.id !== id) return yielded(ticket);
      noted.add(id);
      return { ...ticket, state, fault, body: undefined, lease: undefined };
    });
    return results.flatMap(({ id }) => (noted.has(id) ? [] : [id]));
  }

  async putBack(held: readonly Held[], untilMs: number, fault?: Fault): Promise<void> {
    await this.#changeHeld(held, ({ id }, ticket) => {
      if (ticket.id !== id) return yielded(ticket);
      const attempts = ticket.attempts + (fault === undefined ? 0 : 1);
      return { ...ticket, fault, attempts, dueMs: untilMs, lease: undefined };
    });
  }

  /** Leaves tickets of which others have the lease. The change may have the ID of a newer ticket. */
  async #changeHeld<T extends Held>(
    held: readonly T[],
    of: (one: T, ticket: TicketRecord) => TicketRecord,
  ): Promise<void> {
    const changes = held.map((one) => ({
      name: nameOf(slotIn(one.id)),
      next: (now: Stored | undefined) => {
        const ticket = now && ticketIn(now);
        return ticket?.lease === one.lease ? draftOf(of(one, ticket)) : undefined;
      },
    }));
    await changeAll(this.#records, changes);
  }

  async states(ids: readonly string[]): Promise<Map<string, { state: TicketState; fault?: Fault }>> {
    const wanted = new Set(ids);
    const records = await this.#records.get(ids.map((id) => nameOf(slotIn(id))));
    return new Map(
      [...records.values()].flatMap((stored) => {
        const { id, state, fault } = ticketIn(stored);
        return wanted.has(id) ? [[id, { state, ...(fault && { fault }) }] as const] : [];
      }),
    );
  }

  countWaiting(most = Number.POSITIVE_INFINITY): Promise<number> {
    return this.#records.countQueued(QUEUE, most);
  }

  once(nonce: string, untilMs: number, nowMs: number): Promise<boolean> {
    return onceIn(this.#records, nonce, untilMs, nowMs);
  }

  close(): Promise<void> {
    return this.#records.close();
  }
}

/** What becomes of the record of a key; undefined: the ticket is stale. */
function added(ticket: NewTicket, old: TicketRecord | undefined): Draft | undefined {
  const { key, id, revision, source, body, deletes } = ticket;
  if (old && (old.revision > revision || (old.revision === revision && old.state === 'done'))) return undefined;
  const isOther = old?.source !== undefined && source !== undefined && old.source !== source;
  if (deletes && isOther) return undefined;
  const held = old?.lease === undefined ? { dueMs: 0 } : { dueMs: old.dueMs, lease: old.lease };
  // A fresh URL for a ticket, of which the old one served for nothing: attempts that failed before still count.
  const isRenewed = old?.revision === revision && old.state === 'expired' && old.fault?.code !== 'expired-url';
  const attempts = isRenewed ? old.attempts : 0;
  return draftOf({ key, id, revision, source, body, state: 'queued', attempts, ...held });
}

/** A newer ticket, of which the older one's holder has ended. */
function yielded(ticket: TicketRecord): TicketRecord {
  return { ...ticket, dueMs: 0, lease: undefined };
}

function mayTake({ state, dueMs, id }: TicketRecord, { nowMs, ids }: ClaimOptions): boolean {
  const isDue = dueMs <= nowMs || dueMs > nowMs + LONGEST_WAIT_MS;
  return state === 'queued' && isDue && (ids === undefined || ids.includes(id));
}

function nameOf(slot: string): RecordName {
  return { group: `ticket-${slot}`, id: '-' };
}

function draftOf(ticket: TicketRecord): Draft {
  const text = JSON.stringify(ticket);
  if (ticket.state !== 'queued') return { text, untilMs: Date.now() + REMEMBERED_MS };
  return { text, place: { queue: QUEUE, rank: rankOf(ticket.dueMs, ticket.revision) } };
}

function ticketIn({ text }: Stored): TicketRecord {
  return JSON.parse(text);
}
