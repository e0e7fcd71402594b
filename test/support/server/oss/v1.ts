import { createHmac } from 'node:crypto';
import type { Exchange } from '../exchange.js';
import { checkExpiry, checkKeyId, checkSkew, compareSignature, type OssCredentials, resourceOf } from './sign.js';

/** Query parameters in the V1 resource (CanonicalizedResource; the list is from the vendor's SDKs). */
const SIGNED_PARAMETERS = new Set(
  `acl append asyncFetch bucketInfo callback callback-var cname comp continuation-token cors delete encryption endTime
  img inventory inventoryId legalHold lifecycle live location logging objectMeta partNumber policy position qos
  qosInfo referer replication replicationLocation replicationProgress requestPayment resourceGroup
  response-cache-control response-content-disposition response-content-encoding response-content-language
  response-content-type response-expires restore retention rtc security-token sequential startTime stat status style styleName
  symlink tagging transferAcceleration uploadId uploads versionId versioning versions vod website worm wormExtend wormId
  x-oss-process x-oss-request-payer x-oss-traffic-limit`.split(/\s+/),
);

export function verifyV1(exchange: Exchange, credentials: OssCredentials): void {
  const { query } = exchange;
  if (query.has('OSSAccessKeyId')) {
    const expires = query.get('Expires') ?? '';
    check(exchange, credentials, query.get('OSSAccessKeyId') ?? '', query.get('Signature') ?? '', expires);
    checkExpiry(exchange, Number(expires) * 1000);
    return;
  }
  const authorization = (exchange.header('authorization') ?? '').slice('OSS '.length);
  const colon = authorization.indexOf(':');
  const date = exchange.vendor('date') ?? exchange.header('date') ?? '';
  checkSkew(exchange, Date.parse(date));
  check(exchange, credentials, authorization.slice(0, colon), authorization.slice(colon + 1), date);
}

function check(exchange: Exchange, credentials: OssCredentials, id: string, signature: string, date: string): void {
  checkKeyId(id, credentials);
  const toSign = [
    exchange.method,
    exchange.header('content-md5') ?? '',
    exchange.header('content-type') ?? '',
    date,
    canonicalHeaders(exchange) + canonicalResource(exchange),
  ].join('\n');
  const expected = createHmac('sha1', credentials.accessKeySecret).update(toSign, 'latin1').digest('base64');
  compareSignature(expected, signature, { OSSAccessKeyId: id, StringToSign: toSign });
}

function canonicalHeaders(exchange: Exchange): string {
  return Object.keys(exchange.req.headers)
    .filter((name) => name.startsWith('x-oss-'))
    .sort()
    .map((name) => `${name}:${(exchange.header(name) ?? '').trim()}\n`)
    .join('');
}

/** The decoded resource. Its UTF-8 bytes are signed, so it has one character per byte, like the headers. */
function canonicalResource(exchange: Exchange): string {
  const parameters = exchange.query.entries
    .filter(([name]) => SIGNED_PARAMETERS.has(name))
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => (value === '' ? name : `${name}=${value}`));
  const resource = resourceOf(exchange) + (parameters.length > 0 ? `?${parameters.join('&')}` : '');
  return Buffer.from(resource).toString('latin1');
}
