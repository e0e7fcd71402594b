/**
 * The HTTP transport of the network adapters: HTTP/1.1 over keep-alive pools, one request per call, response bytes
 * directly into the caller's memory. It knows no service: no redirects, no retries, no decoding. The client is our own,
 * because moving objects is most of what xsync does: `exchange.ts` is a call, `line.ts` the pool of an origin,
 * `channel.ts` a connection, `parser.ts` reads responses.
 *
 * A connection that the server closed while idle is detected before reuse (`Line.start`), so nothing is repeated here.
 * The rare close that crosses a request on the wire is a `network` error, which the retry wrapper handles.
 */
import { XsyncError } from '../../model/error.js';
import type { LineWatch } from '../../model/line-state.js';
import type { AddressGuard } from './address-guard.js';
import { ClockSkew } from './clock.js';
import type { SocketCongestion } from './congestion.js';
import type { TlsOptions } from './connection.js';
import { Dialer, type Route } from './dial.js';
import { Exchange } from './exchange.js';
import { Line } from './line.js';
import type { HttpRequest, HttpResponse } from './message.js';
import { authorizationOf, type ProxyServer } from './proxy.js';
import { requestHead } from './request-head.js';
import { type FaultContext, translateFault } from './translate.js';
import { refusedByProxy } from './tunnel.js';

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
  /** Says which addresses may be connected to; absent: all. */
  guard?: AddressGuard;
  userAgent: string;
}

/** How requests to one origin are made. */
interface Way {
  line: Line;
  route: Route;
  /** Of every request. */
  headers: Record<string, string>;
  context: Omit<FaultContext, 'answering'>;
}

export class HttpTransport {
  /** Learned clock offsets per origin, shared by every adapter on this transport. */
  readonly clock = new ClockSkew();
  readonly #ways = new Map<string, Way>();
  readonly #connectTimeoutMs: number;
  readonly #idleTimeoutMs: number;
  readonly #options: HttpTransportOptions;
  readonly #dialer: Dialer;
  #closed = false;

  constructor(options: HttpTransportOptions) {
    this.#options = options;
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 15_000;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 60_000;
    const { tls, congestion, guard } = options;
    this.#dialer = new Dialer({ tls, congestion, guard, connectTimeoutMs: this.#connectTimeoutMs });
  }

  /** For looks at the lines to far servers. */
  watchLine(): LineWatch {
    return this.#dialer.watchLine();
  }

  /**
   * Sends one request and returns the response with any status.
   * @throws XsyncError unreachable, network, tls, timeout, truncated, invalid-response, aborted; never for a status
   */
  request(request: HttpRequest): Promise<HttpResponse> {
    if (this.#closed) return Promise.reject(new XsyncError('aborted', 'the transport is closed'));
    if (request.signal?.aborted) return Promise.reject(abortedError(request.origin));
    try {
      return this.#start(request);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** @throws what is wrong with the request */
  #start(request: HttpRequest): Promise<HttpResponse> {
    const way = this.#wayTo(request.origin);
    const exchange = this.#exchangeOf(request, way);
    way.line.start(exchange);
    const { forwarder } = way.route;
    if (!forwarder) return exchange.answer;
    return exchange.answer.then((answer) => {
      if (answer.status === 407) throw refusedByProxy(forwarder, hostOf(request.origin), answer.status);
      return answer;
    });
  }

  /** Closes every connection; requests in progress reject with `aborted`. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { line, context } of this.#ways.values()) {
      line.close(new XsyncError('aborted', `the transport was closed during a request to ${context.host}`));
    }
    this.#ways.clear();
  }

  #exchangeOf(request: HttpRequest, way: Way): Exchange {
    const { method, origin, path, headers, body } = request;
    const target = way.route.forwarder ? `${origin}${path}` : path;
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body?.byteLength;
    try {
      return new Exchange(request, requestHead(method, target, headers, length, way.headers), way.context);
    } catch (error) {
      throw translateFault(error, { ...way.context, answering: false });
    }
  }

  #wayTo(origin: string): Way {
    let way = this.#ways.get(origin);
    if (!way) {
      const url = new URL(origin);
      const route = routeTo(url, this.#options.proxyOf?.(origin));
      const idleTimeoutMs = this.#idleTimeoutMs;
      const line = new Line(route, this.#dialer, { connections: this.#options.connections ?? 256, idleTimeoutMs });
      const context = { host: hostOf(origin), idleTimeoutMs, connectTimeoutMs: this.#connectTimeoutMs };
      const authorization = route.forwarder && authorizationOf(route.forwarder);
      const headers = {
        host: url.host,
        'user-agent': this.#options.userAgent,
        ...(authorization !== undefined && { 'proxy-authorization': authorization }),
      };
      way = { line, route, headers, context };
      this.#ways.set(origin, way);
    }
    return way;
  }
}

/** Plain HTTP over an HTTP proxy needs no tunnel: the proxy gets each request, with the whole URL. */
function routeTo({ protocol, hostname, port }: URL, proxy: ProxyServer | undefined): Route {
  const secure = protocol === 'https:';
  const host = hostname.replace(/^\[|\]$/g, '');
  if (proxy && !secure && proxy.protocol !== 'socks5:') {
    return { secure: proxy.protocol === 'https:', host: proxy.host, port: proxy.port, forwarder: proxy, target: host };
  }
  return { secure, host, port: Number(port) || (secure ? 443 : 80), ...(proxy && { tunnel: proxy }) };
}

function hostOf(origin: string): string {
  return origin.slice(origin.indexOf('://') + 3);
}

function abortedError(origin: string): XsyncError {
  return new XsyncError('aborted', `the request to ${hostOf(origin)} was aborted`);
}
