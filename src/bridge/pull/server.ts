/** Receives tickets. Tests: test/bridge/pull/server.test.ts */
import type * as z from 'zod';
import type { ListenAddress } from '../../inbound/address.js';
import {
  createInbound,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  HttpError,
  listen,
} from '../../inbound/server.js';
import type { TicketQueue } from '../../manifest/queues.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import { signResponse, verifyRequest, WINDOW_MS } from '../signature.js';
import { askBody, type BridgeTicket, MOST_BYTES, ticketsBody } from '../ticket.js';
import type { Audit } from './audit.js';
import { isTrusted, type Trust } from './book.js';

export interface PullServerMeans {
  queue: TicketQueue;
  /** Any of them is accepted. */
  secrets: readonly string[];
  trust: Trust;
  /** Most tickets that wait. */
  limit: number;
  /** @throws key-not-representable */
  checkKey(key: string): void;
  deletes: boolean;
  /** Tickets are in the queue. */
  taken(): void;
  audit: Audit;
}

const LIMITS = { bodyBytes: MOST_BYTES, headersMs: 5_000, requestMs: 15_000, connections: 256 };
const RETRY_AFTER_S = 10;

/** Who asks, once it is known. */
interface Caller {
  secret: string;
  nonce: string;
}

export class PullServer {
  readonly #means: PullServerMeans;
  #server: FastifyInstance | undefined;

  constructor(means: PullServerMeans) {
    this.#means = means;
  }

  /** @returns where it listens @throws config */
  async start(address: ListenAddress): Promise<ListenAddress> {
    const server = await createInbound(LIMITS, (...refused) => this.#refuse(...refused));
    this.#server = server;
    server.addHook('onRequest', async ({ headers }) => {
      // Before the body is read; the signature is checked with it.
      const checked = verifyRequest(
        this.#means.secrets,
        { method: '', path: '', body: '' },
        headers.authorization,
        Date.now(),
      );
      if ('refused' in checked && checked.refused === 'unsigned') throw unauthorized('the request is not signed');
    });
    server.post<{ Body?: string }>('/v1/tickets', (request, reply) =>
      this.#answer(request, reply, (text) => this.#take(text)),
    );
    server.post<{ Body?: string }>('/v1/outcomes', (request, reply) =>
      this.#answer(request, reply, (text) => this.#tell(text)),
    );
    server.setNotFoundHandler((request, reply) =>
      this.#refuse(new HttpError(404, 'there is nothing here'), request, reply),
    );
    // What is too slow, or no HTTP at all, and what is one connection too many.
    server.server.prependListener('clientError', (error: Error, socket) =>
      this.#means.audit.refuse({
        event: 'refused',
        from: addressOf(socket),
        message: `no whole request (${codeOf(error)})`,
      }),
    );
    server.server.on('drop', (data) =>
      this.#means.audit.refuse({ event: 'refused', from: data?.remoteAddress, message: 'too many connections' }),
    );
    return listen(server, address, 'cannot receive tickets', 'listen');
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  async #answer(
    request: FastifyRequest<{ Body?: string }>,
    reply: FastifyReply,
    work: (text: string) => Promise<{ status: number; body: unknown }>,
  ): Promise<FastifyReply> {
    const caller = await this.#admit(request);
    try {
      const { status, body } = await work(request.body ?? '');
      return this.#send(reply.code(status), body, caller);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      this.#note(error, request);
      return this.#send(reply.code(error.status).headers(error.headers), { error: error.message }, caller);
    }
  }

  /** @throws HttpError */
  async #admit({ method, url: path, body = '', headers }: FastifyRequest<{ Body?: string }>): Promise<Caller> {
    const nowMs = Date.now();
    const checked = verifyRequest(this.#means.secrets, { method, path, body }, headers.authorization, nowMs);
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
    taken();
    return { status: 202, body: { taken: good.length - stale.length, stale, refused } };
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
    const { ids } = read(askBody, text);
    const states = await this.#means.queue.states(ids);
    return { status: 200, body: { outcomes: [...states].map(([id, found]) => ({ id, ...found })) } };
  }

  #send(reply: FastifyReply, body: unknown, caller: Caller): FastifyReply {
    const text = JSON.stringify(body);
    const signature = signResponse(caller.secret, caller.nonce, reply.statusCode, text);
    return reply.header('x-xsync-signature', signature).type('application/json').send(text);
  }

  /** Closes the connection instead of reading the rest of a body. */
  #refuse(error: HttpError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    this.#note(error, request);
    const text = JSON.stringify({ error: error.message });
    return reply
      .code(error.status)
      .headers({ ...error.headers, connection: 'close' })
      .type('application/json')
      .send(text);
  }

  #note({ status, message }: HttpError, { socket }: FastifyRequest): void {
    this.#means.audit.refuse({ event: 'refused', from: socket.remoteAddress, status, message });
  }
}

function addressOf(socket: object): string | undefined {
  return 'remoteAddress' in socket && typeof socket.remoteAddress === 'string' ? socket.remoteAddress : undefined;
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.name;
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
