/** Where the keys come from: the config itself, or the standard chain of the AWS SDK. */
import { createHash } from 'node:crypto';
import { XsyncError } from '../../model/error.js';
import { originOf, type S3Config } from './config.js';
import { loadSdk } from './sdk-load.js';
import type { Credentials } from './sign.js';

/** Refreshed so long before they end, in milliseconds, so that a request signed now is still good when it arrives. */
const REFRESH_BEFORE_MS = 5 * 60_000;

export interface CredentialSource {
  /** Credentials good for the next minutes; at once when they are at hand. */
  get(nowMs: number): Credentials | Promise<Credentials>;
  /** The store called them expired: fetch new ones next time. False when there are no others to be had. */
  expire(): boolean;
  /** Names the account without telling a secret: 12 hex digits. */
  readonly fingerprint: string;
}

/** The source that a config asks for. Reads `AWS_PROFILE` and friends from `env` only to name the account. */
export function credentialSource(config: S3Config, env: NodeJS.ProcessEnv = process.env): CredentialSource {
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey } = config;
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    const credentials = { accessKeyId, secretAccessKey, sessionToken: config.session_token };
    return { get: () => credentials, expire: () => false, fingerprint: fingerprint(accessKeyId) };
  }
  const keyId = config.profile === undefined && env.AWS_PROFILE === undefined ? env.AWS_ACCESS_KEY_ID : undefined;
  // Keys of roles change by the hour; the profile that leads to them does not.
  const name = keyId ?? `profile ${config.profile ?? env.AWS_PROFILE ?? 'default'}`;
  return new ChainSource(() => chain(config.profile), fingerprint(name));
}

/** Credentials that are fetched when first needed and again before they end; one fetch serves all who wait. */
export class ChainSource implements CredentialSource {
  readonly fingerprint: string;
  readonly #fetch: () => Promise<Credentials>;
  #current: Credentials | undefined;
  #pending: Promise<Credentials> | undefined;

  constructor(fetch: () => Promise<Credentials>, name: string) {
    this.#fetch = fetch;
    this.fingerprint = name;
  }

  get(nowMs: number): Credentials | Promise<Credentials> {
    const current = this.#current;
    if (current && (current.expiresMs === undefined || current.expiresMs - nowMs > REFRESH_BEFORE_MS)) return current;
    this.#pending ??= this.#renew(nowMs).finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  expire(): boolean {
    this.#current = undefined;
    return true;
  }

  async #renew(nowMs: number): Promise<Credentials> {
    try {
      this.#current = await this.#fetch();
    } catch (cause) {
      const current = this.#current;
      // The refresh failed early: what we have still works.
      if (current?.expiresMs !== undefined && current.expiresMs > nowMs) return current;
      throw new XsyncError('bad-credentials', 'the AWS credential chain gave no credentials', {
        remedy: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, log in (aws sso login), or name a profile.',
        cause,
      });
    }
    return this.#current;
  }
}

function fingerprint(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 12);
}

/** The SDK's provider remembers; a new client asks again, which is what an expiry needs. */
async function chain(profile: string | undefined): Promise<Credentials> {
  const { S3Client } = await loadSdk();
  const client = new S3Client({ profile, region: 'us-east-1' });
  try {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = await client.config.credentials();
    return { accessKeyId, secretAccessKey, sessionToken, expiresMs: expiration?.getTime() };
  } finally {
    client.destroy();
  }
}

/** The region that the environment or the shared AWS config names; undefined when neither does. */
export async function chainRegion(profile: string | undefined): Promise<string | undefined> {
  const { S3Client } = await loadSdk();
  const client = new S3Client({ profile });
  try {
    return await client.config.region();
  } catch {
    // The SDK throws when no source names a region; that is an answer here.
    return undefined;
  } finally {
    client.destroy();
  }
}

/**
 * The endpoint that the AWS environment names for S3, as the AWS CLI and SDKs take it. A remote that says its endpoint
 * or its provider, brings its own keys or wants acceleration has said where it is.
 * @throws config
 */
export function chainEndpoint(config: S3Config, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const { endpoint, provider, access_key_id: accessKeyId, accelerate } = config;
  if (endpoint !== undefined || provider !== undefined || accessKeyId !== undefined || accelerate !== 'off') {
    return endpoint;
  }
  if (env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS?.toLowerCase() === 'true') return undefined;
  const name = env.AWS_ENDPOINT_URL_S3 ? 'AWS_ENDPOINT_URL_S3' : 'AWS_ENDPOINT_URL';
  const given = env[name] || undefined;
  if (given !== undefined && originOf(given) === undefined) {
    throw new XsyncError('config', `${name} is no origin such as https://s3.example.com`, { subject: given });
  }
  return given;
}
