import type { Bucket } from '../bucket.js';
import type { Namespace } from '../core.js';
import { ServiceError } from '../errors.js';
import type { Exchange, Reply } from '../exchange.js';
import { digest } from '../hashes.js';
import type { StoredObject } from '../model.js';
import { encodeUri, type Query } from '../query.js';
import { XML_HEAD } from '../xml.js';
import type { OssCredentials } from './sign.js';

export interface OssSettings {
  /** Without `oss-`: `cn-hangzhou`. */
  region: string;
  credentials: OssCredentials;
  /** Further credentials, such as those of sessions of a role. Tests add and remove them while the server runs. */
  sessions: OssCredentials[];
  /** Minimum bytes of all parts but the last; 100 KB (102,400) at OSS. */
  minPartSize: number;
  /** Maximum bytes of a PUT or part; 5 GB at OSS. */
  maxPutSize: number;
  /** V1 signatures are not available for new accounts and buckets. */
  allowV1: boolean;
  /** OSS refuses the bucket in the path. If true, the server takes it from there, and its endpoint is an address. */
  pathStyle: boolean;
  /** Buckets by the custom domains that are mapped to them. */
  cnames: Readonly<Record<string, string>>;
  /** The account is new: data calls over the public endpoint are refused. */
  publicEndpointForbidden: boolean;
}

/** A request whose signature is verified and whose body is read. */
export interface OssCall {
  exchange: Exchange;
  settings: OssSettings;
  namespace: Namespace;
  bucket: Bucket;
  body: Buffer;
}

export type OssHandler = (call: OssCall) => Reply;

export function xmlReply(root: string, content: string, headers: Record<string, string | undefined> = {}): Reply {
  const body = `${XML_HEAD}<${root}>${content}</${root}>`;
  return { status: 200, headers: { 'content-type': 'application/xml', ...headers }, body };
}

export function versionHeader(bucket: Bucket, versionId: string | undefined): Record<string, string | undefined> {
  return bucket.versioning === undefined ? {} : { 'x-oss-version-id': versionId };
}

export function crcHeader(object: StoredObject): Record<string, string | undefined> {
  return { 'x-oss-hash-crc64ecma': object.crc64ecma };
}

/** OSS does not escape the quotes of an ETag. */
export function etagElement(etag: string): string {
  return `<ETag>"${etag}"</ETag>`;
}

/** `2012-02-24T08:43:27.000Z`: OSS stores whole seconds. */
export function isoSeconds(ms: number): string {
  return new Date(Math.floor(ms / 1000) * 1000).toISOString();
}

/** `encoding-type=url`: percent-encoding of all but the unreserved characters, `/` included. @throws InvalidArgument */
export function encoding(query: Query): (text: string) => string {
  const type = query.get('encoding-type');
  if (type === undefined || type === '') return (text) => text;
  if (type !== 'url') throw new ServiceError('InvalidArgument', { message: 'Invalid Encoding Method specified.' });
  return (text) => encodeUri(text);
}

/** Verifies Content-MD5, if any. Returns whether there was one. @throws InvalidDigest */
export function checkContentMd5(exchange: Exchange, body: Buffer): boolean {
  const claimed = exchange.header('content-md5');
  if (claimed === undefined) return false;
  const actual = digest('md5', [body]).toString('base64');
  if (claimed !== actual) {
    throw new ServiceError('InvalidDigest', {
      message: 'The Content-MD5 you specified is not valid.',
      elements: { ClientComputedContentMD5: claimed, ServerComputedContentMD5: actual },
    });
  }
  return true;
}

/** x-oss-forbid-overwrite, which buckets with versioning ignore. @throws FileAlreadyExists */
export function checkOverwrite({ exchange, bucket }: OssCall): void {
  if (exchange.vendor('forbid-overwrite') !== 'true' || bucket.versioning !== undefined) return;
  if (bucket.current(exchange.key)) throw new ServiceError('FileAlreadyExists');
}
