/**
 * OSS signatures as the server sees them: V4 (OSS4-HMAC-SHA256) and V1 (HMAC-SHA1), in the header or in the query.
 * Sources: OSS developer reference "Include a V4 signature in the Authorization header", "… in a URL", and the V1
 * pages of the same names.
 */
import { timingSafeEqual } from 'node:crypto';
import { ServiceError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import { verifyV1 } from './v1.js';
import { verifyV4 } from './v4.js';

export interface OssCredentials {
  accessKeyId: string;
  accessKeySecret: string;
  /** STS token that belongs to the key. */
  securityToken?: string;
  /** ms since 1970, by the server's clock, after which the token is SecurityTokenExpired. */
  expiresAtMs?: number;
}

const MAX_SKEW_MS = 15 * 60_000;

/** Verifies a request's signature, its clock and its token. */
export function verifyOss(exchange: Exchange, credentials: OssCredentials, region: string, allowV1: boolean): void {
  const { query } = exchange;
  const authorization = exchange.header('authorization');
  const v4 = query.has('x-oss-signature-version') || authorization?.startsWith('OSS4-HMAC-SHA256 ');
  const v1 = query.has('OSSAccessKeyId') || authorization?.startsWith('OSS ');
  if (!v4 && !v1) {
    throw new ServiceError('AccessDenied', {
      message: 'You have no right to access this object because of bucket acl.',
    });
  }
  if (authorization !== undefined && (query.has('x-oss-signature') || query.has('Signature'))) {
    throw new ServiceError('InvalidArgument', { message: 'Only one auth mechanism allowed.' });
  }
  if (v4) verifyV4(exchange, credentials, region);
  else if (allowV1) verifyV1(exchange, credentials);
  else throw new ServiceError('InvalidArgument', { message: 'The signature version V1 is not supported.' });
  const token = exchange.vendor('security-token') ?? query.get('x-oss-security-token') ?? query.get('security-token');
  checkToken(exchange, credentials, token);
}

function checkToken(exchange: Exchange, credentials: OssCredentials, token: string | undefined): void {
  if (exchange.fault('expired-credentials')) throw new ServiceError('SecurityTokenExpired');
  if (token !== credentials.securityToken) {
    if (token === undefined) throw new ServiceError('InvalidAccessKeyId');
    throw new ServiceError('InvalidSecurityToken');
  }
  if (credentials.expiresAtMs !== undefined && exchange.now() > credentials.expiresAtMs) {
    throw new ServiceError('SecurityTokenExpired');
  }
}

/** @throws InvalidAccessKeyId */
export function checkKeyId(given: string, credentials: OssCredentials): void {
  if (given !== credentials.accessKeyId) {
    throw new ServiceError('InvalidAccessKeyId', { elements: { OSSAccessKeyId: given } });
  }
}

/** @throws RequestTimeTooSkewed, AccessDenied when `sentMs` is no time */
export function checkSkew(exchange: Exchange, sentMs: number | undefined): void {
  if (sentMs === undefined || Number.isNaN(sentMs)) {
    throw new ServiceError('AccessDenied', { message: 'OSS authentication requires a valid Date.' });
  }
  const nowMs = exchange.now();
  if (Math.abs(sentMs - nowMs) <= MAX_SKEW_MS) return;
  throw new ServiceError('RequestTimeTooSkewed', {
    elements: {
      MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS),
      RequestTime: new Date(sentMs).toISOString(),
      ServerTime: new Date(nowMs).toISOString(),
    },
  });
}

/** @throws AccessDenied once the URL's time is over */
export function checkExpiry(exchange: Exchange, endMs: number): void {
  if (exchange.now() <= endMs) return;
  throw new ServiceError('AccessDenied', {
    message: 'Request has expired.',
    elements: { Expires: new Date(endMs).toISOString(), ServerTime: new Date(exchange.now()).toISOString() },
  });
}

/** @throws SignatureDoesNotMatch */
export function compareSignature(
  expected: string,
  provided: string,
  elements: { OSSAccessKeyId: string; StringToSign: string; CanonicalRequest?: string },
): void {
  const a = Buffer.from(expected);
  const b = Buffer.from(provided);
  if (a.byteLength === b.byteLength && timingSafeEqual(a, b)) return;
  throw new ServiceError('SignatureDoesNotMatch', { elements: { ...elements, SignatureProvided: provided } });
}
