/**
 * The HTTP transport of the network adapters: HTTP/1.1 over keep-alive pools, one request per call, response bytes
 * directly into the caller's memory. It knows no service: no redirects, no retries, no decoding.
 *
 * A connection that the server closed while idle is detected before reuse (undici gives the event loop a turn to see
 * the close), so nothing is repeated here. The rare close that crosses a request on the wire is a `network` error,
 * which the retry wrapper handles.
 */
import type { Socket } from 'node:net';
import type { Dispatcher } from 'undici';
import { XsyncError } from '../../model/error.js';
import { ClockSkew } from './clock.js';
import type { SocketCongestion } from './congestion.js';
import type { TlsOptions } from './connection.js';
import { Exchange } from './exchange.js';
import type { HttpRequest, HttpResponse } from './message.js';
import { authorizationOf, type ProxyServer } from './proxy.js';
import { sharedReads } from './reading.js';
import { proxyFault, refusedByProxy, tunnelConnector } from './tunnel.js';
import { buildConnector, type Connector, Pool } from './undici.js';

export interface HttpTransportOptions {
  /** Maximum number of connections per origin; further requests wait. 256 when absent. */
  connections?: number;
  /** 15 s when absent. */
  connectTimeoutMs?: number;
  /** A request with no byte either way for this long is a `timeout`; slow progress never is. 60 s when absent. */
  idleTimeoutMs?: number;
  tls?: TlsOptions & { ca?: string | Buffer };
  /** The proxy for an origin; none when absent. */
  proxyOf?: (origin: string) => ProxyServer | undefined;
  /** Sets the congestion control of each new connection; the system's default when absent. */
  congestion?: SocketCongestion;
  userAgent: string;
}

/** The connections to one origin. */
interface Line {
  pool: Pool;
  /** Plain HTTP over an HTTP proxy needs no tunnel: the proxy gets each request, with the whole URL. */
  forwarder?: ProxyServer;
}

/** How long an idle connection is kept, in milliseconds, unless the server announces less. */
const KEEP_ALIVE_MS = 10_000;
/** Response headers longer than this many bytes are `invalid-response`; OSS returns up to 8 KB of metadata in them. */
const MAX_HEADER_BYTES = 32 * 1024;
/** When Node tries the next address of a host; its default of 250 ms is too short for a lossy line. */
const ADDRESS_ATTEMPT_MS = 1_000;

export class HttpTransport {
  /** Learned clock offsets per origin, shared by every adapter on this transport. */
  readonly clock = new ClockSkew();
  readonly #lines = new Map<string, Line>();
  readonly #connectTimeoutMs: number;
  readonly #idleTimeoutMs: number;
  readonly #options: HttpTransportOptions;
  #closed = false;

  constructor(options: HttpTransportOptions) {
    this.#options = options;
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 15_000;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 60_000;
  }

  /**
   * Sends one request and returns the response with any status.
   * @throws XsyncError unreachable, network, tls, timeout, truncated, invalid-response, aborted; never for a status
   */
  async request(request: HttpRequest): Promise<HttpResponse> {
    if (this.#closed) throw new XsyncError('aborted', 'the transport is closed');
    if (request.signal?.aborted) throw abortedError(request.origin);
    const { pool, forwarder } = this.#lineOf(request.origin);
    const exchange = new Exchange(request, {
      host: hostOf(request.origin),
      idleTimeoutMs: this.#idleTimeoutMs,
      connectTimeoutMs: this.#connectTimeoutMs,
    });
    const answer = await exchange.run((options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) =>
      pool.dispatch(
        { ...options, ...routeOf(request, forwarder), headers: this.#headersOf(request, forwarder) },
        handler,
      ),
    );
    if (forwarder && answer.status === 407) throw refusedByProxy(forwarder, hostOf(request.origin), answer.status);
    return answer;
  }

  /** Closes every connection; requests in progress reject with `aborted`. */
  async close(): Promise<void> {
    this.#closed = true;
    const lines = [...this.#lines.values()];
    this.#lines.clear();
    await Promise.all(lines.map(({ pool }) => pool.destroy()));
  }

  #headersOf({ origin, headers, body }: HttpRequest, forwarder: ProxyServer | undefined): Record<string, string> {
    const all: Record<string, string> = { 'user-agent': this.#options.userAgent, ...headers };
    if (forwarder) {
      // undici would name the proxy.
      all.host ??= hostOf(origin);
      const authorization = authorizationOf(forwarder);
      if (authorization !== undefined) all['proxy-authorization'] = authorization;
    }
    if (body !== undefined) all['content-length'] = String(Buffer.byteLength(body));
    return all;
  }

  #lineOf(origin: string): Line {
    let line = this.#lines.get(origin);
    if (!line) {
      const proxy = this.#options.proxyOf?.(origin);
      const forwarder = proxy && proxy.protocol !== 'socks5:' && origin.startsWith('http://') ? proxy : undefined;
      const pool = new Pool(forwarder ? `${forwarder.protocol}//${forwarder.name}` : origin, {
        connections: this.#options.connections ?? 256,
        pipelining: 1,
        allowH2: false,
        keepAliveTimeout: KEEP_ALIVE_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: this.#idleTimeoutMs,
        bodyTimeout: this.#idleTimeoutMs,
        connect: forwarder ? this.#toProxy(forwarder) : proxy ? this.#through(proxy) : this.#connector(),
      });
      line = { pool, ...(forwarder && { forwarder }) };
      this.#lines.set(origin, line);
    }
    return line;
  }

  #connector(): Connector {
    const { congestion } = this.#options;
    const settings = this.#settings();
    // Shared by all TLS connections, because it caches their sessions.
    const secure = buildConnector(settings);
    return (options, callback) => {
      let made: Socket | undefined;
      const onread = sharedReads(() => made, MAX_HEADER_BYTES);
      const connect = options.protocol === 'https:' ? secure : buildConnector({ ...settings, onread });
      connect(options, (...result) => {
        if (result[1] !== null) {
          made = result[1];
          congestion?.apply(made);
        }
        callback(...result);
      });
    };
  }

  /** Errors of these connections name the proxy. */
  #toProxy(proxy: ProxyServer): Connector {
    const connect = this.#connector();
    return (options, callback) => {
      connect(options, (...result) => {
        if (result[0] === null) callback(...result);
        else callback(proxyFault(proxy, result[0], this.#connectTimeoutMs), null);
      });
    };
  }

  #through(proxy: ProxyServer): Connector {
    const { congestion, tls = {} } = this.#options;
    const options = { timeoutMs: this.#connectTimeoutMs, tls };
    return tunnelConnector(proxy, buildConnector(this.#settings()), options, (socket) => congestion?.apply(socket));
  }

  #settings() {
    return {
      ...this.#options.tls,
      allowH2: false,
      timeout: this.#connectTimeoutMs,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS,
    };
  }
}

/** The target of a request to a forwarding proxy: the whole URL. */
function routeOf(
  { origin, path }: HttpRequest,
  forwarder: ProxyServer | undefined,
): { origin?: string; path?: string } {
  return forwarder ? { origin: `${forwarder.protocol}//${forwarder.name}`, path: `${origin}${path}` } : {};
}

function hostOf(origin: string): string {
  return origin.slice(origin.indexOf('://') + 3);
}

function abortedError(origin: string): XsyncError {
  return new XsyncError('aborted', `the request to ${hostOf(origin)} was aborted`);
}
