/** Reads S3's XML listings. Tests: test/store/s3/contract.test.ts */
import { XsyncError } from '../../model/error.js';
import type { ObjectEntry } from '../../model/object.js';
import {
  damagedOf,
  numberOf,
  startOf,
  timeIn,
  usableEtag,
  wholeNumber,
  withNames,
  undecodable as withoutName,
} from '../http/rows.js';
import { readXml } from '../http/xml.js';
import type { ListedPage, ListedParts, ListedUploads, Row } from './calls.js';
import { decoded, decodeListed, isEncoded, listedDecoder } from './encode.js';
import { checksumsOfEtag, type Promised } from './headers.js';

const PAGE = {
  root: 'ListBucketResult',
  fields: ['IsTruncated', 'NextContinuationToken', 'Marker', 'NextMarker', 'EncodingType'],
  lists: {
    Contents: ['Key', 'LastModified', 'ETag', 'Size', 'StorageClass', 'IsRestoreInProgress'],
    CommonPrefixes: ['Prefix'],
  },
  inside: ['RestoreStatus'],
  quoted: ['ETag'],
  numbers: { Size: 'count', LastModified: 'time' },
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

/** One page of either version of ListObjects. */
export function readPage(body: Buffer): ListedPage {
  const { fields, lists } = readXml(body, PAGE);
  const { EncodingType: encoding, NextContinuationToken, NextMarker } = fields;
  const prefixes = lists.CommonPrefixes.flatMap(({ Prefix }) => Prefix || []);
  const encoded = areEncoded(lists.Contents, encoding);
  const decode = encoded ? decodeListed : (text: string) => text;
  const contents = withNames(lists.Contents, ({ Key }) => Key, decode);
  const decodePrefix = listedDecoder(encoding, prefixes);
  const folders = withNames(lists.CommonPrefixes, ({ Prefix }) => Prefix, decodePrefix, 'folder without a name');
  return {
    rows: contents.rows.map((content) => rowOf(content, encoded)),
    prefixes: prefixes.map(decodePrefix),
    damaged: damagedOf(contents, folders),
    truncated: isTruncated(fields.IsTruncated),
    token: NextContinuationToken || undefined,
    nextMarker: NextMarker ? decode(NextMarker) : undefined,
    versionOne: fields.Marker !== undefined && NextContinuationToken === undefined,
  };
}

interface Content {
  Key?: string;
  Size?: number;
  ETag?: string;
  LastModified?: number;
  StorageClass?: string;
  IsRestoreInProgress?: string;
}

/** Whether the keys of a page are encoded. A page without the characters of the encoding reads the same either way. */
function areEncoded(contents: readonly Content[], encoding: string | undefined): boolean {
  const isMarked = ({ Key = '' }: Content): boolean => Key.includes('%') || Key.includes('+');
  if (encoding === undefined || !contents.some(isMarked)) return false;
  return isEncoded(
    encoding,
    contents.flatMap(({ Key }) => Key || []),
  );
}

function rowOf(content: Content, encoded: boolean): Row {
  const { Key = '', Size, ETag, LastModified, StorageClass: storageClass, IsRestoreInProgress: restoring } = content;
  const key = encoded ? decoded(Key) : Key;
  const row: Row = {
    key: key ?? Key,
    size: numberOf(Size),
    etag: usableEtag(ETag),
    mtimeMs: numberOf(LastModified),
    storageClass,
  };
  if (key === undefined) row.undecodable = true;
  if (restoring) row.restoring = restoring.toLowerCase() === 'true';
  return row;
}

/** What the rows of a listing say. */
export interface Listed {
  /** As in `checksumsOfEtag`. */
  promised: Promised;
  /** Which archived objects were restored, or are being restored. */
  restores: boolean;
}

/** The entry of a row that lacks nothing. */
export function entryOf(
  row: Required<Pick<Row, 'key' | 'size' | 'etag' | 'mtimeMs'>> & Row,
  { promised, restores }: Listed,
): ObjectEntry {
  const { key, size, etag, mtimeMs, storageClass, undecodable } = row;
  const entry: ObjectEntry = { key, size, etag, mtimeMs, checksums: checksumsOfEtag(etag, promised) };
  if (storageClass && storageClass !== 'STANDARD') entry.storageClass = storageClass;
  Object.assign(entry, archiveOf(row, restores));
  return undecodable ? withoutName(entry) : entry;
}

function archiveOf(
  { storageClass = '', restoring }: Row,
  restores: boolean,
): Pick<ObjectEntry, 'special' | 'archive'> | undefined {
  if (!ARCHIVED.has(storageClass)) return undefined;
  if (restoring === false) return { archive: 'restored' };
  if (restoring) return { special: 'archived', archive: 'restoring' };
  return restores ? { special: 'archived', archive: 'frozen' } : { special: 'archived' };
}

/** One page of ListMultipartUploads. */
export function readUploads(body: Buffer): ListedUploads {
  const { fields, lists } = readXml(body, UPLOADS);
  const decode = listedDecoder(
    fields.EncodingType,
    lists.Upload.flatMap(({ Key }) => Key || []),
  );
  const { rows, damaged } = withNames(
    lists.Upload,
    ({ Key, UploadId }) => UploadId && Key,
    decode,
    'row without an upload',
  );
  const uploads = rows.map(({ Key = '', UploadId = '', Initiated }) => ({
    key: decode(Key),
    uploadId: UploadId,
    initiatedMs: startOf(Initiated),
  }));
  const { NextKeyMarker, NextUploadIdMarker: id = '' } = fields;
  const next = NextKeyMarker ? { key: decode(NextKeyMarker), id } : undefined;
  return { uploads, damaged, truncated: isTruncated(fields.IsTruncated), next };
}

/** One page of ListParts. A part without size or ETag is left out: it is sent again. */
export function readParts(body: Buffer): ListedParts {
  const { fields, lists } = readXml(body, PARTS);
  const parts = lists.Part.flatMap(({ PartNumber, Size, ETag }) => {
    const partNumber = wholeNumber(PartNumber);
    const size = wholeNumber(Size);
    const etag = usableEtag(ETag);
    return partNumber === undefined || size === undefined || !etag ? [] : [{ partNumber, size, etag }];
  });
  if (!isTruncated(fields.IsTruncated)) return { parts };
  const next = wholeNumber(fields.NextPartNumberMarker) || parts.at(-1)?.partNumber;
  if (next === undefined) throw missing('part number marker');
  return { parts, next };
}

function isTruncated(text: string | undefined): boolean | undefined {
  const lower = text?.trim().toLowerCase();
  return lower === 'true' || lower === 'false' ? lower === 'true' : undefined;
}

export function required(value: string | undefined, name: string): string {
  if (value === undefined) throw missing(name);
  return value;
}

export function time(value: string | undefined): number {
  const ms = timeIn(value);
  if (ms === undefined) throw missing('valid time');
  return ms;
}

function missing(name: string): XsyncError {
  return new XsyncError('invalid-response', `the store's response has no ${name}`);
}
