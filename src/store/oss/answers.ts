/** Converts OSS's responses to the port's values. Tests: test/contract/stores.test.ts */
import type { Checksums } from '../../model/checksum.js';
import { XsyncError } from '../../model/error.js';
import type { ObjectEntry, ObjectInfo } from '../../model/object.js';
import { lockOf } from '../http/attributes.js';
import {
  damagedOf,
  isUsableEtag,
  startOf,
  timeIn,
  undecodable,
  usableEtag,
  versionOf,
  wholeNumber,
  withNames,
} from '../http/rows.js';
import { readXml, xmlRoot } from '../http/xml.js';
import type { DeleteFailure, ListPage, PartEntry, PartResult, UploadPage, WriteResult } from '../port.js';
import { decoded, decodeUrl } from './encode.js';
import { errorOf, ossError, type Subject } from './errors.js';
import { readContentHeaders, readMetadata } from './metadata.js';

type Headers = Record<string, string>;

/**
 * CompleteMultipartUpload and CopyObject send status 200 at once, to keep the connection alive, and may fail afterwards.
 * @throws XsyncError: when the body is an `<Error>`
 */
export function refuseError(body: Buffer, subject: Subject): void {
  if (xmlRoot(body) === 'Error') throw ossError({ status: 200, headers: {}, body }, subject);
}

const PAGE = {
  root: 'ListBucketResult',
  fields: ['IsTruncated', 'NextContinuationToken'],
  lists: {
    Contents: ['Key', 'LastModified', 'ETag', 'Type', 'Size', 'StorageClass', 'RestoreInfo'],
    CommonPrefixes: ['Prefix'],
  },
  quoted: ['ETag'],
  numbers: { Size: 'count', LastModified: 'time' },
} as const;

export function readListPage(body: Buffer): ListPage {
  const { fields, lists } = readXml(body, PAGE);
  const contents = withNames(lists.Contents, ({ Key }) => Key, decodeUrl);
  const folders = withNames(lists.CommonPrefixes, ({ Prefix }) => Prefix, decodeUrl, 'folder without a name');
  return {
    entries: contents.rows.map((item) => {
      const key = decoded(item.Key ?? '');
      const entry = makeEntry({
        ...versionOf({ size: item.Size, etag: item.ETag, mtimeMs: item.LastModified }),
        key: key ?? item.Key ?? '',
        type: item.Type,
        listed: true,
        storageClass: item.StorageClass,
        restore: item.RestoreInfo,
      });
      return key === undefined ? undecodable(entry) : entry;
    }),
    prefixes: folders.rows.map(({ Prefix = '' }) => decodeUrl(Prefix)),
    damaged: damagedOf(contents, folders),
    nextToken: isTruncated(fields) ? decodeUrl(need(fields, 'NextContinuationToken')) : undefined,
  };
}

/** A listing whose end is not told has not ended. */
export function isTruncated(fields: { IsTruncated?: string }): boolean {
  const text = need(fields, 'IsTruncated');
  if (text === 'true' || text === 'false') return text === 'true';
  throw new XsyncError('invalid-response', 'the response of OSS has no valid IsTruncated');
}

/** An object's attributes as a listing or response headers contain them. */
export interface RawEntry {
  key: string;
  size: number;
  etag: string;
  mtimeMs: number;
  /** Normal, Multipart, Appendable, Symlink. */
  type?: string;
  /** By a listing, which describes a link itself. A HEAD or GET has size, ETag and class of what it points to. */
  listed?: true;
  storageClass?: string;
  /** `ongoing-request="false", expiry-date="…"` for an archived object that is temporarily readable. */
  restore?: string;
}

/**
 * The port's entry. The ETag is the MD5 if the object was put in one request, and looks like one in other cases: a form
 * upload, a callback, a copy and KMS also have 32 hex digits and the type Normal. It is never more than a hint
 * (https://www.alibabacloud.com/help/en/oss/developer-reference/common-http-headers).
 */
export function makeEntry(raw: RawEntry): ObjectEntry {
  const { key, mtimeMs, type, storageClass } = raw;
  // A listing may give a link the length of its target's key.
  const size = raw.listed && type?.toLowerCase() === 'symlink' ? 0 : raw.size;
  const etag = unquote(raw.etag);
  const entry: ObjectEntry = { key, size, etag, mtimeMs };
  if (storageClass !== undefined && storageClass.toLowerCase() !== 'standard') entry.storageClass = storageClass;
  if (type?.toLowerCase() === 'normal') entry.checksums = hintOf(etag);
  return Object.assign(entry, specialOf(raw));
}

/**
 * ColdArchive and DeepColdArchive objects must be restored before they can be read; Archive objects, unless the bucket has
 * real-time access of Archive objects.
 */
