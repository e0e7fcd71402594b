/**
 * Credentials from the config or from the AWS environment, kept until they expire.
 * Tests: test/store/s3/config.test.ts
 */
import { createHash } from 'node:crypto';
import { fetchCredentials } from '../../aws/credentials.js';
import { namedProfile } from '../../aws/settings.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { S3Config } from './config.js';
import type { Credentials } from './sign.js';

/** Credentials are refreshed this long before they expire, so that a request signed now is still valid on arrival. */
const REFRESH_BEFORE_MS = 5 * 60_000;
/** At most one fetch in this time while the current credentials work; sooner only if they end sooner. */
const PAUSE_MS = 60_000;

export interface CredentialSource {
  /** Credentials that are valid for the next minutes; no promise when they are cached. */
  get(nowMs: number): Credentials | Promise<Credentials>;
  /** The store reported these as expired: fetch new ones next time. False when there is nothing to fetch. */
  expire(used?: Credentials): boolean;
  /** Identifies the account without revealing a secret: 12 hex digits. */
  readonly fingerprint: string;
}

export interface CredentialMeans {
  /** STS is asked in this region; default: us-east-1. */
  region?: string;
  /** For the SDK's HTTP handler. */
  requestHandler?: object;
}

/** The source for a config. */
export function credentialSource(
  config: S3Config,
  env: NodeJS.ProcessEnv = process.env,
  { region = 'us-east-1', requestHandler }: CredentialMeans = {},
): CredentialSource {
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey } = config;
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    const credentials = { accessKeyId, secretAccessKey, sessionToken: config.session_token };
    return { get: () => credentials, expire: () => false, fingerprint: fingerprint(accessKeyId) };
  }
  const named = namedProfile(config.profile, env);
  // The keys of a role change every hour. Its profile does not.
  const name = (named === undefined && env.AWS_ACCESS_KEY_ID?.trim()) || `profile ${named ?? 'default'}`;
  return new ChainSource(() => fetchCredentials(config.profile, { region, requestHandler }, env), fingerprint(name));
}

/**
 * Credentials that are fetched on first use and again before they expire. Concurrent callers share one fetch. While the
 * current ones work, a fetch that fails or returns nothing newer is not repeated for every request.
 */
export class ChainSource implements CredentialSource {
  readonly fingerprint: string;
  readonly #fetch: () => Promise<Credentials>;
  #current: Credentials | undefined;
  #renewAtMs = 0;
  #pending: Promise<Credentials> | undefined;

  constructor(fetch: () => Promise<Credentials>, name: string) {
    this.#fetch = fetch;
    this.fingerprint = name;
  }

  get(nowMs: number): Credentials | Promise<Credentials> {
    const current = this.#current;
    if (current && (current.expiresMs === undefined || nowMs < Math.min(this.#renewAtMs, current.expiresMs))) {
      return current;
    }
    this.#pending ??= this.#renew(nowMs).finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  expire(used?: Credentials): boolean {
    // Other requests may have been sent with older credentials.
    if (used === undefined || used === this.#current) this.#current = undefined;
    return true;
  }

  async #renew(nowMs: number): Promise<Credentials> {
    try {
      this.#current = await this.#fetch();
    } catch (cause) {
      // The refresh failed, but the current credentials have not expired.
      if (this.#current?.expiresMs === undefined || this.#current.expiresMs <= nowMs) throw asXsyncError(cause);
    }
    const { expiresMs } = this.#current;
    if (expiresMs !== undefined) {
      if (expiresMs <= nowMs) throw ended(expiresMs);
      const soonest = nowMs + Math.min(PAUSE_MS, (expiresMs - nowMs) / 2);
      this.#renewAtMs = Math.max(expiresMs - REFRESH_BEFORE_MS, soonest);
    }
    return this.#current;
  }
}

function asXsyncError(cause: unknown): XsyncError {
  if (isXsyncError(cause)) return cause;
  return new XsyncError('bad-credentials', 'the AWS credential chain returned no credentials', { cause });
}

function ended(expiresMs: number): XsyncError {
  const message = `the AWS credential chain returned credentials that expired at ${new Date(expiresMs).toISOString()}`;
  return new XsyncError('expired-credentials', message, {
    remedy: 'Renew them at their source, and check the clock of this machine.',
  });
}

function fingerprint(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 12);
}
