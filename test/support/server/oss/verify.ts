/**
 * Verifies OSS signatures: V4 (OSS4-HMAC-SHA256) and V1 (HMAC-SHA1), in the header or in the query.
 * Sources: OSS developer reference "Include a V4 signature in the Authorization header", "… in a URL", and the V1
 * pages of the same names.
 */
import { ServiceError } from '../errors.js';
import type { Exchange } from '../exchange.js';
import type { Query } from '../query.js';
import type { OssSettings } from './call.js';
import type { OssCredentials } from './sign.js';
import { verifyV1 } from './v1.js';
import { verifyV4 } from './v4.js';

/** Verifies a request's signature, its clock and its token. */
export function verifyOss(exchange: Exchange, settings: OssSettings): void {
  const { query } = exchange;
  const { region, allowV1 } = settings;
  const authorization = exchange.header('authorization');
  const keyId = keyIdIn(authorization ?? '', query);
  const session = settings.sessions.find(({ accessKeyId }) => accessKeyId === keyId);
  // IDs of temporary credentials start so; OSS tells one that has ended from one that never was.
  if (!session && keyId?.startsWith('STS.')) throw new ServiceError('SecurityTokenExpired');
  const credentials = session ?? settings.credentials;
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

function keyIdIn(authorization: string, query: Query): string | undefined {
  const [, v4, v1] = /^OSS4-HMAC-SHA256 .*?Credential=([^/]+)\/|^OSS ([^:]+):/.exec(authorization) ?? [];
  return v4 ?? v1 ?? query.get('x-oss-credential')?.split('/', 1)[0] ?? query.get('OSSAccessKeyId');
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
