/**
 * Request signatures of OSS. New accounts and buckets require V4 (OSS4-HMAC-SHA256). V1 (HMAC-SHA1) is not available for
 * accounts created since 2025-03 and buckets created since 2025-09, and is supported for older ones. Sources: "Include a
 * V4 signature in the Authorization header" and "Include a V1 signature in the Authorization header" of the OSS
 * developer reference.
 */
import { createHmac, hash } from 'node:crypto';
import { HmacSha256 } from '../../hash/hmac.js';
import { encodeQuery, escapePath, type Query } from './encode.js';

export interface Credentials {
  accessKeyId: string;
  accessKeySecret: string;
  /** Of temporary credentials (STS). */
  securityToken?: string;
}

/** A request to sign. Header names in lower case, values as Unicode text; key and query not encoded. */
export interface SignRequest {
  method: string;
  bucket?: string;
  key?: string;
  query: Query;
  headers: Record<string, string>;
}

export interface Signer {
  /** The request's headers with date, token and Authorization added. `nowMs` is the service's time, ms since 1970. */
  sign(request: SignRequest, nowMs: number): Record<string, string>;
  /** The query of a URL that allows this request without headers for `expiresSeconds` (V4: at most 7 days). */
  presign(request: SignRequest, nowMs: number, expiresSeconds: number): Query;
}

const UNSIGNED = 'UNSIGNED-PAYLOAD';
const ALGORITHM = 'OSS4-HMAC-SHA256';

export class SignerV4 implements Signer {
  private keyDate = '';
  private hmac = new HmacSha256(Buffer.alloc(0));

  /** @param region without `oss-`; must be the bucket's region, even for the accelerated endpoint */
  constructor(
    private readonly credentials: Credentials,
    private readonly region: string,
  ) {}

  sign(request: SignRequest, nowMs: number): Record<string, string> {
    const time = basicTime(nowMs);
    const headers: Record<string, string> = {
      ...request.headers,
      'x-oss-content-sha256': UNSIGNED,
      'x-oss-date': time,
    };
    const { accessKeyId, securityToken } = this.credentials;
    if (securityToken !== undefined) headers['x-oss-security-token'] = securityToken;
    const signature = this.signature({ ...request, headers }, time);
    headers.authorization = `${ALGORITHM} Credential=${accessKeyId}/${this.scope(time)},Signature=${signature}`;
    return headers;
  }

  presign(request: SignRequest, nowMs: number, expiresSeconds: number): Query {
    const time = basicTime(nowMs);
    const { accessKeyId, securityToken } = this.credentials;
    const query: Query = {
      ...request.query,
      'x-oss-credential': `${accessKeyId}/${this.scope(time)}`,
      'x-oss-date': time,
      'x-oss-expires': String(expiresSeconds),
      'x-oss-signature-version': ALGORITHM,
    };
    if (securityToken !== undefined) query['x-oss-security-token'] = securityToken;
    query['x-oss-signature'] = this.signature({ ...request, query }, time);
    return query;
  }

  private scope(time: string): string {
    return `${time.slice(0, 8)}/${this.region}/oss/aliyun_v4_request`;
  }

  private signature(request: SignRequest, time: string): string {
    const canonical = hash('sha256', canonicalRequest(request));
    return this.hmacOf(time.slice(0, 8)).of(`${ALGORITHM}\n${time}\n${this.scope(time)}\n${canonical}`);
  }

  /** Cached, because its four HMACs change only once a day. */
  private hmacOf(date: string): HmacSha256 {
    if (date !== this.keyDate) {
      let key: string | Buffer = `aliyun_v4${this.credentials.accessKeySecret}`;
      for (const step of [date, this.region, 'oss', 'aliyun_v4_request']) {
        key = createHmac('sha256', key).update(step).digest();
      }
      this.hmac = new HmacSha256(Buffer.from(key));
      this.keyDate = date;
    }
    return this.hmac;
  }
}

/**
 * Method, resource, query, headers, additional headers (none: the host is not signed by default), payload hash. The
 * resource is `/bucket/key` even for a virtual host.
 */
function canonicalRequest(request: SignRequest): string {
  const { method, bucket, key = '', headers } = request;
  const resource = bucket === undefined ? '/' : `/${bucket}/${key}`;
  const signed = Object.keys(headers).filter(
    (name) => name.startsWith('x-oss-') || name === 'content-type' || name === 'content-md5',
  );
  const lines = signed.sort().map((name) => `${name}:${headers[name]?.trim()}\n`);
  const payload = headers['x-oss-content-sha256'] ?? UNSIGNED;
  return `${method}\n${escapePath(resource)}\n${encodeQuery(request.query)}\n${lines.join('')}\n\n${payload}`;
}

/** Such as `20231217T033009Z`. */
function basicTime(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '');
}

/** Parameters that V1 signs, together with all `x-oss-*`. Others (`prefix`, `max-keys`, …) are not signed. */
const V1_SIGNED = new Set(
  (
    'acl append bucketInfo callback callback-var cloudboxes continuation-token delete legalHold location objectMeta ' +
    'partNumber position regionList response-cache-control response-content-disposition response-content-encoding ' +
    'response-content-language response-content-type response-expires restore retention security-token sequential stat symlink ' +
    'tagging uploadId uploads versionId versioning versions'
  ).split(' '),
);

export class SignerV1 implements Signer {
  constructor(private readonly credentials: Credentials) {}

  sign(request: SignRequest, nowMs: number): Record<string, string> {
    const date = new Date(nowMs).toUTCString();
    const headers: Record<string, string> = { ...request.headers, 'x-oss-date': date };
    const { accessKeyId, securityToken } = this.credentials;
    if (securityToken !== undefined) headers['x-oss-security-token'] = securityToken;
    headers.authorization = `OSS ${accessKeyId}:${this.signature({ ...request, headers }, date)}`;
    return headers;
  }

  presign(request: SignRequest, nowMs: number, expiresSeconds: number): Query {
    const expires = String(Math.floor(nowMs / 1000) + expiresSeconds);
    const { accessKeyId, securityToken } = this.credentials;
    const query: Query = { ...request.query };
    if (securityToken !== undefined) query['security-token'] = securityToken;
    const signature = this.signature({ ...request, query }, expires);
    return { ...query, Expires: expires, OSSAccessKeyId: accessKeyId, Signature: signature };
  }

  private signature(request: SignRequest, date: string): string {
    const { method, bucket, key = '', headers, query } = request;
    const ossHeaders = Object.keys(headers).filter((name) => name.startsWith('x-oss-'));
    const ossLines = ossHeaders.sort().map((name) => `${name}:${headers[name]?.trim()}\n`);
    const names = Object.keys(query).filter((name) => V1_SIGNED.has(name) || name.startsWith('x-oss-'));
    const parameters = names.sort().map((name) => (query[name] ? `${name}=${query[name]}` : name));
    const resource = bucket === undefined ? '/' : `/${bucket}/${key}`;
    const text =
      `${method}\n${headers['content-md5'] ?? ''}\n${headers['content-type'] ?? ''}\n${date}\n${ossLines.join('')}` +
      resource +
      (parameters.length > 0 ? `?${parameters.join('&')}` : '');
    return createHmac('sha1', this.credentials.accessKeySecret).update(text).digest('base64');
  }
}
