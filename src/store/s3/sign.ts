/**
 * AWS Signature Version 4 for S3, synchronous: as a header and as a presigned query. The path is signed as sent (S3 is
 * the only service that neither normalizes nor encodes it again).
 *
 * The payload is signed as `UNSIGNED-PAYLOAD`. Its SHA-256 would need a second pass over every byte, and with
 * Content-MD5 (signed with the other headers) the store already refuses a body that differs.
 */
import { createHmac, hash } from 'node:crypto';
import { HmacSha256 } from '../../hash/hmac.js';
import { encodeQuery } from './encode.js';

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  /** When they expire, in milliseconds since 1970; absent for permanent credentials. */
  expiresMs?: number;
}

export interface Signable {
  method: string;
  /** As sent: encoded, without the query. */
  path: string;
  /** From `encodeQuery`: sorted and encoded. */
  query: string;
  /** Lower-case names; all are signed. Must include `host`. Values are latin1. */
  headers: Record<string, string>;
}

/** The names of the headers in the order of the signature, and joined. */
interface Order {
  names: readonly string[];
  signed: string;
}

/** What signs the requests of one day. */
interface Key {
  secret: string;
  day: string;
  scope: string;
  hmac: HmacSha256;
}

/** Metadata can have any names. */
const MOST_ORDERS = 100;
const ALGORITHM = 'AWS4-HMAC-SHA256';
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

/** Signs for one region and service. Caches the day's signing key. */
export class Signer {
  readonly #region: string;
  readonly #service: string;
  #key: Key | undefined;
  #time: { second: number; text: string } | undefined;
  /** By the names as they are given. */
  readonly #orders = new Map<string, Order>();

  constructor(region: string, service = 's3') {
    this.#region = region;
    this.#service = service;
  }

  /** Adds `x-amz-date`, `x-amz-content-sha256` (unless there), the session token and `authorization` to the headers. */
  sign(request: Signable, credentials: Credentials, nowMs: number): void {
    const { headers } = request;
    const date = this.#amzDate(nowMs);
    headers['x-amz-date'] = date;
    headers['x-amz-content-sha256'] ??= UNSIGNED_PAYLOAD;
    if (credentials.sessionToken !== undefined) headers['x-amz-security-token'] = credentials.sessionToken;
    const order = this.#order(headers);
    const key = this.#keyOf(credentials.secretAccessKey, date);
    const signature = this.#signature(request, order, headers['x-amz-content-sha256'], date, key);
    headers.authorization = `${ALGORITHM} Credential=${credentials.accessKeyId}/${key.scope}, SignedHeaders=${order.signed}, Signature=${signature}`;
  }

  /**
   * The signed query of a URL that allows the request for `expiresS` seconds (at most 604800, and not longer than the
   * credentials are valid).
   */
  presign(
    request: Omit<Signable, 'query'> & { parameters: Record<string, string> },
    credentials: Credentials,
    nowMs: number,
    expiresS: number,
  ): string {
    const date = this.#amzDate(nowMs);
    const names = Object.keys(request.headers).sort();
    const signed = names.join(';');
    const key = this.#keyOf(credentials.secretAccessKey, date);
    const parameters: Record<string, string> = {
      ...request.parameters,
      'X-Amz-Algorithm': ALGORITHM,
      'X-Amz-Credential': `${credentials.accessKeyId}/${key.scope}`,
      'X-Amz-Date': date,
      'X-Amz-Expires': String(expiresS),
      'X-Amz-SignedHeaders': signed,
    };
    if (credentials.sessionToken !== undefined) parameters['X-Amz-Security-Token'] = credentials.sessionToken;
    const query = encodeQuery(parameters);
    const signature = this.#signature({ ...request, query }, { names, signed }, UNSIGNED_PAYLOAD, date, key);
    return `${query}&X-Amz-Signature=${signature}`;
  }

  /** Most requests of a run have the headers of one before. */
  #order(headers: Record<string, string>): Order {
    const names = Object.keys(headers);
    const given = names.join(';');
    let order = this.#orders.get(given);
    if (!order) {
      if (this.#orders.size >= MOST_ORDERS) this.#orders.clear();
      names.sort();
      order = { names, signed: names.join(';') };
      this.#orders.set(given, order);
    }
    return order;
  }

  #signature(
    { method, path, query, headers }: Signable,
    order: Order,
    payload: string,
    date: string,
    key: Key,
  ): string {
    let canonical = `${method}\n${path}\n${query}\n`;
    for (const name of order.names) canonical += `${name}:${squeeze(headers[name] ?? '')}\n`;
    canonical += `\n${order.signed}\n${payload}`;
    const digest = hash('sha256', Buffer.from(canonical, 'latin1'));
    const text = `${ALGORITHM}\n${date}\n${key.scope}\n${digest}`;
    return key.hmac.of(text);
  }

  /** Of the date's day. */
  #keyOf(secret: string, date: string): Key {
    if (this.#key?.secret !== secret || !date.startsWith(this.#key.day)) {
      const day = date.slice(0, 8);
      const parts = [day, this.#region, this.#service, 'aws4_request'];
      const scope = parts.join('/');
      let bytes = Buffer.from(`AWS4${secret}`);
      for (const part of parts) bytes = createHmac('sha256', bytes).update(part).digest();
      this.#key = { secret, day, scope, hmac: new HmacSha256(bytes) };
    }
    return this.#key;
  }

  /** Such as `20240131T235959Z`; cached for one second. */
  #amzDate(nowMs: number): string {
    const second = Math.floor(nowMs / 1000);
    if (this.#time?.second !== second) {
      const text = `${new Date(second * 1000).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
      this.#time = { second, text };
    }
    return this.#time.text;
  }
}

/** Header values are signed trimmed, with each run of blanks as one blank. */
function squeeze(value: string): string {
  return /\s\s|^\s|\s$/.test(value) ? value.trim().replace(/\s+/g, ' ') : value;
}
