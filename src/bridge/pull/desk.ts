/**
 * Where tickets are handed in, however the request arrives: a server of ours, or a function that a cloud calls.
 * Tests: test/bridge/pull/server.test.ts
 */
import { HttpError } from '../../inbound/error.js';
import type { TicketQueue } from '../../manifest/queues.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import { Door, type DoorMeans, readBody, type Work } from '../door.js';
import { askBody, type BridgeTicket, MOST_TICKETS, ticketsBody } from '../ticket.js';
import type { Audit } from './audit.js';
import { isTrusted, type Trust } from './book.js';
import { toldOf } from './fidelity.js';
import { Rate } from './rate.js';

export interface DeskMeans {
  queue: Pick<TicketQueue, 'add' | 'countWaiting' | 'once' | 'states'>;
  /** Any of them is accepted; none: a client certificate is enough. May be another one each time that it is read. */
  readonly secrets: readonly string[];
  trust: Trust;
  /** Most tickets that wait. */
  limit: number;
  /** Most tickets a second of one pushing end; absent: as many as it sends. */
  rate?: number;
  /** @throws key-not-representable */
  checkKey(key: string): void;
  deletes: boolean;
  /** Every ticket is about a version; absent: none is. */
  versions?: boolean;
  /** Tickets are in the queue. */
  taken(): void | Promise<void>;
  audit: Pick<Audit, 'note' | 'refuse'>;
}

const RETRY_AFTER_S = 10;

export class Desk extends Door {
  readonly #means: DeskMeans;
  readonly #rate: Rate | undefined;

  constructor(means: DeskMeans) {
    const once: DoorMeans['once'] = (...nonce) => means.queue.once(...nonce);
    const door = { once, audit: means.audit, secrets: () => means.secrets };
    super(
      door,
      new Map<string, Work>([
        ['POST /v1/tickets', (text, peer) => this.#take(text, peer)],
        ['POST /v1/outcomes', (text) => this.#tell(text)],
      ]),
    );
    this.#means = means;
    this.#rate = means.rate === undefined ? undefined : new Rate(means.rate, MOST_TICKETS);
  }

  /** @throws HttpError */
  async #take(text: string, peer: string): Promise<{ status: number; body: unknown }> {
    const { queue, taken, audit } = this.#means;
    const { tickets } = readBody(ticketsBody, text);
    await this.#refuseTooMany(peer, tickets.length);
    const refused = tickets.flatMap((ticket) => {
      const fault = this.#faultOf(ticket);
      return fault === undefined ? [] : [{ id: ticket.id, ...fault }];
    });
    const without = new Set(refused.map(({ id }) => id));
    const good = tickets.filter(({ id }) => !without.has(id));
    const kept = this.#withoutStrangers(good);
    const stale = await queue.add(
      kept.map((ticket) => ({ ...ticket, deletes: ticket.action === 'delete', body: JSON.stringify(ticket) })),
    );
    for (const { id, key, action } of good)
      audit.note({ event: stale.includes(id) ? 'stale' : 'taken', id, key, action });
    for (const { id, code, message } of refused) {
      const key = tickets.find((ticket) => ticket.id === id)?.key;
      audit.refuse({ event: 'refused', id, key, code, message });
    }
    await taken();
    return { status: 202, body: { taken: good.length - stale.length, stale, refused } };
  }

  /** @throws HttpError */
  async #refuseTooMany(peer: string, count: number): Promise<void> {
    const { queue, limit } = this.#means;
    const waitMs = this.#rate?.take(peer, count) ?? 0;
    if (waitMs > 0) throw later('more tickets are sent than may be in a second', Math.ceil(waitMs / 1000));
    // The last ones to come in may exceed it, so that a limit below the size of a request does not refuse all.
    if ((await queue.countWaiting(limit)) >= limit) throw later('too many tickets are waiting', RETRY_AFTER_S);
  }

  /** Whose outcomes are to be told to a host that is not trusted are performed, and can be asked about. */
  #withoutStrangers(tickets: readonly BridgeTicket[]): BridgeTicket[] {
    const { trust, audit } = this.#means;
    const strange = new Set<string>();
    const kept = tickets.map(({ callback, ...ticket }) => {
      if (callback === undefined) return ticket;
      if (isTrusted(callback, { allowHost: trust.allowCallback })) return { ...ticket, callback };
      strange.add(new URL(callback).hostname);
      return ticket;
    });
    for (const host of strange) {
      const message = `the callback host ${host} is not allowed here (--allow-callback)`;
      audit.refuse({ event: 'callback-refused', code: 'untrusted-host', message });
    }
    return kept;
  }

  #faultOf(ticket: BridgeTicket): { code: string; message: string } | undefined {
    const { trust, checkKey, deletes, versions = false } = this.#means;
    try {
      checkKey(ticket.key);
      if (ticket.action === 'delete' && !deletes)
        throw new XsyncError('guard', 'deletes are not allowed here (--delete)');
      if (isVersion(ticket) !== versions && ticket.action !== 'delete') {
        const message = versions ? 'only versions are accepted here' : 'versions are not accepted here';
        throw new XsyncError('unsupported', `${message}: start both ends with --versions, or neither`);
      }
      if (ticket.action === 'copy' && !isTrusted(ticket.url, trust)) {
        const { hostname } = new URL(ticket.url);
        throw new XsyncError('untrusted-host', `the host ${hostname} is not allowed here (--allow-host)`);
      }
      return undefined;
    } catch (error) {
      if (!isXsyncError(error)) throw error;
      return { code: error.code, message: error.message };
    }
  }

  /** @throws HttpError */
  async #tell(text: string): Promise<{ status: number; body: unknown }> {
    const { ids } = readBody(askBody, text);
    const states = await this.#means.queue.states(ids);
    return { status: 200, body: { outcomes: [...states].map(([id, found]) => ({ id, ...toldOf(found) })) } };
  }
}

function isVersion(ticket: BridgeTicket): boolean {
  return ticket.action === 'mark' || (ticket.action === 'copy' && ticket.versionId !== undefined);
}

function later(message: string, seconds: number): HttpError {
  return new HttpError(429, message, { 'retry-after': String(seconds) });
}
