/** The HTTP server of all endpoints that other programs call. */
import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { XsyncError } from '../model/error.js';
import type { ListenAddress } from './address.js';
import { HttpError } from './error.js';
import { Room } from './room.js';

export type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

export interface InboundLimits {
  /** Maximum size of one body. */
  bodyBytes: number;
  /** Maximum time from the first byte of a request to the end of its headers. */
  headersMs: number;
  /** Maximum time from the first byte of a request to the end of its body. */
  requestMs: number;
  /** Beyond it, connections of callers who have not proved who they are make room for new ones. */
  connections: number;
}

/** PEM. */
export interface TlsFiles {
  cert: string;
  key: string;
  /** Certificate authorities; callers are asked for a certificate of one of them. */
  ca?: string;
}

export interface InboundMeans {
  /** Absent: plain HTTP. */
  tls?: TlsFiles;
  room?: Room;
}

/** Sends the response of a rejected call. Called for every error of a hook, a handler or the body. */
export type Refuse = (error: HttpError, request: FastifyRequest, reply: FastifyReply) => unknown;

/** Short, because idle connections count towards the limit. */
const KEEP_ALIVE_MS = 5_000;

/**
 * Creates a server without routes. Handlers receive bodies as text, regardless of the content type. Closing it closes
 * open connections. Fastify is loaded here, so that a run without an endpoint does not load it.
 */
export async function createInbound(
  limits: InboundLimits,
  refuse: Refuse,
  { tls, room = new Room(limits.connections) }: InboundMeans = {},
): Promise<FastifyInstance> {
  const { fastify } = await import('fastify');
  const app = fastify({
    bodyLimit: limits.bodyBytes,
    forceCloseConnections: true,
    serverFactory: (handler) => serverOf(limits, tls, handler),
    // A path that cannot be decoded.
    frameworkErrors: (_error, request, reply) => refuse(new HttpError(404, 'not found'), request, reply),
  });
  app.server.on('connection', (socket) => room.enter(socket));
  app.setErrorHandler((error, request, reply) => refuse(httpErrorOf(error, limits), request, reply));
  takeText(app, limits);
  return app;
}

function serverOf(
  { headersMs, requestMs }: InboundLimits,
  tls: TlsFiles | undefined,
  handler: RequestListener,
): Server {
  const options: ServerOptions = {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: 1_000,
  };
  if (!tls) return createServer(options, handler);
  // Whoever has none that is accepted is told so by a handler (`TLSSocket.authorized`).
  const asked = { requestCert: tls.ca !== undefined, rejectUnauthorized: false };
  return createTlsServer({ ...options, ...tls, ...asked, handshakeTimeout: headersMs }, handler);
}

/** New connections get this certificate, and their callers are checked by its authorities. */
export function setCertificate({ server }: FastifyInstance, tls: TlsFiles | undefined): void {
  if (!tls || !(server instanceof TlsServer)) return;
  server.setSecureContext(tls);
  // Nobody resumes a session that began with a certificate of another authority.
  server.setTicketKeys(randomBytes(48));
}

function takeText(app: FastifyInstance, limits: InboundLimits): void {
  // Without this, Node requests the body before the headers are checked.
  app.server.on('checkContinue', (request, response) => app.routing(request, response));
  app.addHook('preParsing', async ({ headers, raw }, reply) => {
    if (Number(headers['content-length']) > limits.bodyBytes) throw tooLong(limits);
    if (headers.expect !== undefined && raw.httpVersion === '1.1') reply.raw.writeContinue();
    // Some senders set a wrong content type or none, and Fastify rejects a malformed one.
    delete raw.headers['content-type'];
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) => {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(body);
    } catch {
      throw new HttpError(400, 'the body is not UTF-8');
    }
  });
}

function httpErrorOf(error: unknown, limits: InboundLimits): HttpError {
  if (error instanceof HttpError) return error;
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (status === 413) return tooLong(limits);
  if (status === 400) return new HttpError(400, 'the body is incomplete');
  // A bug must not let a caller end the program.
  return new HttpError(500, `internal: ${String(error)}`);
}

function tooLong({ bodyBytes }: InboundLimits): HttpError {
  return new HttpError(413, `the body is longer than ${bodyBytes} bytes`);
}

/**
 * Listens on the address, or on the first address of a name.
 * @param what start of the error message
 * @param subject subject of the error
 * @returns the actual address and port
 * @throws config: it cannot listen there
 */
export async function listen(
  app: FastifyInstance,
  { host, port }: ListenAddress,
  what: string,
  subject: string,
): Promise<ListenAddress> {
  try {
    const { address } = await lookup(host);
    await app.listen({ host: address, port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const [why, remedy] = REASONS[code] ?? [String(error), 'choose another address'];
    throw new XsyncError('config', `${what}: ${why}`, { subject, remedy, cause: error });
  }
  const { address, port: actual } = app.server.address() as AddressInfo;
  return { host: address, port: actual };
}

const REASONS: Record<string, [why: string, remedy: string]> = {
  EADDRINUSE: ['another program uses this port', 'choose another port, or stop that program'],
  EACCES: ['ports below 1024 need privileges', 'choose port 1024 or above'],
  EADDRNOTAVAIL: ['this host does not have that address', 'leave the host out, or choose 0.0.0.0 for all addresses'],
  ENOTFOUND: ['the host name does not exist', 'leave the host out, or choose 0.0.0.0 for all addresses'],
};
