/** The HTTP server under every endpoint that other programs call. */
import { lookup } from 'node:dns/promises';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { XsyncError } from '../model/error.js';
import type { ListenAddress } from './address.js';

export type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

export interface InboundLimits {
  /** Of one body. */
  bodyBytes: number;
  /** From the first byte of a request to the last of its headers, in milliseconds. */
  headersMs: number;
  /** To the last byte of its body. */
  requestMs: number;
  connections: number;
}

/** A call that is refused, as the HTTP answer that says why. */
export class HttpError extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** Answers a refused call: every error of a hook, of a handler and of the body comes here. */
export type Refuse = (error: HttpError, request: FastifyRequest, reply: FastifyReply) => unknown;

/** An idle connection takes the place of another. */
const KEEP_ALIVE_MS = 5_000;

/**
 * A server without routes. Bodies come to the handlers as text, whatever their content type; closing it cuts the
 * connections that are open. Fastify is loaded here, so that a run without an endpoint does not wait for it.
 */
export async function createInbound(limits: InboundLimits, refuse: Refuse): Promise<FastifyInstance> {
  const { fastify } = await import('fastify');
  const app = fastify({
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { headersTimeout: limits.headersMs, connectionsCheckingInterval: 1_000 },
    forceCloseConnections: true,
    // A path that cannot be decoded.
    frameworkErrors: (_error, request, reply) => refuse(new HttpError(404, 'there is nothing here'), request, reply),
  });
  app.server.maxConnections = limits.connections;
  app.setErrorHandler((error, request, reply) => refuse(httpErrorOf(error, limits), request, reply));
  takeText(app, limits);
  return app;
}

function takeText(app: FastifyInstance, limits: InboundLimits): void {
  // Node would ask for the body before anybody has looked at the headers.
  app.server.on('checkContinue', (request, response) => app.routing(request, response));
  app.addHook('preParsing', async ({ headers, raw }, reply) => {
    if (Number(headers['content-length']) > limits.bodyBytes) throw tooLong(limits);
    if (headers.expect !== undefined && raw.httpVersion === '1.1') reply.raw.writeContinue();
    // Senders label their bodies as they like, and some not at all; Fastify would refuse a malformed label.
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
  if (status === 400) return new HttpError(400, 'the body broke off');
  // A fault of ours must not let a caller end the program.
  return new HttpError(500, `internal: ${String(error)}`);
}

function tooLong({ bodyBytes }: InboundLimits): HttpError {
  return new HttpError(413, `the body is longer than ${bodyBytes} bytes`);
}

/**
 * Listens, for a name at the first of its addresses.
 * @param what is not possible where it cannot, for the complaint
 * @param subject of the complaint
 * @returns where it listens, with the port that it got
 * @throws config
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
  EADDRINUSE: ['another program listens there', 'choose another port, or end that program'],
  EACCES: ['ports below 1024 need privileges', 'choose a port from 1024 up'],
  EADDRNOTAVAIL: ['this machine has no such address', 'leave the host out, or choose 0.0.0.0 for all addresses'],
  ENOTFOUND: ['there is no such name', 'leave the host out, or choose 0.0.0.0 for all addresses'],
};
