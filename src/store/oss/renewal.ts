/** Credentials that a store asks for before each request, and how temporary ones are renewed. */
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { Credentials } from './sign.js';

export interface CredentialSource {
  /** Credentials for a request now; no promise when they are at hand. `nowMs` is the service's time, ms since 1970. */
  get(nowMs: number): Fetched | Promise<Fetched>;
  /** The service reported that these credentials have expired. False when there will never be others. */
  expire(used: Credentials): boolean;
  /** What they belong to, without a secret. Stays the same when they are renewed. */
  readonly name: string;
}

/** Credentials as a provider returns them. */
export interface Fetched extends Credentials {
  /** Ms since 1970; absent when the provider does not tell. */
  expiresMs?: number;
}

/** Credentials are renewed this long before they expire, so that a request that is signed now is valid on arrival. */
const RENEW_BEFORE_MS = 5 * 60_000;
/** The least time between two attempts to renew credentials that are still valid. */
const PAUSE_MS = 30_000;

/** Keys that are the same for the whole run. @throws bad-credentials: for keys that no header can hold */
export function fixedSource(credentials: Credentials): CredentialSource {
  checkKeys(credentials, 'the configured keys');
  return { name: credentials.accessKeyId, get: () => credentials, expire: () => false };
}

/**
 * Credentials that are fetched on first use, and again before they expire. Concurrent requests share one fetch. Neither
 * a provider that returns credentials about to expire nor one that fails is asked again for every request.
 */
export class RenewedSource implements CredentialSource {
  readonly name: string;
  readonly #fetch: () => Promise<Fetched>;
  #current: Fetched | undefined;
  #renewAtMs = 0;
  #refused: Credentials | undefined;
  #pending: Promise<Fetched> | undefined;

  constructor(name: string, fetch: () => Promise<Fetched>) {
    this.name = name;
    this.#fetch = fetch;
  }

  get(nowMs: number): Fetched | Promise<Fetched> {
    if (this.#current && nowMs < this.#renewAtMs) return this.#current;
    this.#pending ??= this.#renew(nowMs).finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  expire(used: Credentials): boolean {
    // A request that was sent before the last renewal says nothing of the new credentials.
    if (used === this.#current) {
      this.#refused = used;
      this.#current = undefined;
    }
    return true;
  }

  async #renew(nowMs: number): Promise<Fetched> {
    try {
      const fetched = await this.#fetch();
      checkKeys(fetched, this.name);
      this.#refuseStale(fetched);
      this.#current = fetched;
      this.#renewAtMs = renewalOf(fetched, nowMs);
      return fetched;
    } catch (error) {
      const current = this.#current;
      if (current?.expiresMs === undefined || current.expiresMs <= nowMs) throw error;
      this.#renewAtMs = Math.min(nowMs + PAUSE_MS, current.expiresMs);
      return current;
    }
  }

  /** @throws expired-credentials: when the provider returns what the service has refused */
  #refuseStale(fetched: Credentials): void {
    const same =
      fetched.accessKeyId === this.#refused?.accessKeyId && fetched.securityToken === this.#refused.securityToken;
    if (!same) return;
    throw new XsyncError('expired-credentials', `the credentials of ${this.name} have expired`, {
      remedy: 'Renew them where they come from.',
    });
  }
}

/** A line break or an invisible character was pasted along, or the answer of a provider is damaged. */
function checkKeys({ accessKeyId, accessKeySecret, securityToken = '' }: Credentials, what: string): void {
  if (/^[!-~]*$/.test(accessKeyId + accessKeySecret + securityToken)) return;
  throw new XsyncError('bad-credentials', `${what}: a key or token has characters that none can have`, {
    remedy: 'Check for spaces, line breaks and invisible characters.',
  });
}

/** Half of a short life, and at least a pause: the service decides whether the credentials are still valid. */
function renewalOf({ expiresMs }: Fetched, nowMs: number): number {
  if (expiresMs === undefined) return Number.POSITIVE_INFINITY;
  const life = expiresMs - nowMs;
  return nowMs + Math.max(life - Math.min(RENEW_BEFORE_MS, life / 2), PAUSE_MS);
}

/** An error of the service, made temporary if new credentials can help: the next attempt fetches them. */
export function renewable(error: XsyncError, source: CredentialSource, used: Credentials): XsyncError {
  if (!isXsyncError(error, 'expired-credentials') || !source.expire(used)) return error;
  const { code, message, cause, subject, status, serviceCode, requestId, remedy } = error;
  const details = { cause, subject, status, serviceCode, requestId, remedy };
  return new XsyncError(code, message, { ...details, class: 'temporary' });
}
