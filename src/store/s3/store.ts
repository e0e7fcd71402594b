/** An S3 bucket over the lean transport. */
import { XsyncError } from '../../model/error.js';
import type { HttpTransport } from '../http/transport.js';
import type { SignedUrl, SignedUrlOptions } from '../port.js';
import { S3Bucket } from './bucket.js';
import type { S3Config } from './config.js';
import { type CredentialSource, credentialSource } from './credentials.js';
import { LeanCalls } from './lean.js';
import { presetOf } from './presets.js';
import { Wire } from './wire.js';

export interface S3Deps {
  /** Shared by stores; its creator closes it. */
  transport: HttpTransport;
  /** Overrides the config. */
  credentials?: CredentialSource;
  /** The bucket's name in messages; default `bucket NAME`. */
  place?: string;
  /** Hears of each quirk that is noticed, once. */
  tell?: (message: string) => void;
}

/** Creates a store for one bucket; sends no request. @throws config: see `addressesOf` */
export function createS3Store(config: S3Config, bucket: string, deps: S3Deps): S3Store {
  const { transport, credentials = credentialSource(config), place, tell } = deps;
  const wire = new Wire(config, bucket, credentials, transport, place);
  return new S3Store(config, wire, { account: credentials.fingerprint, tell });
}

export class S3Store extends S3Bucket {
  readonly #wire: Wire;
  readonly #sealed: boolean;

  constructor(config: S3Config, wire: Wire, told: { account: string; tell?: (message: string) => void }) {
    super(config, wire.bucket, { calls: new LeanCalls(wire, presetOf(config), config), ...told });
    this.#wire = wire;
    this.#sealed = config.customerKey !== undefined;
  }

  signedUrl(key: string, options: SignedUrlOptions): Promise<SignedUrl> {
    return this.#presigned('GET', key, options);
  }

  /** A URL that reads (`GET`) or writes (`PUT`) the object for `expiresS` seconds. S3's limit is 604800. */
  async presign(method: 'GET' | 'PUT', key: string, expiresS: number): Promise<string> {
    return (await this.#presigned(method, key, { expiresS })).url;
  }

  /** @throws unsupported: whoever uses the URL would have to send the customer's key, too */
  async #presigned(method: 'GET' | 'PUT', key: string, options: SignedUrlOptions): Promise<SignedUrl> {
    if (!this.#sealed) return this.#wire.presign(method, key, options);
    const message = `${key}: a URL cannot carry the key that the object is encrypted with (SSE-C)`;
    throw new XsyncError('unsupported', message, {
      subject: key,
      remedy: 'Copy the object to a remote without sse_c_key_file, and link to the copy.',
    });
  }
}
