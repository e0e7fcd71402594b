/**
 * Where tickets are handed in, however the request arrives: a server of ours, or a function that a cloud calls.
 * Tests: test/bridge/pull/server.test.ts
 */
import type * as z from 'zod';
import { HttpError } from '../../inbound/error.js';
import type { TicketQueue } from '../../manifest/queues.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import { signResponse, verifyRequest, WINDOW_MS } from '../signature.js';
import { askBody, type BridgeTicket, ticketsBody } from '../ticket.js';
import type { Audit } from './audit.js';
import { isTrusted, type Trust } from './book.js';
import { toldOf } from './fidelity.js';

export interface DeskMeans {
  queue: Pick<TicketQueue, 'add' | 'count' | 'once' | 'states'>;
  /** Any of them is accepted. */
  secrets: readonly string[];
  trust: Trust;
  /** Most tickets that wait. */
  limit: number;
  /** @throws key-not-representable */
  checkKey(key: string): void;
  deletes: boolean;
  /** Every ticket is about a version; absent: none is. */
  versions?: boolean;
  /** Tickets are in the queue. */
  taken(): void | Promise<void>;
  audit: Pick<Audit, 'note' | 'refuse'>;
}

/** A request as it was signed. */
export interface Asked {
  method: string;
  /** With the query. */
  path: string;
  body: string;
  authorization?: string;
  /** Address of the caller, for the audit log. */
  from?: string;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Who asks, once it is known. */
interface Caller {
  secret: string;
  nonce: string;
}

type Work = (text: string) => Promise<{ status: number; body: unknown }>;

const RETRY_AFTER_S = 10;
const JSON_TYPE = { 'content-type': 'application/json' };

export class Desk {
  readonly #means: DeskMeans;
  readonly #routes: ReadonlyMap<string, Work>;

  constructor(means: DeskMeans) {
    this.#means = means;
    this.#routes = new Map<string, Work>([
      ['POST /v1/tickets', (text) => this.#take(text)],
      ['POST /v1/outcomes', (text) => this.#tell(text)],
    ]);
  }

  /** Before the body is read; the signature is checked with it. @throws HttpError */
  refuseUnsigned(authorization: string | undefined): void {
    const nothing = { method: '', path: '', body: '' };
    const checked = verifyRequest(this.#means.secrets, nothing, authorization, Date.now());
    if ('refused' in checked && checked.refused === 'unsigned') throw unauthorized('the request is not signed');
  }

  /** @returns a signed response @throws HttpError: the caller is unknown, or asks for what is not there */
  async answer(asked: Asked): Promise<Answer> {
    const work = this.#routes.get(`${asked.method} ${asked.path.replace(/\?.*/, '')}`);
    if (!work) throw new HttpError(404, 'there is nothing here');
    this.refuseUnsigned(asked.authorization);
    const caller = await this.#admit(asked);
    try {
      const { status, body } = await work(asked.body);
      return signed(status, body, caller);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      this.#note(error, asked.from);
      const { status, headers, body } = signed(error.status, { error: error.message }, caller);
      return { status, headers: { ...error.headers, ...headers }, body };
    }
  }

  /** The response to a caller who is not known. */
  refusal(error: HttpError, from: string | undefined): Answer {
    this.#note(error, from);
    const headers = { ...error.headers, ...JSON_TYPE };
    return { status: error.status, headers, body: JSON.stringify({ error: error.message }) };
  }

  /** @throws HttpError */
  async #admit({ authorization, ...request }: Asked): Promise<Caller> {
    const nowMs = Date.now();
    const checked = verifyRequest(this.#means.secrets, request, authorization, nowMs);
    if ('refused' in checked) {
      throw unauthorized(
        checked.refused === 'time' ? 'the request was signed at another time' : 'the signature is wrong',
      );
    }
    if (await this.#means.queue.once(checked.nonce, nowMs + 2 * WINDOW_MS, nowMs)) return checked;
    throw unauthorized('the request was received before');
  }

  /** @throws HttpError */
  async #take(text: string): Promise<{ status: number; body: unknown }> {
    const { queue, limit, taken, audit } = this.#means;
    const { tickets } = read(ticketsBody, text);
    // The last ones to come in may exceed it, so that a limit below the size of a request does not refuse all.
    if ((await queue.count('queued', limit)) >= limit) {
      throw new HttpError(429, 'too many tickets are waiting', { 'retry-after': String(RETRY_AFTER_S) });
    }
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
    await taken();
    return { status: 202, body: { taken: good.length - stale.length, stale, refused } };
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
    const { ids } = read(askBody, text);
    const states = await this.#means.queue.states(ids);
    return { status: 200, body: { outcomes: [...states].map(([id, found]) => ({ id, ...toldOf(found) })) } };
  }

  #note({ status, message }: HttpError, from: string | undefined): void {
    this.#means.audit.refuse({ event: 'refused', from, status, message });
  }
}

function signed(status: number, said: unknown, { secret, nonce }: Caller): Answer {
  const body = JSON.stringify(said);
  return { status, headers: { ...JSON_TYPE, 'x-xsync-signature': signResponse(secret, nonce, status, body) }, body };
}

function isVersion(ticket: BridgeTicket): boolean {
  return ticket.action === 'mark' || (ticket.action === 'copy' && ticket.versionId !== undefined);
}

function unauthorized(message: string): HttpError {
  return new HttpError(401, message, { 'www-authenticate': 'XSYNC-HMAC-SHA256' });
}

/** @throws HttpError */
function read<T>(schema: z.ZodType<T>, text: string): T {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new HttpError(400, 'the body is not JSON');
  }
  const { success, data, error } = schema.safeParse(given);
  if (success) return data;
  const [issue] = error.issues;
  throw new HttpError(400, `${issue?.path.join('.')}: ${issue?.message}`);
}
