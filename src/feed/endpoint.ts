import { type ListenAddress, urlOf } from '../inbound/address.js';
import { HttpError } from '../inbound/error.js';
import { Room } from '../inbound/room.js';
import { SecretCheck } from '../inbound/secret.js';
import {
  createInbound,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type InboundLimits,
  listen,
} from '../inbound/server.js';
import { readBody } from './body.js';
import { type ChangeBatch, type Feed, type FeedCounts, Trouble } from './feed.js';
import { Inbox } from './inbox.js';
import { BodyFault, type Reading } from './reading.js';

export interface EndpointAddress extends ListenAddress {
  path: string;
}

export interface EndpointLimits extends InboundLimits {
  /** Maximum number of events in memory that are not done. */
  events: number;
  /** Pause before released events are delivered again, in milliseconds. */
  againMs: number;
}

const LIMITS: EndpointLimits = {
  bodyBytes: 1024 * 1024,
  events: 50_000,
  headersMs: 10_000,
  requestMs: 30_000,
  againMs: 5_000,
  connections: 256,
};

/** Retry-After for senders when memory is full. */
const RETRY_AFTER_S = 5;

/**
 * An HTTP server that receives events by POST on one path. A call is answered as soon as its events are in memory,
 * because senders wait only a few seconds (MNS: 5). The next listing finds the changes of events lost in a crash.
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
  readonly #room: Room;
  #server: FastifyInstance | undefined;
  #started: Promise<string> | undefined;
  /** Reported only once, because anyone can call without the secret repeatedly. */
  #saidUnauthorized = false;

  constructor(address: EndpointAddress, secret: string, limits: Partial<EndpointLimits> = {}) {
    this.#address = address;
    this.#limits = { ...LIMITS, ...limits };
    this.#secret = new SecretCheck(secret);
    this.#room = new Room(this.#limits.connections);
    this.#inbox = new Inbox({ limit: this.#limits.events, againMs: this.#limits.againMs });
    this.name = urlOf(address) + address.path;
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
    // The caller of `start` receives its error.
    await Promise.allSettled([this.#started]);
    await this.#server?.close();
  }

  async #listen(): Promise<string> {
    const server = await createInbound(this.#limits, (...refused) => this.#refuse(...refused), { room: this.#room });
    this.#server = server;
    server.addHook('onRequest', async (request) => this.#admit(request));
    // All paths, because `#admit` compares the path verbatim, and the router would treat it as a pattern.
    server.post<{ Body: string | undefined }>('*', async ({ body = '', headers }, reply) =>
      this.#take(body, headers['x-mns-request-id'] !== undefined, reply),
    );
    const { path } = this.#address;
    const { host, port } = await listen(server, this.#address, `cannot receive events at ${this.name}`, this.name);
    const open = /^(127\.|::1$)/.test(host) ? '' : ' in plain HTTP, open to the network; use a TLS proxy';
    return `receiving events at ${urlOf({ host: this.#address.host, port })}${path}${open}`;
  }

  /** Checks a call before its body is read. @throws HttpError */
  #admit({ url: target, method, headers, socket }: FastifyRequest): void {
    const url = new URL(`http://endpoint${target}`);
    if (url.pathname !== this.#address.path) throw new HttpError(404, 'events are received at a different path');
    if (method !== 'POST') throw new HttpError(405, 'send events by POST', { allow: 'POST' });
    if (!this.#secret.passes(headers, url)) {
      const how = 'the secret is missing or wrong; use Authorization: Bearer, X-Xsync-Secret or ?token=';
      throw new HttpError(401, how, { 'www-authenticate': 'Bearer realm="xsync"' });
    }
    this.#room.prove(socket);
  }

  /** @throws HttpError */
  #take(text: string, fromMns: boolean, reply: FastifyReply): FastifyReply {
    const { events, ignored, notice } = read(text);
    if (!this.#inbox.offer(events)) {
      const retry = { 'retry-after': String(RETRY_AFTER_S) };
      throw new HttpError(503, 'too many events are waiting; send these again later', retry);
    }
    this.counts.events += events.length;
    this.counts.ignored += ignored;
    if (notice !== undefined) this.#trouble.is(notice);
    else if (events.length > 0) this.#trouble.over();
    // MNS accepts only 204 as success, and gives events up after 3 days of retries.
    if (fromMns) return reply.code(204).send();
    return send(reply, { taken: events.length, ignored, ...(notice && { notice }) });
  }

  #refuse({ status, message, headers }: HttpError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    if (status === 503)
      this.#trouble.is(`${this.name}: events arrive faster than they are handled; senders must retry`);
    else this.counts.refused++;
    if (status === 400 || status === 413 || status === 500)
      this.#trouble.is(`${this.name}: a call was rejected: ${message}`);
    if (status === 401 && !this.#saidUnauthorized) {
      this.#saidUnauthorized = true;
      const from = request.socket.remoteAddress ?? 'an unknown address';
      this.#trouble.is(`${this.name}: a call from ${from} was rejected: its secret is missing or wrong`);
    }
    // Closes the connection instead of reading the rest of a rejected body.
    return send(reply.code(status).headers({ ...headers, connection: 'close' }), { error: message });
  }
}

/** @throws HttpError */
function read(text: string): Reading {
  try {
    return readBody(text);
  } catch (error) {
    throw error instanceof BodyFault ? new HttpError(400, `the body ${error.message}`) : error;
  }
}

function send(reply: FastifyReply, body: Record<string, unknown>): FastifyReply {
  return reply.type('application/json').send(`${JSON.stringify(body)}\n`);
}
