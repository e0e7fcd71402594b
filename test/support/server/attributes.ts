import type { Bucket } from './bucket.js';
import { readEncryption } from './encryption.js';
import { ServiceError } from './errors.js';
import type { Exchange } from './exchange.js';
import { lockHeaders, readLock } from './locks.js';
import type { FurtherAttributes, ObjectAttributes, Protocol, StoredObject, Tag } from './model.js';
import { Query } from './query.js';

const CONTENT_HEADERS = [
  'content-type',
  'content-encoding',
  'content-disposition',
  'content-language',
  'cache-control',
  'expires',
];

/** User metadata: names and values together, in bytes. S3 "Object metadata", OSS "Manage object metadata". */
const MAX_METADATA: Record<Protocol, number> = { s3: 2048, oss: 8192 };

const STORAGE_CLASSES: Record<Protocol, readonly string[]> = {
  s3: [
    'STANDARD',
    'REDUCED_REDUNDANCY',
    'STANDARD_IA',
    'ONEZONE_IA',
    'INTELLIGENT_TIERING',
    'GLACIER',
    'GLACIER_IR',
    'DEEP_ARCHIVE',
  ],
  oss: ['Standard', 'IA', 'Archive', 'ColdArchive', 'DeepColdArchive'],
};

const ACLS: Record<Protocol, readonly string[]> = {
  s3: [
    'private',
    'public-read',
    'public-read-write',
    'authenticated-read',
    'aws-exec-read',
    'bucket-owner-read',
    'bucket-owner-full-control',
  ],
  oss: ['default', 'private', 'public-read', 'public-read-write'],
};

/**
 * The object's attributes in the headers of a write.
 * @throws MetadataTooLarge, InvalidStorageClass, InvalidTag, AccessControlListNotSupported, InvalidRequest (locks)
 */
export function readAttributes(exchange: Exchange, bucket: Bucket): ObjectAttributes & FurtherAttributes {
  const { protocol } = exchange;
  const storageClass = exchange.vendor('storage-class');
  if (storageClass !== undefined && !STORAGE_CLASSES[protocol].includes(storageClass)) {
    if (protocol === 's3') throw new ServiceError('InvalidStorageClass');
    throw invalidArgument('x-oss-storage-class', storageClass, '0013-00000101');
  }
  const acl = exchange.vendor(protocol === 's3' ? 'acl' : 'object-acl');
  if (acl !== undefined) checkAcl(acl, bucket);
  const lock = readLock(exchange, bucket);
  const redirect = protocol === 's3' ? readRedirect(exchange) : undefined;
  const tagging = exchange.vendor('tagging');
  return {
    headers: contentHeaders(exchange),
    metadata: userMetadata(exchange),
    encryption: readEncryption(exchange),
    ...(storageClass === undefined ? {} : { storageClass }),
    ...(acl === undefined ? {} : { acl }),
    ...(tagging === undefined ? {} : { tags: tagsFromQuery(tagging, protocol) }),
    ...(lock && { lock }),
    ...(redirect === undefined ? {} : { redirect }),
  };
}

/**
 * A path of the bucket, or an address. The code and the text are those of Amazon (https://github.com/aws/aws-cli/issues/1130).
 * @throws InvalidRedirectLocation
 */
function readRedirect(exchange: Exchange): string | undefined {
  const redirect = exchange.vendor('website-redirect-location');
  if (redirect === undefined) return undefined;
  if (!/^(?:\/|https?:\/\/)/.test(redirect)) throw new ServiceError('InvalidRedirectLocation');
  if (redirect.length <= 2048) return redirect;
  const message = 'The length of website redirect location cannot exceed 2,048 characters.';
  throw new ServiceError('InvalidRedirectLocation', { message });
}

/** With the elements that both services name the argument by. */
function invalidArgument(name: string, value: string, ec?: string): ServiceError {
  return new ServiceError('InvalidArgument', {
    elements: { ArgumentName: name, ArgumentValue: value, ...(ec !== undefined && { EC: ec }) },
  });
}

/** @throws InvalidArgument, AccessControlListNotSupported */
export function checkAcl(acl: string, { protocol, ownerEnforced }: Bucket): void {
  if (!ACLS[protocol].includes(acl)) {
    throw invalidArgument(protocol === 's3' ? 'x-amz-acl' : 'x-oss-object-acl', acl);
  }
  // "Controlling ownership of objects": only this one is accepted, and changes nothing.
  if (ownerEnforced && acl !== 'bucket-owner-full-control') throw new ServiceError('AccessControlListNotSupported');
}

