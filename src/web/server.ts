/**
 * The page over HTTP: a board of all rules, a page for each destination, their events, and the retry of what failed.
 * Everybody who reaches it may read; retrying needs the token. Tests: test/web/server.test.ts
 */
import { createHash } from 'node:crypto';
import { type ListenAddress, urlOf } from '../inbound/address.js';
import { HttpError } from '../inbound/error.js';
import {
  createInbound,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type InboundLimits,
  listen,
} from '../inbound/server.js';
import type { Board, RetryAnswer, Shown } from './board.js';
import { type Detail, detailOf, keyOfParameter } from './detail.js';
import { Hosts, isSameOrigin } from './hosts.js';
import { Live, type Parts, shapeOf } from './live.js';
import { noCookie, Sessions } from './session.js';

/** Who looks. `reader`: there is a token, which was not shown. `anybody`: there is none, so that nobody can retry. */
export type Viewer = 'retrier' | 'reader' | 'anybody';

/** How the pages look. Documents are HTML whose only style and script are these, inline. */
export interface Look {
  readonly style: string;
  readonly script: string;
  board(pairs: readonly Shown[], viewer: Viewer): Parts;
  /** @param detail absent: the pair has not run, or its manifest cannot be read now */
  pair(pair: Shown, detail: Detail | undefined, viewer: Viewer): Parts;
  /** The document of a board or a pair. */
  page(page: { title: string; path: string; live: string; parts: Parts; viewer: Viewer }): string;
  /** @param back path of the page to return to. @param said what was wrong before */
  signIn(back: string, said?: string): string;
  notice(title: string, text: string): string;
}

export interface WebOptions {
  board: Board;
  look: Look;
  /** Absent: nobody can retry. */
  token?: string;
  /** Other names under which the page is reached. */
  hosts?: readonly string[];
  /** Tells about wrong tokens. */
  warn(message: string): void;
}

export interface Web {
  url: string;
  close(): Promise<void>;
}

/** A key of 1 KiB has four times as many characters in a form. */
const LIMITS: InboundLimits = { bodyBytes: 16_384, headersMs: 10_000, requestMs: 30_000, connections: 128 };
/** A wrong token is told once in this time. */
const TELL_MS = 60_000;

const ANSWERS: Readonly<Record<Exclude<RetryAnswer, 'started' | 'in progress'>, [status: number, text: string]>> = {
  mirror: [409, 'A mirror tries failed objects again in each of its passes.'],
  'not open': [409, 'The rule is not connected now. It tries again by itself; retry the objects when it is well.'],
  'unknown rule': [404, 'There is no rule of this name any more.'],
};

/** @throws config when it cannot listen there */
export async function serveWeb(address: ListenAddress, options: WebOptions): Promise<Web> {
  const site = new Site(options, address.host);
  const server = await createInbound(LIMITS, (...refused) => site.refuse(...refused));
  site.join(server);
  const listening = await listen(server, address, `--web: cannot listen at ${urlOf(address)}`, '--web');
  return {
    url: urlOf({ host: address.host, port: listening.port }),
    async close() {
      site.close();
      await server.close();
    },
  };
}

