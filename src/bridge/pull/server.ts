/** Receives tickets by HTTP. Tests: test/bridge/pull/server.test.ts */
import type { ListenAddress } from '../../inbound/address.js';
import { HttpError } from '../../inbound/error.js';
import {
  createInbound,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  listen,
} from '../../inbound/server.js';
import { MOST_BYTES } from '../ticket.js';
import { type Answer, Desk, type DeskMeans } from './desk.js';

export type PullServerMeans = DeskMeans;

const LIMITS = { bodyBytes: MOST_BYTES, headersMs: 5_000, requestMs: 15_000, connections: 256 };

export class PullServer {
  readonly #means: PullServerMeans;
  readonly #desk: Desk;
  #server: FastifyInstance | undefined;

  constructor(means: PullServerMeans) {
    this.#means = means;
    this.#desk = new Desk(means);
  }

  /** @returns where it listens @throws config */
  async start(address: ListenAddress): Promise<ListenAddress> {
    const server = await createInbound(LIMITS, (...refused) => this.#refuse(...refused));
    this.#server = server;
    server.addHook('onRequest', async ({ headers }) => this.#desk.refuseUnsigned(headers.authorization));
    for (const path of ['/v1/tickets', '/v1/outcomes']) {
      server.post<{ Body?: string }>(path, (request, reply) => this.#answer(request, reply));
    }
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

  async #answer(request: FastifyRequest<{ Body?: string }>, reply: FastifyReply): Promise<FastifyReply> {
    const { method, url: path, body = '', headers, socket } = request;
    const { authorization } = headers;
    return send(reply, await this.#desk.answer({ method, path, body, authorization, from: socket.remoteAddress }));
  }

  /** Closes the connection instead of reading the rest of a body. */
  #refuse(error: HttpError, { socket }: FastifyRequest, reply: FastifyReply): FastifyReply {
    return send(reply.header('connection', 'close'), this.#desk.refusal(error, socket.remoteAddress));
  }
}

function send(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  return reply.code(status).headers(headers).send(body);
}

function addressOf(socket: object): string | undefined {
  return 'remoteAddress' in socket && typeof socket.remoteAddress === 'string' ? socket.remoteAddress : undefined;
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.name;
}