function specialOf(raw: RawEntry): Pick<ObjectEntry, 'special' | 'archive'> | undefined {
  const kind = raw.type?.toLowerCase();
  if (kind === 'appendable' || (kind === 'symlink' && raw.listed)) return { special: kind };
  const archived = archivedOf(raw);
  return kind === 'symlink' ? { ...archived, special: kind } : archived;
}

function archivedOf({ storageClass, restore }: RawEntry): Pick<ObjectEntry, 'special' | 'archive'> | undefined {
  const archived = storageClass?.toLowerCase().endsWith('archive') === true;
  if (!archived) return undefined;
  if (restore?.includes('ongoing-request="false"')) return { archive: 'restored' };
  if (restore?.includes('ongoing-request="true"')) return { special: 'archived', archive: 'restoring' };
  return storageClass?.toLowerCase() === 'archive'
    ? { special: 'archived' }
    : { special: 'archived', archive: 'frozen' };
}

/** The object that a HEAD or GET describes. The CRC-64 covers the whole object, even in a ranged response. */
export function readInfo(key: string, headers: Headers): ObjectInfo {
  const whole = /\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1];
  const size = wholeNumber(whole ?? headers['content-length']);
  const mtimeMs = timeIn(headers['last-modified']);
  const { etag } = headers;
  if (size === undefined) throw lacking(key, 'size');
  if (!isUsableEtag(etag)) throw lacking(key, 'ETag');
  if (mtimeMs === undefined) throw lacking(key, 'time');
  const entry = makeEntry({
    key,
    size,
    etag,
    mtimeMs,
    type: headers['x-oss-object-type'],
    storageClass: headers['x-oss-storage-class'],
    restore: headers['x-oss-restore'],
  });
  const info: ObjectInfo = {
    ...entry,
    headers: readContentHeaders(headers),
    metadata: readMetadata(headers),
    // Of a link, only Content-MD5 is documented to be the target's.
    checksums: { ...entry.checksums, ...(entry.special !== 'symlink' && crcOf(headers)), ...contentMd5Of(headers) },
  };
  const tagCount = wholeNumber(headers['x-oss-tagging-count']);
  if (tagCount) info.tagCount = tagCount;
  const lock = lockOf(
    headers['x-oss-object-worm-mode'],
    headers['x-oss-object-worm-retain-until-date'],
    headers['x-oss-object-worm-legal-hold'],
  );
  if (lock) info.lock = lock;
  const versionId = headers['x-oss-version-id'];
  if (versionId !== undefined) info.versionId = versionId;
  return info;
}

/** The result of a put. The service computes the CRC-64. */
export function readPut(headers: Headers): WriteResult {
  return { ...readPart(headers), versionId: headers['x-oss-version-id'] };
}

/** A part's ETag is its MD5; with KMS or SM4, that of the encrypted data. The CRC-64 is of the data itself. */
export function readPart(headers: Headers): PartResult {
  const etag = needEtag(headers.etag);
  const method = headers['x-oss-server-side-encryption'];
  const opaque = method !== undefined && method !== 'AES256';
  return { etag, checksums: { ...(opaque ? {} : hintOf(etag)), ...crcOf(headers) } };
}

/** The result of a completed upload or a copy. Its ETag is opaque. It has a CRC only if every part or the source has. */
export function readWhole(
  body: Buffer,
  root: 'CompleteMultipartUploadResult' | 'CopyObjectResult',
  headers: Headers,
): WriteResult {
  const { fields } = readXml(body, { root, fields: ['ETag', 'LastModified'], lists: {} });
  const mtimeMs = timeIn(fields.LastModified);
  return {
    etag: needEtag(fields.ETag ?? headers.etag),
    checksums: crcOf(headers),
    versionId: headers['x-oss-version-id'],
    ...(mtimeMs === undefined ? {} : { mtimeMs }),
  };
}

/** The result of a copied part. Its ETag is its MD5. */
export function readPartCopy(body: Buffer, headers: Headers): PartResult {
  const { fields } = readXml(body, { root: 'CopyPartResult', fields: ['ETag'], lists: {} });
  return readPart({ ...headers, etag: fields.ETag ?? headers.etag ?? '' });
}

export function readUploadId(body: Buffer): string {
  const { fields } = readXml(body, { root: 'InitiateMultipartUploadResult', fields: ['UploadId'], lists: {} });
  return need(fields, 'UploadId');
}

export interface PartsPage {
  parts: PartEntry[];
  /** Part number after which the next page starts; absent on the last page. */
  next?: string;
}

