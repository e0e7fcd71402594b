/**
 * Verifies AWS Signature Version 4. Every request must have a signature, in its header or in its query.
 * Source: "Signature Calculations for the Authorization Header" and "Using Query Parameters" of the S3 API reference.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { ServiceError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import { decodeComponent, encodeUri } from '../query.js';

export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  /** ms since 1970, by the server's clock, after which the token is ExpiredToken. */
  expiresAtMs?: number;
}

export interface S3Auth {
  /** The value of x-amz-content-sha256, or UNSIGNED-PAYLOAD for a presigned URL. */
  payload: string;
  signingKey: Buffer;
  /** `20250101T000000Z` */
  date: string;
  scope: string;
  /** Seed of the chunk signatures. */
  signature: string;
}

const MAX_SKEW_MS = 15 * 60_000;
const MAX_EXPIRES_S = 7 * 24 * 3600;
const CREDENTIAL = /^([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request$/;

interface Claim {
  accessKeyId: string;
  day: string;
  region: string;
  signedHeaders: string[];
  signature: string;
  date: string;
  payload: string;
  token: string | undefined;
  presigned?: { expires: number };
}

/** Verifies a request's signature. @throws AccessDenied, SignatureDoesNotMatch, RequestTimeTooSkewed, … */
export function verifySigV4(exchange: Exchange, credentials: S3Credentials, region: string): S3Auth {
  const claim = exchange.query.has('X-Amz-Algorithm') ? fromQuery(exchange) : fromHeader(exchange);
  checkRegion(claim, region, exchange);
  if (claim.accessKeyId !== credentials.accessKeyId) {
    throw new ServiceError('InvalidAccessKeyId', { elements: { AWSAccessKeyId: claim.accessKeyId } });
  }
  checkTime(claim, exchange);
  checkSignedHeaders(claim, exchange);
  const canonical = canonicalRequest(claim, exchange);
  const scope = `${claim.day}/${claim.region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', claim.date, scope, sha256(canonical)].join('\n');
  const key = signingKey(credentials.secretAccessKey, claim.day, claim.region);
  const expected = createHmac('sha256', key).update(toSign, 'latin1').digest('hex');
  if (!same(expected, claim.signature)) {
    throw new ServiceError('SignatureDoesNotMatch', {
      elements: {
        AWSAccessKeyId: claim.accessKeyId,
        StringToSign: toSign,
        SignatureProvided: claim.signature,
        CanonicalRequest: canonical,
      },
    });
  }
  checkToken(claim, credentials, exchange);
  return { payload: claim.payload, signingKey: key, date: claim.date, scope, signature: claim.signature };
}

function fromHeader(exchange: Exchange): Claim {
  const text = exchange.header('authorization');
  if (text === undefined) throw new ServiceError('AccessDenied');
  if (!text.startsWith('AWS4-HMAC-SHA256 ')) {
    throw new ServiceError('InvalidRequest', {
      message: 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    });
  }
  const fields = new Map(
    text
      .slice('AWS4-HMAC-SHA256 '.length)
      .split(',')
      .map((field) => field.trim())
      .map((field) => [field.slice(0, field.indexOf('=')), field.slice(field.indexOf('=') + 1)] as const),
  );
  const credential = CREDENTIAL.exec(fields.get('Credential') ?? '');
  const signedHeaders = fields.get('SignedHeaders');
  const signature = fields.get('Signature');
  if (!credential || !signedHeaders || !signature || credential[4] !== 's3') {
    throw new ServiceError('AuthorizationHeaderMalformed');
  }
  const payload = exchange.header('x-amz-content-sha256');
  if (payload === undefined) {
    throw new ServiceError('InvalidRequest', {
      message: 'Missing required header for this request: x-amz-content-sha256',
    });
  }
  return {
    accessKeyId: credential[1] ?? '',
    day: credential[2] ?? '',
    region: credential[3] ?? '',
    signedHeaders: signedHeaders.split(';'),
    signature,
    date: exchange.header('x-amz-date') ?? compactDate(exchange.header('date')),
    payload,
    token: exchange.header('x-amz-security-token'),
  };
}

function fromQuery({ query, req }: Exchange): Claim {
  const malformed = (message: string) => new ServiceError('AuthorizationQueryParametersError', { message });
  if (req.headers.authorization !== undefined) {
    throw new ServiceError('InvalidArgument', { message: 'Only one auth mechanism allowed.' });
  }
  const credential = CREDENTIAL.exec(query.get('X-Amz-Credential') ?? '');
  const expires = Number(query.get('X-Amz-Expires'));
  const signedHeaders = query.get('X-Amz-SignedHeaders');
  const signature = query.get('X-Amz-Signature');
  const date = query.get('X-Amz-Date');
  if (query.get('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256' || !signedHeaders || !signature || !date) {
    throw malformed('Query-string authentication version 4 requires the X-Amz-Algorithm, … parameters.');
  }
  if (credential?.[4] !== 's3') throw malformed('Error parsing the X-Amz-Credential parameter.');
  if (!Number.isInteger(expires) || expires < 1 || expires > MAX_EXPIRES_S) {
    throw malformed(
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    );
  }
  const payload = query.get('X-Amz-Content-Sha256') ?? req.headers['x-amz-content-sha256'];
  return {
    accessKeyId: credential[1] ?? '',
    day: credential[2] ?? '',
    region: credential[3] ?? '',
    signedHeaders: signedHeaders.split(';'),
    signature,
    date,
    payload: typeof payload === 'string' ? payload : 'UNSIGNED-PAYLOAD',
    token: query.get('X-Amz-Security-Token'),
    presigned: { expires },
  };
}

function checkRegion(claim: Claim, region: string, exchange: Exchange): void {
  if (claim.region === region) return;
  const code = claim.presigned ? 'AuthorizationQueryParametersError' : 'AuthorizationHeaderMalformed';
  throw new ServiceError(code, {
    message: `The authorization header is malformed; the region '${claim.region}' is wrong; expecting '${region}'`,
    elements: { Region: region },
    headers: exchange.method === 'HEAD' ? { 'x-amz-bucket-region': region } : {},
  });
}

function checkTime(claim: Claim, exchange: Exchange): void {
  const sentMs = parseCompactDate(claim.date);
  if (sentMs === undefined)
    throw new ServiceError('AccessDenied', {
      message: 'AWS authentication requires a valid Date or x-amz-date header',
    });
  if (!claim.date.startsWith(claim.day)) {
    throw new ServiceError(claim.presigned ? 'AuthorizationQueryParametersError' : 'AuthorizationHeaderMalformed', {
      message: 'Invalid credential date. Date is not the same as X-Amz-Date.',
    });
  }
  const nowMs = exchange.now();
  const server = new Date(nowMs).toISOString();
  if (claim.presigned) {
    const endMs = sentMs + claim.presigned.expires * 1000;
    const early = sentMs > nowMs + MAX_SKEW_MS;
    if (nowMs <= endMs && !early) return;
    throw new ServiceError('AccessDenied', {
      message: early ? 'Request is not valid yet' : 'Request has expired',
      elements: { Expires: new Date(endMs).toISOString(), ServerTime: server },
    });
  }
  if (Math.abs(sentMs - nowMs) > MAX_SKEW_MS) {
    throw new ServiceError('RequestTimeTooSkewed', {
      elements: { RequestTime: claim.date, ServerTime: server, MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS) },
    });
  }
}

/** `host` and all `x-amz-*` headers must be signed. */
function checkSignedHeaders(claim: Claim, exchange: Exchange): void {
  const signed = new Set(claim.signedHeaders);
  const unsigned = Object.keys(exchange.req.headers).filter(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !signed.has(name),
  );
  if (unsigned.length === 0) return;
  throw new ServiceError('AccessDenied', {
    message: 'There were headers present in the request which were not signed',
    elements: { HeadersNotSigned: unsigned.join(', ') },
  });
}

function checkToken(claim: Claim, credentials: S3Credentials, exchange: Exchange): void {
  if (exchange.fault('expired-credentials')) throw new ServiceError('ExpiredToken');
  if (claim.token !== credentials.sessionToken) {
    // For the service, a temporary key without its token is unknown.
    if (claim.token === undefined) throw new ServiceError('InvalidAccessKeyId');
    throw new ServiceError('InvalidToken');
  }
  if (credentials.expiresAtMs !== undefined && exchange.now() > credentials.expiresAtMs) {
    throw new ServiceError('ExpiredToken');
  }
}

function canonicalRequest(claim: Claim, exchange: Exchange): string {
  const query = exchange.query.entries
    .filter(([name]) => !(claim.presigned && name === 'X-Amz-Signature'))
    .map(([name, value]) => [encodeUri(name), encodeUri(value)] as const)
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const headers = claim.signedHeaders
    .map((name) => `${name}:${canonicalValue(exchange.header(name) ?? '')}\n`)
    .join('');
  return [
    exchange.method,
    encodeUri(decodeComponent(exchange.rawPath), true),
    query,
    headers,
    claim.signedHeaders.join(';'),
    claim.payload,
  ].join('\n');
}

/** Trims and replaces runs of spaces with one space. */
function canonicalValue(value: string): string {
  return value.trim().replace(/ +/g, ' ');
}

/** Header values have one character per byte, so latin1 restores the signed bytes. */
function sha256(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex');
}

const keys = new Map<string, Buffer>();

function signingKey(secret: string, day: string, region: string): Buffer {
  const name = `${secret}/${day}/${region}`;
  const cached = keys.get(name);
  if (cached) return cached;
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), 's3'), 'aws4_request');
  keys.set(name, key);
  return key;
}

function same(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1'));
}

/** `20250101T000000Z` to ms since 1970. */
export function parseCompactDate(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match.map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day ?? 1, hour ?? 0, minute ?? 0, second ?? 0);
}

function compactDate(text: string | undefined): string {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? '' : `${new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '')}`;
}
