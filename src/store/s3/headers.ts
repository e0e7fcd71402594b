/** Content headers, metadata and checksums between the model and S3's HTTP headers. */
import { isUtf8 } from 'node:buffer';
import type { Checksums } from '../../model/checksum.js';
import { XsyncError } from '../../model/error.js';
import type { ContentHeaders, UserMetadata } from '../../model/object.js';

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
const TOKEN = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
/** Survives an HTTP header as it is: printable, no blanks at the ends, and not to be mistaken for an encoded word. */
const PLAIN_VALUE = /^(?!.*=\?)(?:[!-~](?:[ -~]*[!-~])?)?$/;

/** Content headers for a request, as latin1 of their UTF-8 bytes. */
export function contentHeadersOut(content: ContentHeaders | undefined, into: Headers): void {
  if (!content) return;
  for (const [field, name] of CONTENT_HEADERS) {
    const value = content[field];
    if (value !== undefined) into[name] = Buffer.from(value, 'utf8').toString('latin1');
  }
}

/** Content headers of an answer. `aws-chunked`, which some stores keep from the upload, is no encoding of the object. */
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

interface MetadataLimits {
  maxMetadata: number;
  metadataUnderscore: boolean;
}

/**
 * User metadata for a request. HTTP headers carry ASCII, and S3 takes other bytes for latin1; so what is not plain
 * ASCII goes as an RFC 2047 encoded word, which is also how S3 answers such values.
 * @throws metadata-too-large above `maxMetadata` bytes of names and values, unsupported for a name that is no header's
 */
export function metadataOut(metadata: UserMetadata | undefined, limits: MetadataLimits, into: Headers): void {
  if (!metadata) return;
  let bytes = 0;
  for (const [name, value] of Object.entries(metadata)) {
    const lower = name.toLowerCase();
    if (!TOKEN.test(lower) || (!limits.metadataUnderscore && lower.includes('_'))) {
      throw new XsyncError('unsupported', 'the store cannot hold metadata of this name', { subject: name });
    }
    const text = PLAIN_VALUE.test(value) ? value : `=?UTF-8?B?${Buffer.from(value, 'utf8').toString('base64')}?=`;
    bytes += lower.length + text.length;
    into[META + lower] = text;
  }
  if (bytes > limits.maxMetadata) {
    throw new XsyncError(
      'metadata-too-large',
      `${bytes} bytes of user metadata; the store keeps ${limits.maxMetadata}`,
      {
        remedy: 'Shorten the metadata, or copy without it.',
      },
    );
  }
}

/** User metadata of an answer, decoded. */
export function metadataIn(headers: Headers): UserMetadata {
  const metadata: [string, string][] = [];
  for (const name in headers) {
    if (name.startsWith(META)) metadata.push([name.slice(META.length), decodeWords(utf8Of(headers[name] ?? ''))]);
  }
  // Assigning would lose a name such as `__proto__`.
  return Object.fromEntries(metadata);
}

const WORD = /=\?utf-8\?([bq])\?([^?]*)\?=/gi;

/** Encoded words as text. White space between two of them belongs to neither. */
function decodeWords(text: string): string {
  if (!text.includes('=?')) return text;
  return text.replace(/(\?=)\s+(?==\?utf-8\?[bq]\?)/gi, '$1').replace(WORD, (_word, kind: string, coded: string) => {
    if (kind.toLowerCase() === 'b') return Buffer.from(coded, 'base64').toString('utf8');
    const bytes = coded
      .replaceAll('_', ' ')
      .replace(/=([0-9a-f]{2})/gi, (_c, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
    return Buffer.from(bytes, 'latin1').toString('utf8');
  });
}

/** Header text whose bytes are UTF-8 as such; anything else stays latin1. */
function utf8Of(latin1: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII
  if (/^[\x00-\x7f]*$/.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : latin1;
}

/** An ETag without quotes and without the weak mark, otherwise verbatim. */
export function unquote(etag: string): string {
  // The common form without a regexp: this runs once for every key of a listing.
  const last = etag.length - 1;
  if (last > 0 && etag[0] === '"' && etag[last] === '"') return etag.slice(1, last);
  return etag.replace(/^(?:W\/)?"(.*)"$/, '$1');
}

const MD5 = /^[0-9a-f]{32}$/i;
const MD5_OF_PARTS = /^[0-9a-f]{32}-\d+$/i;

/** What an ETag says of the bytes: an MD5, an MD5 of the parts' MD5s, or nothing. */
export function checksumsOfEtag(etag: string): Checksums {
  if (etag.length === 32 && MD5.test(etag)) return { md5: etag.toLowerCase() };
  return MD5_OF_PARTS.test(etag) ? { md5ofParts: etag.toLowerCase() } : {};
}

/**
 * The checksums that an answer's headers vouch for. Under SSE-KMS and SSE-C the ETag looks like an MD5 and is none;
 * OSS's S3 dialect has MD5s only on objects of type `Normal`, and multipart ETags of its own making.
 */
export function checksumsIn(headers: Headers, etag: string): Checksums {
  const checksums: Checksums = {};
  const type = headers['x-oss-object-type'];
  if (!isOpaque(headers) && (type === undefined || type === 'Normal')) Object.assign(checksums, checksumsOfEtag(etag));
  const crc64 = headers['x-amz-checksum-crc64nvme'];
  if (crc64 !== undefined && (headers['x-amz-checksum-type'] ?? 'FULL_OBJECT') === 'FULL_OBJECT') {
    checksums.crc64nvme = crc64;
  }
  return checksums;
}

function isOpaque(headers: Headers): boolean {
  const encryption = headers['x-amz-server-side-encryption'];
  return (
    encryption?.startsWith('aws:kms') === true ||
    headers['x-amz-server-side-encryption-customer-algorithm'] !== undefined
  );
}

/** `Content-MD5` for a body whose MD5 is known: the store then refuses a body that differs. */
export function md5Header(hex: string | undefined): Record<string, string> {
  return hex === undefined ? {} : { 'content-md5': Buffer.from(hex, 'hex').toString('base64') };
}
