import { type ListenAddress, urlOf } from '../inbound/address.js';
import {
  createInbound,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  HttpError,
  type InboundLimits,
  listen,
} from '../inbound/server.js';
import { readBody } from './body.js';
import { type ChangeBatch, type Feed, type FeedCounts, Trouble } from './feed.js';
import { Inbox } from './inbox.js';
import { BodyFault, type Reading } from './reading.js';
import { SecretCheck } from './secret.js';

export interface EndpointAddress extends ListenAddress {
  path: string;
}

export interface EndpointLimits extends InboundLimits {
  /** Events in memory that are not done. */
  events: number;
  /** Pause before released events are handed out again, in milliseconds. */
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

/** What the sender is asked to wait when memory is full. */
const RETRY_AFTER_S = 5;

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
  #server: FastifyInstance | undefined;
  #started: Promise<string> | undefined;
  /** Whoever may call can call without the secret, again and again: said once. */
  #saidUnauthorized = false;

  constructor(address: EndpointAddress, secret: string, limits: Partial<EndpointLimits> = {}) {
    this.#address = address;
    this.#limits = { ...LIMITS, ...limits };
    this.#secret = new SecretCheck(secret);
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
    // Whoever started it is told of its failure.
    await Promise.allSettled([this.#started]);
    await this.#server?.close();
  }

  async #listen(): Promise<string> {
    const server = await createInbound(this.#limits, (...refused) => this.#refuse(...refused));
    this.#server = server;
    server.addHook('onRequest', async (request) => this.#admit(request));
    // Every path: `#admit` compares it as it is, where the router would find patterns in it.
    server.post<{ Body: string | undefined }>('*', async ({ body = '', headers }, reply) =>
      this.#take(body, headers['x-mns-request-id'] !== undefined, reply),
    );
    const { path } = this.#address;
    const { host, port } = await listen(server, this.#address, `no events can be taken at ${this.name}`, this.name);
    const open = /^(127\.|::1$)/.test(host) ? '' : ' in plain HTTP, open to the network: put TLS before it';
    return `takes events at ${urlOf({ host: this.#address.host, port })}${path}${open}`;
  }

  /** @throws HttpError before a byte of the body is read */
  #admit({ url: target, method, headers }: FastifyRequest): void {
    const url = new URL(`http://endpoint${target}`);
    if (url.pathname !== this.#address.path) throw new HttpError(404, 'events are taken at another path');
    if (method !== 'POST') throw new HttpError(405, 'events come by POST', { allow: 'POST' });
    if (!this.#secret.passes(headers, url)) {
      const how = 'the secret is missing or wrong: Authorization: Bearer, X-Xsync-Secret or ?token=';
      throw new HttpError(401, how, { 'www-authenticate': 'Bearer realm="xsync"' });
    }
  }

  /** @throws HttpError */
  #take(text: string, fromMns: boolean, reply: FastifyReply): FastifyReply {
    const { events, ignored, notice } = read(text);
    if (!this.#inbox.offer(events)) {
      const retry = { 'retry-after': String(RETRY_AFTER_S) };
      throw new HttpError(503, 'too many events are waiting: send these again later', retry);
    }
    this.counts.events += events.length;
    this.counts.ignored += ignored;
    if (notice !== undefined) this.#trouble.is(notice);
    else if (events.length > 0) this.#trouble.over();
    // MNS takes nothing but 204 for a success, and gives events up after 3 days of retries.
    if (fromMns) return reply.code(204).send();
    return send(reply, { taken: events.length, ignored, ...(notice && { notice }) });
  }

  #refuse({ status, message, headers }: HttpError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
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
    // What is left of a refused body is not worth reading.
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
