/** Converts content headers, metadata and checksums between the model and S3's HTTP headers. */
import { isUtf8 } from 'node:buffer';
import type { ObjectLock } from '../../model/attributes.js';
import type { Checksums } from '../../model/checksum.js';
import type { ContentHeaders, ObjectInfo, UserMetadata } from '../../model/object.js';
import { spellAll, unspell } from '../attributes/spelling.js';
import { lockOf, taggingText } from '../http/attributes.js';
import type { MetadataLimits, PutAttributes } from '../port.js';

type Headers = Record<string, string>;

const CONTENT_HEADERS: readonly (readonly [keyof ContentHeaders, string])[] = [
  ['contentType', 'content-type'],
  ['contentEncoding', 'content-encoding'],
  ['contentDisposition', 'content-disposition'],
  ['contentLanguage', 'content-language'],
  ['cacheControl', 'cache-control'],
  ['expires', 'expires'],
];

const META = 'x-amz-meta-';

/** In requests for objects with a key of the customer, and in the responses. */
export const CUSTOMER_ALGORITHM = 'x-amz-server-side-encryption-customer-algorithm';

/** Content headers for a request, as latin1 of their UTF-8 bytes. */
export function contentHeadersOut(content: ContentHeaders | undefined, into: Headers): void {
  if (!content) return;
  for (const [field, name] of CONTENT_HEADERS) {
    const value = content[field];
    if (value !== undefined) into[name] = Buffer.from(value, 'utf8').toString('latin1');
  }
}

/** Content headers of a response, without `aws-chunked`, which some stores keep from the upload. */
export function contentHeadersIn(headers: Headers): ContentHeaders {
  const content: ContentHeaders = {};
  for (const [field, name] of CONTENT_HEADERS) {
    const raw = headers[name];
    if (raw === undefined) continue;
    const value = field === 'contentEncoding' ? raw.replace(/\baws-chunked\b,?\s*/, '') : raw;
    if (value !== '') content[field] = utf8Of(value);
  }
  return content;
}

/** Settings of the remote that go into the headers of new objects. */
export interface NewObjectSettings {
  storage_class?: string;
  acl?: string;
  server_side_encryption?: string;
  sse_kms_key_id?: string;
  /** Of the customer, as headers. */
  customerKey?: { readonly own: Readonly<Headers> };
}

/** The headers of every request that creates an object: PUT, copy and the start of an upload; not its parts. */
export function newObjectHeaders(settings: NewObjectSettings, attributes: PutAttributes): Headers {
  const { storageClass, acl, tags, redirect, lock } = attributes;
  const headers: Headers = { ...settings.customerKey?.own };
  const named = [
    ['x-amz-storage-class', storageClass ?? settings.storage_class],
    ['x-amz-acl', acl ?? settings.acl],
    ['x-amz-server-side-encryption', settings.server_side_encryption],
    ['x-amz-server-side-encryption-aws-kms-key-id', settings.sse_kms_key_id],
  ] as const;
  for (const [name, value] of named) if (value !== undefined) headers[name] = value;
  if (tags && tags.length > 0) headers['x-amz-tagging'] = taggingText(tags);
  if (redirect !== undefined) headers['x-amz-website-redirect-location'] = redirect;
  if (lock) lockHeadersOut(lock, headers);
  return headers;
}

function lockHeadersOut({ mode, untilMs, legalHold }: ObjectLock, into: Headers): void {
  if (mode !== undefined && untilMs !== undefined) {
    into['x-amz-object-lock-mode'] = mode;
    into['x-amz-object-lock-retain-until-date'] = new Date(untilMs).toISOString();
  }
  if (legalHold) into['x-amz-object-lock-legal-hold'] = 'ON';
}

/** Tags, lock and redirect of a response. */
export function furtherIn(headers: Headers): Pick<ObjectInfo, 'tagCount' | 'lock' | 'redirect'> {
  const further: Pick<ObjectInfo, 'tagCount' | 'lock' | 'redirect'> = {};
  const tagCount = Number(headers['x-amz-tagging-count'] ?? 0);
  if (tagCount > 0) further.tagCount = tagCount;
  const redirect = headers['x-amz-website-redirect-location'];
  if (redirect !== undefined) further.redirect = redirect;
  const lock = lockOf(
    headers['x-amz-object-lock-mode'],
    headers['x-amz-object-lock-retain-until-date'],
    headers['x-amz-object-lock-legal-hold'],
  );
  if (lock) further.lock = lock;
  return further;
}

