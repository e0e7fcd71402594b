/** Takes tickets, and tells what became of them. Tests: test/bridge/pull/server.test.ts */
import { HttpError } from '../../inbound/http-error.js';
import type { TicketQueue } from '../../manifest/queues.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import { type Caller, readBody, type Work } from '../door.js';
import { askBody, type BridgeTicket, MOST_TICKETS, ticketsBody } from '../ticket.js';
import type { Audit } from './audit.js';
import { isTrusted, type Trust } from './book.js';
import { Rate } from './rate.js';

export interface DeskMeans {
  queue: TicketQueue;
  trust: Trust;
  /** Most tickets that wait. */
  limit: number;
  /** Most tickets a second of one pushing end; absent: as many as it sends. */
  rate?: number;
  /** @throws key-not-representable */
  checkKey(key: string): void;
  deletes: boolean;
  /** Tickets are in the queue. */
  taken(): void;
  audit: Audit;
}

const RETRY_AFTER_S = 10;

export class Desk {
  readonly #means: DeskMeans;
  readonly #rate: Rate | undefined;

  constructor(means: DeskMeans) {
    this.#means = means;
    this.#rate = means.rate === undefined ? undefined : new Rate(means.rate, MOST_TICKETS);
  }

  /** What is done at which path. */
  get routes(): Record<'/v1/tickets' | '/v1/outcomes', Work> {
    return {
      '/v1/tickets': (text, caller) => this.#take(text, caller),
      '/v1/outcomes': (text) => this.#tell(text),
    };
  }

  /** @throws HttpError */
  async #take(text: string, { peer }: Caller): Promise<{ status: number; body: unknown }> {
    const { queue, taken, audit } = this.#means;
    const { tickets } = readBody(ticketsBody, text);
    await this.#refuseTooMany(peer, tickets.length);
    const refused = tickets.flatMap((ticket) => {
      const fault = this.#faultOf(ticket);
      return fault === undefined ? [] : [{ id: ticket.id, ...fault }];
    });
    const without = new Set(refused.map(({ id }) => id));
    const good = tickets.filter(({ id }) => !without.has(id));
    const stale = await queue.add(good.map((ticket) => ({ ...ticket, body: JSON.stringify(ticket) })));
    for (const { id, key, action } of good)
      audit.note({ event: stale.includes(id) ? 'stale' : 'taken', id, key, action });
    for (const { id, code, message } of refused) {
      const key = tickets.find((ticket) => ticket.id === id)?.key;
      audit.refuse({ event: 'refused', id, key, code, message });
    }
    taken();
    return { status: 202, body: { taken: good.length - stale.length, stale, refused } };
  }

  /** @throws HttpError */
  async #refuseTooMany(peer: string, count: number): Promise<void> {
    const waitMs = this.#rate?.take(peer, count) ?? 0;
    if (waitMs > 0) throw later('more tickets are sent than may be in a second', Math.ceil(waitMs / 1000));
    // The last ones to come in may exceed it, so that a limit below the size of a request does not refuse all.
    if ((await this.#means.queue.count('queued')) < this.#means.limit) return;
    throw later('too many tickets are waiting', RETRY_AFTER_S);
  }

  #faultOf(ticket: BridgeTicket): { code: string; message: string } | undefined {
    const { trust, checkKey, deletes } = this.#means;
    try {
      checkKey(ticket.key);
      if (ticket.action === 'delete' && !deletes)
        throw new XsyncError('guard', 'deletes are not allowed here (--delete)');
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
    return { status: 200, body: { outcomes: [...states].map(([id, found]) => ({ id, ...found })) } };
  }
}

function later(message: string, seconds: number): HttpError {
  return new HttpError(429, message, { 'retry-after': String(seconds) });
}
