import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { XsyncError } from '../model/error.js';
import { readBody } from './body.js';
import { type ChangeBatch, type Feed, type FeedCounts, Trouble } from './feed.js';
import { Inbox } from './inbox.js';
import { BodyFault } from './reading.js';
import { Refusal, readWhole, refuseLong } from './request.js';
import { SecretCheck } from './secret.js';

export interface EndpointAddress {
  /** Name or address, an IPv6 one without brackets. */
  host: string;
  /** 0 for any free one. */
  port: number;
  path: string;
}

export interface EndpointLimits {
  /** Of one body. */
  bodyBytes: number;
  /** Events in memory that are not done. */
  events: number;
  /** From the first byte of a request to the last of its headers, in milliseconds. */
  headersMs: number;
  /** To the last byte of its body. */
  requestMs: number;
  /** Pause before released events are handed out again. */
  againMs: number;
  connections: number;
}

const LIMITS: EndpointLimits = {
  bodyBytes: 1024 * 1024,
  events: 50_000,
  headersMs: 10_000,
  requestMs: 30_000,
  againMs: 5_000,
  connections: 256,
};

/** What the sender is asked to wait when memory is full. */
const RETRY_AFTER_S = 5;

interface Answer {
  status: number;
  body?: Record<string, unknown>;
  headers?: Record<string, string>;
}

/**
 * An HTTP server of one path that takes events by POST. A call is answered as soon as its events are in memory, since
 * senders wait only for seconds (MNS: 5); what memory loses in a crash, the next listing finds.
 */
export class Endpoint implements Feed {
  readonly name: string;
  readonly counts: FeedCounts = { events: 0, ignored: 0, refused: 0 };
  onTrouble?: (message: string | undefined) => void;
  readonly #address: EndpointAddress;
  readonly #limits: EndpointLimits;
  readonly #secret: SecretCheck;
  readonly #inbox: Inbox;
  readonly #trouble = new Trouble((message) => this.onTrouble?.(message));
  readonly #server: Server;
  #started: Promise<string> | undefined;
  /** Whoever may call can call without the secret, again and again: said once. */
  #saidUnauthorized = false;

  constructor(address: EndpointAddress, secret: string, limits: Partial<EndpointLimits> = {}) {
    this.#address = address;
    this.#limits = { ...LIMITS, ...limits };
    this.#secret = new SecretCheck(secret);
    this.#inbox = new Inbox({ limit: this.#limits.events, againMs: this.#limits.againMs });
    this.name = this.#url(address.port);
    this.#server = this.#listener();
  }

  start(): Promise<string> {
    this.#started ??= this.#listen();
    return this.#started;
  }

  async *batches(signal: AbortSignal): AsyncGenerator<ChangeBatch> {
    await this.start();
    yield* this.#inbox.batches(signal);
  }

  async close(): Promise<void> {
    this.#inbox.close();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #url(port: number): string {
    const { host, path } = this.#address;
    return `http://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
  }

  #listener(): Server {
    const { headersMs, requestMs, connections } = this.#limits;
    const timeouts = { headersTimeout: headersMs, requestTimeout: requestMs, connectionsCheckingInterval: 1_000 };
    const server = createServer(timeouts, (request, response) => void this.#serve(request, response));
    // A body that will be refused anyway is not asked for.
    server.on('checkContinue', (request, response) => void this.#serve(request, response, true));
    server.maxConnections = connections;
    return server;
  }

  async #listen(): Promise<string> {
    const { host, port } = this.#address;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(cannotListen(error, this.name)));
      this.#server.listen(port, host, resolve);
    });
    const { address, port: actual } = this.#server.address() as AddressInfo;
    const open = /^(127\.|::1$)/.test(address) ? '' : ' in plain HTTP, open to the network: put TLS before it';
    return `takes events at ${this.#url(actual)}${open}`;
  }

  async #serve(request: IncomingMessage, response: ServerResponse, mayContinue = false): Promise<void> {
    let answer: Answer;
    try {
      this.#admit(request);
      if (mayContinue) response.writeContinue();
      answer = this.#take(await readWhole(request, this.#limits.bodyBytes), request);
    } catch (error) {
      answer = this.#refuse(error, request);
    }
    if (!response.socket?.destroyed) send(response, answer);
  }

  /** @throws Refusal before a byte of the body is read */
  #admit(request: IncomingMessage): void {
    const url = new URL(`http://endpoint${request.url ?? ''}`);
    if (url.pathname !== this.#address.path) throw new Refusal(404, 'events are taken at another path');
    if (request.method !== 'POST') throw new Refusal(405, 'events come by POST', { allow: 'POST' });
    if (!this.#secret.passes(request, url)) {
      const how = 'the secret is missing or wrong: Authorization: Bearer, X-Xsync-Secret or ?token=';
      throw new Refusal(401, how, { 'www-authenticate': 'Bearer realm="xsync"' });
    }
    refuseLong(Number(request.headers['content-length'] ?? 0), this.#limits.bodyBytes);
  }

  /** @throws Refusal, BodyFault */
  #take(text: string, request: IncomingMessage): Answer {
    const { events, ignored, notice } = readBody(text);
    if (!this.#inbox.offer(events)) {
      const retry = { 'retry-after': String(RETRY_AFTER_S) };
      throw new Refusal(503, 'too many events are waiting: send these again later', retry);
    }
    this.counts.events += events.length;
    this.counts.ignored += ignored;
    if (notice !== undefined) this.#trouble.is(notice);
    else if (events.length > 0) this.#trouble.over();
    // MNS takes nothing but 204 for a success, and gives events up after 3 days of retries.
    if (request.headers['x-mns-request-id'] !== undefined) return { status: 204 };
    return { status: 200, body: { taken: events.length, ignored, ...(notice && { notice }) } };
  }

  #refuse(error: unknown, request: IncomingMessage): Answer {
    const { status, message, headers } = refusalOf(error);
    if (status === 503)
      this.#trouble.is(`${this.name}: events come faster than they are handled; senders are held off`);
    else this.counts.refused++;
    if (status === 400 || status === 413 || status === 500)
      this.#trouble.is(`${this.name}: a call was refused: ${message}`);
    if (status === 401 && !this.#saidUnauthorized) {
      this.#saidUnauthorized = true;
      const from = request.socket.remoteAddress ?? 'somewhere';
      this.#trouble.is(`${this.name}: a call from ${from} was refused: its secret is missing or wrong`);
    }
    return { status, body: { error: message }, headers };
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof BodyFault) return new Refusal(400, `the body ${error.message}`);
  // A fault of ours must not let a caller end the watch.
  return new Refusal(500, `internal: ${String(error)}`);
}

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  const text = body === undefined ? '' : `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    ...(body && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    // What is left of a refused body is not worth reading.
    ...(status >= 400 && { connection: 'close' }),
    ...headers,
  });
  response.end(text);
}

function cannotListen(error: NodeJS.ErrnoException, name: string): XsyncError {
  const [why, remedy] = REASONS[error.code ?? ''] ?? [error.message, 'choose another address'];
  return new XsyncError('config', `no events can be taken at ${name}: ${why}`, { subject: name, remedy, cause: error });
}

const REASONS: Record<string, [string, string]> = {
  EADDRINUSE: ['another program listens there', 'choose another port'],
  EACCES: ['ports below 1024 need privileges', 'choose a port from 1024 up'],
  EADDRNOTAVAIL: ['this machine has no such address', 'choose 127.0.0.1, or 0.0.0.0 for all addresses'],
  ENOTFOUND: ['there is no such name', 'choose 127.0.0.1, or 0.0.0.0 for all addresses'],
};
