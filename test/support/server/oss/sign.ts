/** Checks that V1 and V4 signatures of OSS share. */
import { timingSafeEqual } from 'node:crypto';
import { ServiceError } from '../errors.js';
import type { Exchange } from '../exchange.js';

export interface OssCredentials {
  accessKeyId: string;
  accessKeySecret: string;
  /** STS token of the key. */
  securityToken?: string;
  /** ms since 1970, by the server's clock, after which the token is SecurityTokenExpired. */
  expiresAtMs?: number;
}

const MAX_SKEW_MS = 15 * 60_000;

/** @throws InvalidAccessKeyId */
export function checkKeyId(given: string, credentials: OssCredentials): void {
  if (given !== credentials.accessKeyId) {
    throw new ServiceError('InvalidAccessKeyId', { elements: { OSSAccessKeyId: given } });
  }
}

/** @throws RequestTimeTooSkewed, AccessDenied when `sentMs` is not a time */
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

/** @throws AccessDenied once the URL has expired */
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

/** `/bucket/key`, even when the bucket is in the host name. */
export function resourceOf({ bucketName, key }: Exchange): string {
  return bucketName ? `/${bucketName}/${key}` : '/';
}