class Site {
  readonly #options: WebOptions;
  readonly #hosts: Hosts;
  readonly #sessions: Sessions | undefined;
  readonly #live = new Live();
  readonly #policy: string;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(options: WebOptions, host: string) {
    const { look, token, hosts = [] } = options;
    this.#options = options;
    this.#hosts = new Hosts([host, ...hosts]);
    this.#sessions = token === undefined ? undefined : new Sessions(token);
    this.#policy = policyOf(look);
  }

  close(): void {
    this.#live.close();
  }

  join(server: FastifyInstance): void {
    server.addHook('onRequest', async (request, reply) => {
      this.#secure(reply);
      if (!this.#hosts.knows(request.headers.host)) {
        throw new HttpError(421, 'The page is not known under this name. Add the name with --web-host.');
      }
      if (request.is404) throw new HttpError(404, 'There is no such page.');
      if (request.method === 'POST') this.#mustBeOwn(request);
    });
    server.get('/', async (request, reply) => {
      const parts = await this.#boardParts(this.#viewer(request));
      return this.#send(reply, 'xsync', request, parts, `/live?shape=${shapeOf(parts)}`);
    });
    server.get<{ Params: { '*': string } }>('/rules/*', async (request, reply) => {
      const id = request.params['*'];
      const after = afterOf(request);
      const parts = await this.#pairParts(id, after, this.#viewer(request));
      if (!parts) throw new HttpError(404, 'There is no such rule.');
      const query = new URLSearchParams({
        rule: id,
        shape: shapeOf(parts),
        ...(after !== undefined && { after: after.text }),
      });
      return this.#send(reply, `${id} · xsync`, request, parts, `/live?${query}`);
    });
    // A HEAD would listen without hearing anything.
    server.get('/live', { exposeHeadRoute: false }, async (request, reply) => this.#listen(request, reply));
    server.get('/sign-in', async (request, reply) => {
      this.#mustHaveToken();
      return html(reply, this.#options.look.signIn(backOf(queryOf(request).get('back'))));
    });
    server.post<{ Body: string | undefined }>('/sign-in', async (request, reply) => this.#signIn(request, reply));
    server.post('/sign-out', async (request, reply) =>
      reply.header('set-cookie', noCookie(isHttps(request))).redirect('/', 303),
    );
    server.post<{ Body: string | undefined }>('/retry', async (request, reply) => this.#retry(request, reply));
  }

  refuse({ status, message, headers }: HttpError, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
    this.#secure(reply).code(status).headers(headers);
    return html(reply, this.#options.look.notice(status === 404 ? 'Not found' : 'Not possible', message));
  }

  #secure(reply: FastifyReply): FastifyReply {
    return reply.headers({
      'cache-control': 'no-store',
      'content-security-policy': this.#policy,
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      // Without a referrer, forms would have no origin.
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
  }

  /** @throws HttpError for a form of another page */
  #mustBeOwn({ headers }: FastifyRequest): void {
    // Programs that show the token send no origin, and no browser sends the token for a stranger.
    if (headers.origin === undefined && headers.authorization !== undefined) return;
    if (isSameOrigin(headers.origin, headers.host)) return;
    throw new HttpError(
      403,
      'The form was sent by another page. If a proxy is in between, it must pass on the Host header.',
    );
  }

  #mustHaveToken(): Sessions {
    if (this.#sessions) return this.#sessions;
    throw new HttpError(403, 'The page is read-only: xsync was started without XSYNC_WEB_TOKEN.');
  }

  #viewer({ headers }: FastifyRequest): Viewer {
    if (!this.#sessions) return 'anybody';
    return this.#sessions.has(headers.cookie) ? 'retrier' : 'reader';
  }

  async #boardParts(viewer: Viewer): Promise<Parts> {
    const { board, look } = this.#options;
    return look.board(await board.shown(), viewer);
  }

  async #pairParts(id: string, after: After | undefined, viewer: Viewer): Promise<Parts | undefined> {
    const { board, look } = this.#options;
    const pair = await board.one(id);
    const detail = pair && (await board.read(id, (manifest, atWork) => detailOf(manifest, after?.key, atWork)));
    return pair && look.pair(pair, detail, viewer);
  }

  #send(reply: FastifyReply, title: string, request: FastifyRequest, parts: Parts, live: string): FastifyReply {
    const viewer = this.#viewer(request);
    return html(reply, this.#options.look.page({ title, path: request.url, live, parts, viewer }));
  }

  #listen(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    if (this.#live.full) throw new HttpError(503, 'Too many pages are open.', { 'retry-after': '30' });
    const query = queryOf(request);
    const [rule, after] = [query.get('rule'), afterOf(request)];
    const viewer = this.#viewer(request);
    const read = () => (rule === null ? this.#boardParts(viewer) : this.#pairParts(rule, after, viewer));
    reply.hijack();
    const headers = { ...reply.getHeaders(), 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' };
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) reply.raw.setHeader(name, value);
    reply.raw.flushHeaders();
    this.#live.add(reply.raw, { read, shape: query.get('shape') ?? '' });
    return reply;
  }

  #signIn(request: FastifyRequest<{ Body: string | undefined }>, reply: FastifyReply): FastifyReply {
    const sessions = this.#mustHaveToken();
    const form = new URLSearchParams(request.body);
    const back = backOf(form.get('back'));
    const said = this.#complaint(sessions, form.get('token') ?? '', request);
    if (said === undefined) return reply.header('set-cookie', sessions.cookie(isHttps(request))).redirect(back, 303);
    return html(reply.code(said.status), this.#options.look.signIn(back, said.text));
  }

  /** What is wrong with a token; undefined if it is right. */
  #complaint(
    sessions: Sessions,
    token: string,
    { socket }: FastifyRequest,
  ): { status: number; text: string } | undefined {
    const address = socket.remoteAddress ?? 'an unknown address';
    const found = sessions.try(token.trim(), address);
    if (found === 'right') return undefined;
    const nowMs = performance.now();
    if (nowMs - this.#toldMs >= TELL_MS) {
      this.#toldMs = nowMs;
      this.#options.warn(`--web: a wrong token was given from ${address}`);
    }
    if (found === 'wait') return { status: 429, text: 'Too many wrong tokens. Wait a minute.' };
    return { status: 403, text: 'This is not the token in XSYNC_WEB_TOKEN.' };
  }

  #retry(request: FastifyRequest<{ Body: string | undefined }>, reply: FastifyReply): FastifyReply {
    const sessions = this.#mustHaveToken();
    const form = new URLSearchParams(request.body);
    const [rule, key] = [form.get('rule') ?? '', form.get('key')];
    const bearer = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (bearer !== undefined) {
      const said = this.#complaint(sessions, bearer, request);
      if (said) throw new HttpError(said.status, said.text);
    } else if (!sessions.has(request.headers.cookie)) return reply.redirect('/sign-in', 303);
    const named = key === null ? undefined : keyOfParameter(key);
    if (key !== null && named === undefined) throw new HttpError(400, 'The key is damaged.');
    const answer = this.#options.board.retry(rule, named);
    if (answer !== 'started' && answer !== 'in progress') throw new HttpError(...ANSWERS[answer]);
    return reply.redirect(backOf(form.get('back')), 303);
  }
}

interface After {
  key: string;
  text: string;
}

/** @throws HttpError */
function afterOf(request: FastifyRequest): After | undefined {
  const text = queryOf(request).get('after');
  const key = text === null ? undefined : keyOfParameter(text);
  if (text !== null && key === undefined) throw new HttpError(400, 'The address is damaged.');
  return text === null || key === undefined ? undefined : { key, text };
}

function queryOf({ url }: FastifyRequest): URLSearchParams {
  return new URLSearchParams(url.replace(/^[^?]*\??/s, ''));
}

/** A path of this page: an address that begins with two slashes is another host. */
function backOf(text: string | null): string {
  return text !== null && /^\/(rules\/[\w.~!*'()%-]*(\?after=[\w-]*)?)?$/.test(text) ? text : '/';
}

function isHttps({ headers }: FastifyRequest): boolean {
  return headers.origin?.startsWith('https:') === true;
}

function html(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(text);
}

/** Nothing but what the documents have inline, and the page's own addresses. */
function policyOf({ style, script }: Look): string {
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return [
    "default-src 'none'",
    `style-src ${hash(style)}`,
    `script-src ${hash(script)}`,
    "connect-src 'self'",
    'img-src data:',
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
