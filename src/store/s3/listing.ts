/** Converts S3's XML listings into the port's pages. */
import { XsyncError } from '../../model/error.js';
import type { ObjectEntry } from '../../model/object.js';
import { timeIn, versionOf, wholeNumber } from '../http/rows.js';
import { readXml } from '../http/xml.js';
import type { ListPage, PartEntry, UploadEntry, UploadPage } from '../port.js';
import { decodeListed } from './encode.js';
import { checksumsOfEtag, unquote } from './headers.js';

const PAGE = {
  root: 'ListBucketResult',
  fields: ['IsTruncated', 'NextContinuationToken', 'EncodingType'],
  lists: { Contents: ['Key', 'LastModified', 'ETag', 'Size', 'StorageClass'], CommonPrefixes: ['Prefix'] },
  quoted: ['ETag'],
} as const;

const UPLOADS = {
  root: 'ListMultipartUploadsResult',
  fields: ['IsTruncated', 'NextKeyMarker', 'NextUploadIdMarker', 'EncodingType'],
  lists: { Upload: ['Key', 'UploadId', 'Initiated'] },
} as const;

const PARTS = {
  root: 'ListPartsResult',
  fields: ['IsTruncated', 'NextPartNumberMarker'],
  lists: { Part: ['PartNumber', 'Size', 'ETag'] },
} as const;

/** Storage classes whose objects must be restored before they can be read. */
export const ARCHIVED = new Set(['GLACIER', 'DEEP_ARCHIVE']);

/** One page of ListObjectsV2. @param promised as in `checksumsOfEtag` */
export function readPage(body: Buffer, promised: boolean): ListPage {
  const { fields, lists } = readXml(body, PAGE);
  const decode = fields.EncodingType === 'url' ? decodeListed : verbatim;
  return {
    entries: lists.Contents.map((content) => entryOf(content, decode, promised)),
    prefixes: lists.CommonPrefixes.map(({ Prefix }) => decode(required(Prefix, 'Prefix'))),
    nextToken: nextOf(fields.IsTruncated, fields.NextContinuationToken),
  };
}

type Content = Partial<Record<(typeof PAGE)['lists']['Contents'][number], string>>;

function entryOf(
  { Key, Size, ETag, LastModified, StorageClass }: Content,
  decode: (text: string) => string,
  promised: boolean,
): ObjectEntry {
  const row = { size: wholeNumber(Size), etag: unquote(ETag ?? ''), mtimeMs: timeIn(LastModified) };
  const { size, etag, mtimeMs } = versionOf(row);
  const entry: ObjectEntry = {
    key: decode(required(Key, 'Key')),
    size,
    etag,
    mtimeMs,
    // Not reliable: under SSE-KMS the ETag looks like an MD5 but is not one, and a listing does not show the encryption.
    checksums: checksumsOfEtag(etag, promised),
  };
  if (StorageClass && StorageClass !== 'STANDARD') entry.storageClass = StorageClass;
  if (StorageClass && ARCHIVED.has(StorageClass)) entry.special = 'archived';
  return entry;
}

/** One page of ListMultipartUploads; the token holds both of its markers. */
export function readUploads(body: Buffer): UploadPage {
  const { fields, lists } = readXml(body, UPLOADS);
  const decode = fields.EncodingType === 'url' ? decodeListed : verbatim;
  const uploads = lists.Upload.map(
    ({ Key, UploadId, Initiated }): UploadEntry => ({
      key: decode(required(Key, 'Key')),
      uploadId: required(UploadId, 'UploadId'),
      initiatedMs: time(Initiated),
    }),
  );
  const marker = fields.NextKeyMarker === undefined ? undefined : decode(fields.NextKeyMarker);
  const next = nextOf(fields.IsTruncated, marker && JSON.stringify([marker, fields.NextUploadIdMarker ?? '']));
  return { uploads, nextToken: next };
}

/** Converts a token of `readUploads` to request parameters. */
export function uploadMarkers(token: string | undefined): Record<string, string> {
  if (token === undefined) return {};
  const [key, id] = JSON.parse(token) as [string, string];
  return { 'key-marker': key, 'upload-id-marker': id };
}

/** One page of ListParts. */
export function readParts(body: Buffer): { parts: PartEntry[]; nextToken?: string } {
  const { fields, lists } = readXml(body, PARTS);
  const parts = lists.Part.map(
    ({ PartNumber, Size, ETag }): PartEntry => ({
      partNumber: integer(PartNumber, 'PartNumber'),
      size: integer(Size, 'Size'),
      etag: unquote(required(ETag, 'ETag')),
    }),
  );
  return { parts, nextToken: nextOf(fields.IsTruncated, fields.NextPartNumberMarker) };
}

function verbatim(text: string): string {
  return text;
}

/** A page that is not the last must have a continuation token. Otherwise the listing would end early. */
function nextOf(truncated: string | undefined, next: string | undefined): string | undefined {
  if (truncated === 'false') return undefined;
  if (truncated !== 'true') throw missing('IsTruncated');
  if (!next) throw missing('continuation token');
  return next;
}

export function required(value: string | undefined, name: string): string {
  if (value === undefined) throw missing(name);
  return value;
}

function integer(value: string | undefined, name: string): number {
  if (value === undefined || !/^\d{1,15}$/.test(value)) throw missing(name);
  return Number(value);
}

export function time(value: string | undefined): number {
  const ms = Date.parse(value ?? '');
  if (Number.isNaN(ms)) throw missing('valid time');
  return ms;
}

function missing(name: string): XsyncError {
  return new XsyncError('invalid-response', `the store's response has no ${name}`);
}
