/**
 * Who may retry: whoever has shown the token, by a cookie for some hours. The cookie says until when, signed with the
 * token, so that it survives a restart and ends with the token. Browsers send cookies to every port of a host, so it does
 * not hold the token itself. Tests: test/web/session.test.ts
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { SecretCheck } from '../inbound/secret.js';

export const SESSION_MS = 12 * 3_600_000;
const COOKIE = 'xsync_session';
/** Wrong tokens from one address, before it has to wait. */
const MOST_WRONG = 5;
const WAIT_MS = 60_000;
/** Addresses that are remembered. */
const MOST_ADDRESSES = 1000;

export class Sessions {
  readonly #token: string;
  readonly #check: SecretCheck;
  readonly #now: () => number;
  /** By address, the one that was wrong last at the end. */
  readonly #wrong = new Map<string, { times: number; lastMs: number }>();

  constructor(token: string, now: () => number = Date.now) {
    this.#token = token;
    this.#check = new SecretCheck(token);
    this.#now = now;
  }

  /** @returns `wait`: too many wrong tokens came from this address */
  try(token: string, address: string): 'right' | 'wrong' | 'wait' {
    const nowMs = this.#now();
    const before = this.#wrong.get(address);
    const recent = before && nowMs - before.lastMs < WAIT_MS ? before.times : 0;
    if (recent >= MOST_WRONG) return 'wait';
    if (this.#check.is(token)) {
      this.#wrong.delete(address);
      return 'right';
    }
    this.#wrong.delete(address);
    this.#wrong.set(address, { times: recent + 1, lastMs: nowMs });
    const [oldest] = this.#wrong.keys();
    if (this.#wrong.size > MOST_ADDRESSES && oldest !== undefined) this.#wrong.delete(oldest);
    return 'wrong';
  }

  /** The `Set-Cookie` of somebody who has shown the token. @param secure the page is reached by HTTPS */
  cookie(secure: boolean): string {
    const untilMs = this.#now() + SESSION_MS;
    return cookieOf(`${untilMs}.${this.#sign(untilMs)}`, SESSION_MS / 1000, secure);
  }

  /** Whether the `Cookie` header has a valid session. */
  has(header: string | undefined): boolean {
    const [, until = '', signature = ''] =
      /(?:^|; *)xsync_session=(\d{1,15})\.([\w-]{43})(?:;|$)/.exec(header ?? '') ?? [];
    const untilMs = Number(until);
    if (signature === '' || untilMs <= this.#now() || untilMs > this.#now() + SESSION_MS) return false;
    return timingSafeEqual(Buffer.from(signature), Buffer.from(this.#sign(untilMs)));
  }

  #sign(untilMs: number): string {
    return createHmac('sha256', this.#token).update(`xsync web session until ${untilMs}`).digest('base64url');
  }
}

/** The `Set-Cookie` that ends a session. */
export function noCookie(secure: boolean): string {
  return cookieOf('', 0, secure);
}

function cookieOf(value: string, seconds: number, secure: boolean): string {
  return `${COOKIE}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
}