function contentHeaders(exchange: Exchange): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': exchange.protocol === 's3' ? 'binary/octet-stream' : 'application/octet-stream',
  };
  for (const name of CONTENT_HEADERS) {
    const value = exchange.header(name);
    if (value !== undefined) headers[name] = value;
  }
  // S3 keeps all encodings except its own transfer coding.
  const encodings = headers['content-encoding']?.split(',').map((name) => name.trim());
  if (encodings?.includes('aws-chunked')) {
    const rest = encodings.filter((name) => name !== 'aws-chunked').join(',');
    if (rest) headers['content-encoding'] = rest;
    else delete headers['content-encoding'];
  }
  return headers;
}

function userMetadata(exchange: Exchange): Record<string, string> {
  const prefix = `${exchange.vendorPrefix}meta-`;
  const metadata: Record<string, string> = {};
  let size = 0;
  for (const name of Object.keys(exchange.req.headers)) {
    if (!name.startsWith(prefix)) continue;
    // "Manage object metadata": OSS accepts letters, digits and hyphens.
    if (exchange.protocol === 'oss' && !/^[a-z0-9-]+$/.test(name)) {
      throw new ServiceError('InvalidArgument', {
        message: 'The metadata name is invalid.',
        elements: { EC: '0011-00000004' },
      });
    }
    const value = exchange.header(name) ?? '';
    metadata[name.slice(prefix.length)] = value;
    size += name.length - prefix.length + value.length;
  }
  const limit = MAX_METADATA[exchange.protocol];
  if (size > limit) {
    throw new ServiceError('MetadataTooLarge', { elements: { Size: String(size), MaxSizeAllowed: String(limit) } });
  }
  return metadata;
}

/** `a=1&b=2`, encoded as a query. @throws InvalidTag */
export function tagsFromQuery(text: string, protocol: Protocol): Tag[] {
  return checkTags(
    new Query(text).entries.map(([key, value]) => ({ key, value })),
    protocol,
  );
}

/** S3 "Object tagging", OSS "PutObjectTagging". */
const TAG_CHARACTERS: Record<Protocol, RegExp> = {
  s3: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u,
  oss: /^[A-Za-z0-9 +\-=._:/]*$/,
};

/** Both services: at most 10 tags, keys of 1 to 128 characters, values of at most 256. @throws InvalidTag */
export function checkTags(tags: Tag[], protocol: Protocol): Tag[] {
  const keys = new Set(tags.map((tag) => tag.key));
  const allowed = TAG_CHARACTERS[protocol];
  const bad = tags.some(
    ({ key, value }) =>
      key.length < 1 ||
      key.length > 128 ||
      value.length > 256 ||
      !allowed.test(key + value) ||
      (protocol === 's3' && key.startsWith('aws:')),
  );
  if (bad || keys.size !== tags.length || tags.length > 10) throw new ServiceError('InvalidTag');
  return tags;
}

/** An object's headers as GET and HEAD return them. */
export function attributeHeaders(object: StoredObject, protocol: Protocol): Record<string, string> {
  const prefix = protocol === 's3' ? 'x-amz-' : 'x-oss-';
  const headers: Record<string, string> = { ...object.headers };
  for (const [name, value] of Object.entries(object.metadata)) {
    headers[`${prefix}meta-${name}`] = protocol === 's3' ? asciiHeader(value) : value;
  }
  if (object.tags.length > 0) headers[`${prefix}tagging-count`] = String(object.tags.length);
  if (object.redirect !== undefined) headers['x-amz-website-redirect-location'] = object.redirect;
  return Object.assign(headers, lockHeaders(object, protocol));
}

/** S3 returns non-ASCII metadata as RFC 2047 words of its UTF-8 bytes ("Working with object metadata"). */
function asciiHeader(value: string): string {
  if (!/[^\x20-\x7e\t]/.test(value)) return value;
  return `=?UTF-8?B?${Buffer.from(value, 'latin1').toString('base64')}?=`;
}

/** `Sun, 06 Nov 1994 08:49:37 GMT` */
export function httpDate(ms: number): string {
  return new Date(ms).toUTCString();
}

/** Limits on keys. S3: at most 1024 bytes. OSS: 1 to 1023 bytes, not starting with `/` or `\`. */
export function checkKey(key: string, protocol: Protocol): void {
  const bytes = Buffer.byteLength(key);
  if (protocol === 's3' && bytes > 1024) {
    throw new ServiceError('KeyTooLongError', { elements: { Size: String(bytes), MaxSizeAllowed: '1024' } });
  }
  if (protocol === 'oss' && (bytes > 1023 || /^[/\\]/.test(key))) throw new ServiceError('InvalidObjectName');
}
