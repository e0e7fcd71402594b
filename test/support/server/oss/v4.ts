import { createHash, createHmac } from 'node:crypto';
import { ServiceError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import { encodeUri } from '../query.js';
import { checkExpiry, checkKeyId, checkSkew, compareSignature, type OssCredentials, resourceOf } from './sign.js';

const CREDENTIAL = /^(.+)\/(\d{8})\/([^/]+)\/oss\/aliyun_v4_request$/;
const MAX_EXPIRES_S = 7 * 24 * 3600;

interface Claim {
  accessKeyId: string;
  day: string;
  region: string;
  date: string;
  signature: string;
  additional: string[];
  payload: string;
  /** Lifetime of a signed URL, in seconds. */
  expires?: number;
}

export function verifyV4(exchange: Exchange, credentials: OssCredentials, region: string): void {
  const claim = exchange.query.has('x-oss-signature-version') ? fromQuery(exchange) : fromHeader(exchange);
  if (claim.region !== region) {
    throw new ServiceError('InvalidArgument', {
      message: 'Invalid signing region in Authorization header.',
      elements: { EC: '0002-00000226' },
    });
  }
  if (!claim.date.startsWith(claim.day)) {
    throw new ServiceError('InvalidArgument', { message: 'Invalid signing date in Authorization header.' });
  }
  checkKeyId(claim.accessKeyId, credentials);
  const sentMs = parseDate(claim.date);
  if (claim.expires === undefined) checkSkew(exchange, sentMs);
  else checkUrlTime(exchange, sentMs, claim.expires);
  const canonical = canonicalRequest(exchange, claim);
  const scope = `${claim.day}/${claim.region}/oss/aliyun_v4_request`;
  const hash = createHash('sha256').update(canonical, 'latin1').digest('hex');
  const toSign = ['OSS4-HMAC-SHA256', claim.date, scope, hash].join('\n');
  const key = signingKey(credentials.accessKeySecret, claim.day, claim.region);
  compareSignature(createHmac('sha256', key).update(toSign).digest('hex'), claim.signature, {
    OSSAccessKeyId: claim.accessKeyId,
    StringToSign: toSign,
    CanonicalRequest: canonical,
  });
}

function fromHeader(exchange: Exchange): Claim {
  const text = exchange.header('authorization') ?? '';
  const fields = new Map(
    text
      .slice('OSS4-HMAC-SHA256 '.length)
      .split(',')
      .map((field) => field.trim())
      .map((field) => [field.slice(0, field.indexOf('=')), field.slice(field.indexOf('=') + 1)] as const),
  );
  const credential = CREDENTIAL.exec(fields.get('Credential') ?? '');
  const signature = fields.get('Signature');
  if (!credential || !signature) {
    throw new ServiceError('InvalidArgument', { message: 'Invalid Authorization header.' });
  }
  const payload = exchange.vendor('content-sha256');
  if (payload !== 'UNSIGNED-PAYLOAD') {
    throw new ServiceError('InvalidArgument', { message: 'x-oss-content-sha256 must be UNSIGNED-PAYLOAD.' });
  }
  return {
    accessKeyId: credential[1] ?? '',
    day: credential[2] ?? '',
    region: credential[3] ?? '',
    date: exchange.vendor('date') ?? '',
    signature,
    additional: (fields.get('AdditionalHeaders') ?? '').split(';').filter((name) => name !== ''),
    payload,
  };
}

function fromQuery({ query }: Exchange): Claim {
  const credential = CREDENTIAL.exec(query.get('x-oss-credential') ?? '');
  const signature = query.get('x-oss-signature');
  const expires = Number(query.get('x-oss-expires'));
  if (query.get('x-oss-signature-version') !== 'OSS4-HMAC-SHA256' || !credential || !signature) {
    throw new ServiceError('InvalidArgument', { message: 'Invalid V4 signature parameters.' });
  }
  if (!Number.isInteger(expires) || expires < 1 || expires > MAX_EXPIRES_S) {
    throw new ServiceError('InvalidArgument', { message: 'x-oss-expires must be within seven days, in seconds.' });
  }
  return {
    accessKeyId: credential[1] ?? '',
    day: credential[2] ?? '',
    region: credential[3] ?? '',
    date: query.get('x-oss-date') ?? '',
    signature,
    additional: (query.get('x-oss-additional-headers') ?? '').split(';').filter((name) => name !== ''),
    payload: 'UNSIGNED-PAYLOAD',
    expires,
  };
}

function checkUrlTime(exchange: Exchange, sentMs: number | undefined, expires: number): void {
  if (sentMs === undefined || sentMs > exchange.now()) checkSkew(exchange, sentMs);
  checkExpiry(exchange, (sentMs ?? 0) + expires * 1000);
}

function canonicalRequest(exchange: Exchange, claim: Claim): string {
  const query = exchange.query.entries
    .filter(([name]) => !(claim.expires !== undefined && name === 'x-oss-signature'))
    .map(([name, value]) => [encodeUri(name), encodeUri(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => (value === '' ? name : `${name}=${value}`))
    .join('&');
  const always = Object.keys(exchange.req.headers).filter(
    (name) => name === 'content-type' || name === 'content-md5' || name.startsWith('x-oss-'),
  );
  const names = [...new Set([...always, ...claim.additional])].sort();
  const missing = claim.additional.find((name) => exchange.header(name) === undefined);
  if (missing) throw new ServiceError('InvalidArgument', { message: `The additional header ${missing} is missing.` });
  const headers = names.map((name) => `${name}:${(exchange.header(name) ?? '').trim()}\n`).join('');
  return [
    exchange.method,
    encodeUri(resourceOf(exchange), true),
    query,
    headers,
    claim.additional.join(';'),
    claim.payload,
  ].join('\n');
}

const keys = new Map<string, Buffer>();

function signingKey(secret: string, day: string, region: string): Buffer {
  const name = `${secret}/${day}/${region}`;
  const cached = keys.get(name);
  if (cached) return cached;
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const key = hmac(hmac(hmac(hmac(`aliyun_v4${secret}`, day), region), 'oss'), 'aliyun_v4_request');
  keys.set(name, key);
  return key;
}

/** `20250101T000000Z` to ms since 1970. */
function parseDate(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match.map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day ?? 1, hour ?? 0, minute ?? 0, second ?? 0);
}
