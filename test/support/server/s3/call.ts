import type { Bucket } from '../bucket.js';
import type { Namespace } from '../core.js';
import type { Exchange, Reply } from '../exchange.js';
import { XML_HEAD } from '../xml.js';
import type { S3Credentials } from './sigv4.js';

export interface S3Settings {
  region: string;
  credentials: S3Credentials;
  /** Minimum bytes of all parts but the last; 5 MiB at AWS. */
  minPartSize: number;
  /** Maximum bytes of a PUT or part; 5 GiB at AWS. */
  maxPutSize: number;
  /** AWS adds CRC64NVME to data without a checksum; most compatible stores do not. */
  defaultChecksum: boolean;
}

/** A request whose signature is verified and whose body is read and decoded. */
export interface S3Call {
  exchange: Exchange;
  settings: S3Settings;
  namespace: Namespace;
  bucket: Bucket;
  body: Buffer;
  trailers: Record<string, string>;
}

export type S3Handler = (call: S3Call) => Reply;

export const S3_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

/** An XML response whose root is in S3's namespace. */
export function xmlReply(root: string, content: string, headers: Record<string, string | undefined> = {}): Reply {
  const body = `${XML_HEAD}<${root} ${S3_NAMESPACE}>${content}</${root}>`;
  return { status: 200, headers: { 'content-type': 'application/xml', ...headers }, body };
}

/** The version header; absent in buckets that never had versioning. */
export function versionHeader(bucket: Bucket, versionId: string | undefined): Record<string, string | undefined> {
  return bucket.versioning === undefined ? {} : { 'x-amz-version-id': versionId };
}
