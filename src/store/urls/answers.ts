/** What the response to a GET of a URL says of the object. Tests: test/store/urls/store.test.ts */
import type { Checksums } from '../../model/checksum.js';
import { bareEtag } from '../../model/etag.js';
import type { ObjectInfo, UserMetadata } from '../../model/object.js';
import { OSS_ATTRIBUTES, S3_ATTRIBUTES } from '../attributes/limits.js';
import { lockOf } from '../http/attributes.js';
import { checksumsIn, contentHeadersIn, furtherIn, metadataIn } from '../s3/headers.js';

type Headers = Record<string, string>;

/** What names the version of an object. */
export interface Validator {
  /** Without quotes; made up for servers without ETags. */
  etag: string;
  /** The headers that make the server refuse another version. */
  pin: Headers;
}

/** The validator in a response; undefined if it has none. @param size of the whole object, bytes */
export function validatorOf(headers: Headers, size: number): Validator | undefined {
  const { etag, 'last-modified': modified } = headers;
  if (etag) {
    const bare = bareEtag(etag);
    // If-Match never matches a weak one (https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1).
    return { etag: bare, pin: etag.startsWith('W/') ? {} : { 'if-match': `"${bare}"` } };
  }
  const modifiedMs = Date.parse(modified ?? '');
  if (modified === undefined || Number.isNaN(modifiedMs)) return undefined;
  return { etag: `time-${modifiedMs}-${size}`, pin: { 'if-unmodified-since': modified } };
}

/** @param whole the response carried the whole object, so that its Content-MD5 is that of the object */
export function infoOf(
  key: string,
  headers: Headers,
  { size, etag, mtimeMs, whole }: { size: number; etag: string; mtimeMs: number; whole: boolean },
): ObjectInfo {
  return {
    ...{ key, size, etag, mtimeMs },
    headers: contentHeadersIn(headers),
    metadata: metadataOf(headers),
    checksums: checksumsOf(headers, whole),
  };
}

/** Storage class, tags, lock and redirect, as S3 and OSS tell them. */
export function furtherOf(headers: Headers): Pick<ObjectInfo, 'storageClass' | 'tagCount' | 'lock' | 'redirect'> {
  const ofS3 = furtherIn(headers);
  const storageClass = headers['x-amz-storage-class'] ?? headers['x-oss-storage-class'];
  const tagCount = Number(headers['x-oss-tagging-count'] ?? 0) || ofS3.tagCount;
  const lock =
    ofS3.lock ??
    lockOf(
      headers['x-oss-object-worm-mode'],
      headers['x-oss-object-worm-retain-until-date'],
      headers['x-oss-object-worm-legal-hold'],
    );
  return {
    ...ofS3,
    ...(storageClass && { storageClass }),
    ...(tagCount && { tagCount }),
    ...(lock && { lock }),
  };
}

/** Each service has a prefix of its own; all spell names and values as S3 or OSS do here. */
function metadataOf(headers: Headers): UserMetadata {
  const under = (prefix: RegExp): Headers =>
    Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) =>
        prefix.test(name) ? [[name.replace(prefix, 'x-amz-meta-'), value]] : [],
      ),
    );
  return {
    ...metadataIn(under(/^x-(amz|ms|goog)-meta-/), S3_ATTRIBUTES.metadata),
    ...metadataIn(under(/^x-oss-meta-/), OSS_ATTRIBUTES.metadata),
  };
}

/**
 * Checksums that the server states. Google: `x-goog-hash: crc32c=…,md5=…`
 * (https://cloud.google.com/storage/docs/xml-api/reference-headers#xgooghash); Azure: `x-ms-blob-content-md5`; OSS:
 * `x-oss-hash-crc64ecma`.
 */
function checksumsOf(headers: Headers, whole: boolean): Checksums {
  const told = whole ? headers : withoutSums(headers);
  const checksums = checksumsIn(told, bareEtag(headers.etag ?? ''), false);
  const crc64ecma = headers['x-oss-hash-crc64ecma'];
  if (crc64ecma !== undefined && /^\d{1,20}$/.test(crc64ecma)) checksums.crc64ecma = crc64ecma;
  const google = headers['x-goog-hash'] ?? '';
  const md5 = headers['x-ms-blob-content-md5'] ?? /\bmd5=([\w+/]{22}==)/.exec(google)?.[1] ?? told['content-md5'];
  const bytes = Buffer.from(md5 ?? '', 'base64');
  if (bytes.length === 16) checksums.md5 = bytes.toString('hex');
  return checksums;
}

/** Beside some of the bytes, these may be theirs, not the object's. */
function withoutSums(headers: Headers): Headers {
  const others = Object.entries(headers).filter(([name]) => !/^x-amz-checksum-|^content-md5$/.test(name));
  return Object.fromEntries(others);
}
