/**
 * Converts user metadata and content headers between the port and OSS's headers.
 *
 * OSS allows `x-oss-meta-` names of letters, digits and `-` (error 0011-00000004), printable values (0011-00000005)
 * and 8 KB for all names and values together (0011-00000002). Other characters are encoded reversibly:
 * - In a name, each UTF-8 byte of another character becomes `-xHH-`: `my_key` is `my-x5f-key`. A `-` that would start
 *   such a sequence becomes `-x2d-`.
 * - A value that is not printable ASCII, or that other software could trim or misread, becomes an RFC 2047 encoded
 *   word (`=?UTF-8?B?5Lit?=`). S3 returns such values in the same form, and mail libraries can decode it.
 */
import { XsyncError } from '../../model/error.js';
import type { ContentHeaders, UserMetadata } from '../../model/object.js';
import { decodeUtf8, readHeader, wireHeader } from './encode.js';

const PREFIX = 'x-oss-meta-';
/** Bytes of one object's names (with prefix) and values. */
const MAX_BYTES = 8192;

const CONTENT_HEADERS: readonly [keyof ContentHeaders, string][] = [
  ['contentType', 'content-type'],
  ['contentEncoding', 'content-encoding'],
  ['contentDisposition', 'content-disposition'],
  ['contentLanguage', 'content-language'],
  ['cacheControl', 'cache-control'],
  ['expires', 'expires'],
];

/** An object's attributes in put, copy and createUpload. */
export interface ObjectHeaders {
  headers?: ContentHeaders;
  metadata?: UserMetadata;
  storageClass?: string;
}

/** Settings of the remote that go into the headers of new objects. */
export interface NewObjectSettings {
  storage_class?: string;
  server_side_encryption?: string;
  sse_kms_key_id?: string;
  sse_kms_data_encryption?: string;
}

/**
 * Request headers for an object's content headers, metadata, storage class and encryption. Absent ones are not sent: without a
 * Content-Type, OSS derives one from the key's extension.
 * @throws metadata-too-large: above `MAX_BYTES`
 */
export function objectHeaders(
  key: string,
  options: ObjectHeaders,
  settings: NewObjectSettings = {},
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [field, name] of CONTENT_HEADERS) {
    const value = options.headers?.[field];
    if (value !== undefined) headers[name] = value;
  }
  for (const [name, value] of [
    ['x-oss-storage-class', options.storageClass ?? settings.storage_class],
    ['x-oss-server-side-encryption', settings.server_side_encryption],
    ['x-oss-server-side-encryption-key-id', settings.sse_kms_key_id],
    ['x-oss-server-side-data-encryption', settings.sse_kms_data_encryption],
  ] as const) {
    if (value !== undefined) headers[name] = value;
  }
  let bytes = 0;
  for (const [name, value] of Object.entries(options.metadata ?? {})) {
    const header = PREFIX + encodeName(name.toLowerCase());
    headers[header] = encodeValue(value);
    bytes += header.length + headers[header].length;
  }
  if (bytes <= MAX_BYTES) return headers;
  throw new XsyncError('metadata-too-large', `${bytes} bytes of metadata; OSS keeps at most ${MAX_BYTES}`, {
    subject: key,
    remedy: 'Drop or shorten metadata with --metadata-set, or copy without --metadata.',
  });
}

export function readContentHeaders(answer: Record<string, string>): ContentHeaders {
  const headers: ContentHeaders = {};
  for (const [field, name] of CONTENT_HEADERS) {
    const value = answer[name];
    if (value !== undefined) headers[field] = readHeader(value);
  }
  return headers;
}

export function readMetadata(answer: Record<string, string>): UserMetadata {
  const ours = Object.entries(answer).filter(([name]) => name.startsWith(PREFIX));
  // An assignment would lose a name such as `__proto__`.
  return Object.fromEntries(
    ours.map(([name, value]) => [decodeName(name.slice(PREFIX.length)), decodeValue(readHeader(value))]),
  );
}

/** Headers as HTTP libraries expect them. */
export function wireHeaders(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, wireHeader(value)]));
}

/** @see the file's comment */
export function encodeName(name: string): string {
  return name.replace(/-(?=x[0-9a-f]{2}[^a-z0-9])|[^a-z0-9-]/gu, (c) =>
    [...Buffer.from(c)].map((byte) => `-x${byte.toString(16).padStart(2, '0')}-`).join(''),
  );
}

export function decodeName(name: string): string {
  return name.replace(/(?:-x[0-9a-f]{2}-)+/g, (run) => decodeUtf8(Buffer.from(run.replace(/-x|-/g, ''), 'hex')) ?? run);
}

const PLAIN = /^(?:[!-~](?:[ -~]*[!-~])?)?$/;
const ENCODED_WORD = /=\?utf-8\?([bq])\?([^?]*)\?=/gi;

export function encodeValue(value: string): string {
  if (PLAIN.test(value) && !value.includes('=?')) return value;
  return `=?UTF-8?B?${Buffer.from(value, 'utf8').toString('base64')}?=`;
}

/** Decodes encoded words of xsync and other software (base64 or quoted-printable); leaves other values unchanged. */
export function decodeValue(value: string): string {
  if (!value.includes('=?')) return value;
  return value
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(ENCODED_WORD, (_word, kind: string, text: string) =>
      kind.toLowerCase() === 'b' ? Buffer.from(text, 'base64').toString('utf8') : decodeQ(text),
    );
}

function decodeQ(text: string): string {
  const bytes = text
    .replaceAll('_', ' ')
    .replace(/=([0-9a-f]{2})/gi, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