/** A part without a number, size or ETag is left out: it is sent again. */
export function readParts(body: Buffer): PartsPage {
  const { fields, lists } = readXml(body, {
    root: 'ListPartsResult',
    fields: ['IsTruncated', 'NextPartNumberMarker'],
    lists: { Part: ['PartNumber', 'Size', 'ETag', 'HashCrc64ecma'] },
  });
  const parts = lists.Part.flatMap(({ PartNumber, Size, ETag, HashCrc64ecma: crc64ecma }): PartEntry[] => {
    const partNumber = wholeNumber(PartNumber);
    const size = wholeNumber(Size);
    const etag = usableEtag(ETag);
    if (partNumber === undefined || size === undefined || !etag) return [];
    return [{ partNumber, size, etag, ...(crc64ecma ? { crc64ecma } : {}) }];
  });
  return isTruncated(fields) ? { parts, next: need(fields, 'NextPartNumberMarker') } : { parts };
}

/** The Grant of OSS is a canned ACL. */
export function readAcl(body: Buffer): string {
  const inside = ['AccessControlList'];
  const { fields } = readXml(body, { root: 'AccessControlPolicy', fields: ['Grant'], lists: {}, inside });
  return need(fields, 'Grant');
}

export function readUploads(body: Buffer): UploadPage {
  const { fields, lists } = readXml(body, {
    root: 'ListMultipartUploadsResult',
    fields: ['IsTruncated', 'NextKeyMarker', 'NextUploadIdMarker'],
    lists: { Upload: ['Key', 'UploadId', 'Initiated'] },
  });
  const named = ({ Key, UploadId }: (typeof lists.Upload)[number]) => UploadId && Key;
  const { rows, damaged } = withNames(lists.Upload, named, decodeUrl, 'row without an upload');
  const uploads = rows.map(({ Key = '', UploadId = '', Initiated }) => ({
    key: decodeUrl(Key),
    uploadId: UploadId,
    initiatedMs: startOf(Initiated),
  }));
  if (!isTruncated(fields)) return { uploads, damaged };
  return {
    uploads,
    damaged,
    nextToken: uploadsToken(decodeUrl(need(fields, 'NextKeyMarker')), fields.NextUploadIdMarker),
  };
}

/** Encodes two markers as one token, which `uploadsQuery` decodes. */
export function uploadsToken(key: string, uploadId = ''): string {
  return JSON.stringify([key, uploadId]);
}

/**
 * The keys that were not deleted. The verbose response names every deleted key. A key that it does not name was not
 * deleted, whatever the status.
 */
export function readDeleted(body: Buffer, keys: readonly string[], subject: Subject): DeleteFailure[] {
  const { lists } = readXml(body, {
    root: 'DeleteResult',
    fields: [],
    lists: { Deleted: ['Key'], Error: ['Key', 'Code', 'Message'] },
  });
  const errors = new Map(lists.Error.map((item) => [decodeUrl(item.Key ?? ''), item]));
  const deleted = new Set(lists.Deleted.flatMap(({ Key }) => (Key ? decodeUrl(Key) : [])));
  return keys
    .filter((key) => !deleted.has(key))
    .map((key) => {
      const fields = errors.get(key) ?? { Message: 'OSS did not confirm the deletion' };
      return { key, error: errorOf(fields, { status: 200, headers: {} }, { ...subject, key }) };
    });
}

function hintOf(etag: string): Checksums {
  return /^[0-9a-f]{32}$/i.test(etag) ? { etagHint: etag.toLowerCase() } : {};
}

/** The object's own MD5, if it is known. Beside some of the bytes, the header could mean only those. */
function contentMd5Of(headers: Headers): Checksums {
  const md5 = Buffer.from(headers['content-md5'] ?? '', 'base64');
  if (md5.byteLength !== 16) return {};
  const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers['content-range'] ?? '');
  const partial = range !== null && (Number(range[1]) > 0 || Number(range[2]) + 1 < Number(range[3]));
  return partial ? {} : { md5: md5.toString('hex') };
}

function crcOf(headers: Headers): Checksums {
  const crc64ecma = headers['x-oss-hash-crc64ecma'];
  return crc64ecma ? { crc64ecma } : {};
}

/** @throws invalid-response: the field is missing or empty */
export function need<N extends string>(fields: Partial<Record<N, string>>, name: N): string {
  const text = fields[name];
  if (!text) throw new XsyncError('invalid-response', `the response of OSS has no ${name}`);
  return text;
}

function needEtag(etag: string | undefined): string {
  if (!etag) throw new XsyncError('invalid-response', 'the response of OSS has no ETag');
  return unquote(etag);
}

function lacking(key: string, what: string): XsyncError {
  return new XsyncError('invalid-response', `${key}: the response of OSS has no valid ${what}`, { subject: key });
}

function unquote(etag: string): string {
  return etag.replaceAll('"', '');
}
