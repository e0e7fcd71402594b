/** The HTTP server in front of a door. Tests: test/bridge/pull/server.test.ts */
import { TLSSocket } from 'node:tls';
import type { ListenAddress } from '../inbound/address.js';
import { HttpError } from '../inbound/error.js';
import { Room } from '../inbound/room.js';
import {
  createInbound,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  listen,
  setCertificate,
} from '../inbound/server.js';
import type { Answer, Asked, Door } from './door.js';
import type { Identity } from './identity.js';
import type { Audit } from './pull/audit.js';
import { MOST_BYTES } from './ticket.js';

const LIMITS = { bodyBytes: MOST_BYTES, headersMs: 5_000, requestMs: 15_000, connections: 256 };

export interface ListenerMeans {
  door: Door;
  audit: Audit;
  address: ListenAddress;
  identity: Identity;
  /** What it cannot do if it cannot listen. */
  what: string;
}

export class Listener {
  /** Where it listens. */
  readonly at: ListenAddress;
  readonly #server: FastifyInstance;

  private constructor(server: FastifyInstance, at: ListenAddress) {
    this.#server = server;
    this.at = at;
  }

  /** @throws config */
  static async open({ door, audit, address, identity, what }: ListenerMeans): Promise<Listener> {
    const note = (from: string | undefined, message: string) => audit.refuse({ event: 'refused', from, message });
    const room = new Room(LIMITS.connections, (from) => note(from, 'too many connections'));
    // Closes the connection instead of reading the rest of a body.
    const refuse = (error: HttpError, { socket }: FastifyRequest, reply: FastifyReply) =>
      send(reply.header('connection', 'close'), door.refusal(error, socket.remoteAddress));
    const server = await createInbound(LIMITS, refuse, { tls: identity.tls, room });
    identity.onReload(() => setCertificate(server, identity.tls));
    server.addHook('onRequest', async (request) => {
      if (identity.tls?.ca !== undefined) refuseUncertified(request.socket);
      const { authorization, certificate } = askedOf(request);
      door.refuseUnsigned(authorization, certificate);
    });
    server.post('*', async (request, reply) => {
      const answer = await door.answer(askedOf(request));
      room.prove(request.socket);
      return send(reply, answer);
    });
    server.setNotFoundHandler((request, reply) => refuse(new HttpError(404, 'there is nothing here'), request, reply));
    // What is too slow, or no HTTP at all.
    server.server.prependListener('clientError', (error: Error, socket) =>
      note(addressOf(socket), `no whole request (${codeOf(error)})`),
    );
    return new Listener(server, await listen(server, address, what, 'listen'));
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}

function send(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  return reply.code(status).headers(headers).send(body);
}

/** After the handshake, so that the log has the address and the reason, and the caller is told. @throws HttpError */
function refuseUncertified(socket: object): void {
  if (!(socket instanceof TLSSocket) || socket.authorized) return;
  const reason = socket.authorizationError;
  const code = typeof reason === 'string' ? reason : codeOf(reason);
  throw new HttpError(401, `there is no client certificate that is accepted here (${code})`);
}

function askedOf({ method, url: path, headers, body, socket }: FastifyRequest): Asked {
  const certificate = socket instanceof TLSSocket && socket.authorized ? socket.getPeerCertificate() : undefined;
  return {
    ...{ method, path, authorization: headers.authorization, from: socket.remoteAddress },
    body: typeof body === 'string' ? body : '',
    ...(certificate?.fingerprint256 && { certificate: certificate.fingerprint256 }),
  };
}

function addressOf(socket: object): string | undefined {
  return 'remoteAddress' in socket && typeof socket.remoteAddress === 'string' ? socket.remoteAddress : undefined;
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.name;
}
