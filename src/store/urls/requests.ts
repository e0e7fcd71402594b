/** GETs of URLs that somebody else made. Tests: test/store/urls/store.test.ts */
import { isXsyncError, XsyncError } from '../../model/error.js';
import { namesHost } from '../http/address-guard.js';
import type { HttpResponse } from '../http/message.js';
import type { HttpTransport } from '../http/transport.js';
import type { Pace } from '../port.js';
import { expiredUrl, refusalOf } from './errors.js';
import { expiryOf } from './expiry.js';

export interface UrlRequest {
  headers: Record<string, string>;
  target?: Uint8Array;
  /** Of the target in the object. */
  offset?: number;
  signal?: AbortSignal;
  pace?: Pace;
}

const MOST_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 307, 308];

export class UrlRequests {
  readonly #transport: HttpTransport;
  readonly #allowHost: readonly string[];
  readonly #renewable: boolean;

  /**
   * @param transport with a guard of its addresses
   * @param allowHost hosts to which a redirect may lead (`namesHost`)
   * @param renewable a URL that is refused can be replaced by whoever made it
   */
  constructor(transport: HttpTransport, allowHost: readonly string[], renewable = false) {
    this.#transport = transport;
    this.#allowHost = allowHost;
    this.#renewable = renewable;
  }

  /**
   * A successful response.
   * @param onRequest called for each request that is sent
   * @throws expired-url, refused-url, untrusted-host, access-denied, object-not-found, precondition-failed, throttled, …
   */
  async get(key: string, url: string, request: UrlRequest, onRequest: () => void): Promise<HttpResponse> {
    let at = targetOf(url);
    const endMs = expiryOf(url);
    // No request: it would tell a server that may be another one by now what the URL was.
    if (endMs !== undefined && endMs <= Date.now() - CLOCK_MS) throw expiredUrl(key);
    for (let hops = 0; ; hops++) {
      onRequest();
      const whole = { ...request, ...at, method: 'GET', secretQuery: true } as const;
      const answer = await this.#transport.request(whole).catch(throwOfOneHost);
      if (answer.status === 200 || answer.status === 206) return answer;
      if (!REDIRECTS.includes(answer.status)) {
        const expired = endMs !== undefined && endMs <= Date.now();
        throw refusalOf(key, answer, { expired, renewable: this.#renewable });
      }
      if (hops === MOST_REDIRECTS) throw new XsyncError('invalid-response', `${key}: too many redirects`, lasting(key));
      at = this.#redirected(key, at, answer.headers.location);
    }
  }

  /** @throws untrusted-host, invalid-response */
  #redirected(key: string, { origin, path }: Target, location: string | undefined): Target {
    const from = new URL(origin + path);
    if (location === undefined || !URL.canParse(location, from.href)) {
      throw new XsyncError('invalid-response', `${key}: the server redirects to nowhere`, lasting(key));
    }
    const to = new URL(location, from);
    const secure = to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:');
    if (secure && (to.origin === from.origin || namesHost(this.#allowHost, to.hostname))) return targetOf(to.href);
    const message = `${key}: ${from.host} redirects to ${secure ? to.host : `${to.protocol}//${to.host}`}`;
    const remedy = secure
      ? `If you trust it, add --allow-host ${to.hostname}.`
      : 'Use the address to which the server redirects, if you trust it.';
    throw new XsyncError('untrusted-host', message, { subject: key, remedy });
  }
}

/** Without trust in one of many hosts, the others can still be read. */
function throwOfOneHost(error: unknown): never {
  if (!isXsyncError(error, 'tls')) throw error;
  const { message, subject, remedy } = error;
  throw new XsyncError('untrusted-host', message, { subject, remedy, cause: error });
}

interface Target {
  origin: string;
  path: string;
}

/** A key may contain `/../`, which is part of what was signed: the path is sent as it is written. */
function targetOf(url: string): Target {
  const [, path = ''] = /^[^:]+:\/\/[^/?#]*([^#]*)/.exec(url) ?? [];
  const ascii = path.replace(/[^\x21-\x7e]+/g, (text) =>
    [...Buffer.from(text)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
  return { origin: new URL(url).origin, path: ascii.startsWith('/') ? ascii : `/${ascii}` };
}

/** How far the clock here may be ahead of that of the service. */
const CLOCK_MS = 15 * 60_000;

function lasting(key: string) {
  return { subject: key, class: 'permanent' } as const;
}