/** Whether the ETags of what is written are no MD5s, because of how it is encrypted. */
export function encryptsOpaquely({ server_side_encryption: method, customerKey }: NewObjectSettings): boolean {
  return customerKey !== undefined || (method !== undefined && !isTransparent(method));
}

/** Only under SSE-S3, and without encryption, is an ETag the MD5 of the data ("Object" in the S3 API reference). */
function isTransparent(method: string): boolean {
  return method === 'AES256';
}

/**
 * User metadata for a request, spelled so that the store keeps it (../attributes/spelling.ts).
 * @throws metadata-too-large
 */
export function metadataOut(key: string, metadata: UserMetadata | undefined, limits: MetadataLimits): Headers {
  const headers: Headers = {};
  for (const [name, text] of spellAll(key, metadata ?? {}, limits)) headers[META + name] = text;
  return headers;
}

/** User metadata of a response, decoded. */
export function metadataIn(headers: Headers, limits: Pick<MetadataLimits, 'name'>): UserMetadata {
  const metadata: [string, string][] = [];
  for (const name in headers) {
    if (name.startsWith(META)) metadata.push([name.slice(META.length), utf8Of(headers[name] ?? '')]);
  }
  return unspell(metadata, limits);
}

/** Decodes header text whose bytes are UTF-8. Anything else stays latin1. */
function utf8Of(latin1: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII
  if (/^[\x00-\x7f]*$/.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : latin1;
}

/** Whether an ETag of the right form is an MD5: certainly, possibly (false), or never. */
export type Promised = boolean | 'never';

const MD5 = /^[0-9a-f]{32}$/i;
const MD5_OF_PARTS = /^[0-9a-f]{32}-\d+$/i;

/**
 * What an ETag says about the data: an MD5, an MD5 of the parts' MD5s, or nothing.
 * @param promised the store promises that an ETag of such a form is one; otherwise it is only a hint
 */
export function checksumsOfEtag(etag: string, promised: Promised): Checksums {
  if (promised === 'never') return {};
  const isMd5 = etag.length === 32 && MD5.test(etag);
  if (!isMd5 && !MD5_OF_PARTS.test(etag)) return {};
  const value = etag.toLowerCase();
  if (!promised) return { etagHint: value };
  return isMd5 ? { md5: value } : { md5ofParts: value };
}

/** Checksums of S3 over the whole object (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html). */
const WHOLE = [
  ['crc64nvme', 'x-amz-checksum-crc64nvme'],
  ['crc32', 'x-amz-checksum-crc32'],
  ['crc32c', 'x-amz-checksum-crc32c'],
  ['sha1', 'x-amz-checksum-sha1'],
  ['sha256', 'x-amz-checksum-sha256'],
] as const;

/**
 * The checksums in a response's headers. Under SSE-KMS and SSE-C the ETag looks like an MD5 but is not one. OSS's S3 API
 * has MD5s only on objects of type `Normal`, and its own kind of multipart ETags.
 * @param promised as in `checksumsOfEtag`
 */
export function checksumsIn(headers: Headers, etag: string, promised: Promised): Checksums {
  const checksums: Checksums = {};
  const type = headers['x-oss-object-type'];
  if (!isOpaque(headers) && (type === undefined || type === 'Normal')) {
    Object.assign(checksums, checksumsOfEtag(etag, promised));
  }
  if ((headers['x-amz-checksum-type'] ?? 'FULL_OBJECT') !== 'FULL_OBJECT') return checksums;
  for (const [name, header] of WHOLE) {
    const value = headers[header];
    // `…-N` is a checksum of the parts' checksums.
    if (value !== undefined && !value.includes('-')) checksums[name] = value;
  }
  return checksums;
}

function isOpaque(headers: Headers): boolean {
  const encryption = headers['x-amz-server-side-encryption'];
  return (encryption !== undefined && !isTransparent(encryption)) || headers[CUSTOMER_ALGORITHM] !== undefined;
}

/** `Content-MD5` for a body whose MD5 is known. The store refuses a body that differs. */
export function md5Header(hex: string | undefined): Record<string, string> {
  return hex === undefined ? {} : { 'content-md5': Buffer.from(hex, 'hex').toString('base64') };
}
