/**
 * Converts user metadata and content headers between the port and OSS's headers. What OSS cannot hold is spelled in
 * another form (../attributes/spelling.ts).
 */
import type { ContentHeaders, UserMetadata } from '../../model/object.js';
import { OSS_ATTRIBUTES } from '../attributes/limits.js';
import { spellAll, unspell } from '../attributes/spelling.js';
import { taggingText } from '../http/attributes.js';
import type { PutAttributes } from '../port.js';
import { readHeader, wireHeader } from './encode.js';

const PREFIX = 'x-oss-meta-';
const { metadata: LIMITS } = OSS_ATTRIBUTES;

const CONTENT_HEADERS: readonly [keyof ContentHeaders, string][] = [
  ['contentType', 'content-type'],
  ['contentEncoding', 'content-encoding'],
  ['contentDisposition', 'content-disposition'],
  ['contentLanguage', 'content-language'],
  ['cacheControl', 'cache-control'],
  ['expires', 'expires'],
];

/** Settings of the remote that go into the headers of new objects. */
export interface NewObjectSettings {
  storage_class?: string;
  server_side_encryption?: string;
  sse_kms_key_id?: string;
  sse_kms_data_encryption?: string;
}

/**
 * Request headers for an object's attributes and encryption. Absent ones are not sent: without a Content-Type, OSS derives
 * one from the key's extension.
 * @throws metadata-too-large
 */
export function objectHeaders(
  key: string,
  options: PutAttributes,
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
  const { tags, acl, lock } = options;
  if (tags && tags.length > 0) headers['x-oss-tagging'] = taggingText(tags);
  if (acl !== undefined) headers['x-oss-object-acl'] = acl;
  if (lock?.mode !== undefined && lock.untilMs !== undefined) {
    headers['x-oss-object-worm-mode'] = lock.mode;
    headers['x-oss-object-worm-retain-until-date'] = new Date(lock.untilMs).toISOString();
  }
  for (const [name, text] of spellAll(key, options.metadata ?? {}, LIMITS)) headers[PREFIX + name] = text;
  return headers;
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
  return unspell(
    ours.map(([name, value]) => [name.slice(PREFIX.length), readHeader(value)]),
    LIMITS,
  );
}

/** Headers as HTTP libraries expect them. */
export function wireHeaders(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, wireHeader(value)]));
}
