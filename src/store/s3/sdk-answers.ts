/** Converts the SDK's outputs to the port's values. */
import type {
  CommonPrefix,
  DeleteObjectsCommandOutput,
  _Object as Listed,
  ListMultipartUploadsCommandOutput,
  ListObjectsV2CommandOutput,
  ListPartsCommandOutput,
} from '@aws-sdk/client-s3';
import { XsyncError } from '../../model/error.js';
import type { ObjectEntry } from '../../model/object.js';
import { versionOf } from '../http/rows.js';
import type { DeleteFailure, ListPage, PartEntry, UploadEntry, UploadPage, WriteResult } from '../port.js';
import { bodyChecksums } from './copying.js';
import { decodeListed } from './encode.js';
import { itemError } from './errors.js';
import { checksumsIn, checksumsOfEtag, unquote } from './headers.js';
import { ARCHIVED, required } from './listing.js';
import type { SdkAnswer } from './sdk-call.js';

/** @param promised as in `checksumsOfEtag` */
export function readPage(output: ListObjectsV2CommandOutput, promised: boolean): ListPage {
  const decode = decoder(output.EncodingType);
  return {
    entries: (output.Contents ?? []).map((listed) => entryOf(listed, decode, promised)),
    prefixes: (output.CommonPrefixes ?? []).map(({ Prefix }: CommonPrefix) => decode(required(Prefix, 'Prefix'))),
    nextToken: nextOf(output.IsTruncated, output.NextContinuationToken),
  };
}

function entryOf(listed: Listed, decode: (text: string) => string, promised: boolean): ObjectEntry {
  const mtimeMs = listed.LastModified?.getTime();
  const { etag, ...version } = versionOf({ size: listed.Size, etag: unquote(listed.ETag ?? ''), mtimeMs });
  const entry: ObjectEntry = {
    key: decode(required(listed.Key, 'Key')),
    ...version,
    etag,
    // Not reliable: under SSE-KMS the ETag looks like an MD5 but is not one, and a listing does not show the encryption.
    checksums: checksumsOfEtag(etag, promised),
  };
  const { StorageClass: storageClass } = listed;
  if (storageClass && storageClass !== 'STANDARD') entry.storageClass = storageClass;
  if (storageClass && ARCHIVED.has(storageClass)) entry.special = 'archived';
  return entry;
}

export function readUploads(output: ListMultipartUploadsCommandOutput): UploadPage {
  const decode = decoder(output.EncodingType);
  const uploads = (output.Uploads ?? []).map(
    ({ Key, UploadId, Initiated }): UploadEntry => ({
      key: decode(required(Key, 'Key')),
      uploadId: required(UploadId, 'UploadId'),
      initiatedMs: timeOf(Initiated),
    }),
  );
  const { NextKeyMarker: marker, NextUploadIdMarker: id = '' } = output;
  return { uploads, nextToken: nextOf(output.IsTruncated, marker && JSON.stringify([decode(marker), id])) };
}

export function readParts(output: ListPartsCommandOutput): { parts: PartEntry[]; nextToken?: string } {
  const parts = (output.Parts ?? []).map(
    ({ PartNumber, Size, ETag }): PartEntry => ({
      partNumber: integer(PartNumber, 'PartNumber'),
      size: integer(Size, 'Size'),
      etag: unquote(required(ETag, 'ETag')),
    }),
  );
  return { parts, nextToken: nextOf(output.IsTruncated, output.NextPartNumberMarker) };
}

export function readDeleteFailures({ Errors = [] }: DeleteObjectsCommandOutput): DeleteFailure[] {
  return Errors.filter(({ Code }) => Code !== 'NoSuchKey').map(({ Key = '', Code, Message }) => ({
    key: Key,
    error: itemError(Key, Code, Message),
  }));
}

/** The result of a put or an uploaded part, which is in the headers. */
export function readWritten({ headers }: SdkAnswer, promised: boolean): WriteResult {
  const etag = unquote(required(headers.etag, 'ETag'));
  return { etag, checksums: checksumsIn(headers, etag, promised), versionId: headers['x-amz-version-id'] };
}

interface Described {
  ETag?: string;
  LastModified?: Date;
  ChecksumCRC64NVME?: string;
  ChecksumType?: string;
}

/** The result of a copy or a completed upload, which is in the XML. */
export function readDescribed(
  described: Described | undefined,
  { headers }: SdkAnswer,
  promised: boolean,
): WriteResult {
  const { ETag, LastModified, ...checksums } = described ?? {};
  const etag = unquote(required(ETag, 'ETag'));
  const mtimeMs = LastModified?.getTime();
  const proof = bodyChecksums(checksums, headers, etag, promised);
  return { etag, checksums: proof, versionId: headers['x-amz-version-id'], mtimeMs };
}

function decoder(encoding: string | undefined): (text: string) => string {
  return encoding === 'url' ? decodeListed : (text) => text;
}

/** A page that is not the last must have a continuation token. Otherwise the listing would end early. */
function nextOf(truncated: boolean | undefined, next: string | undefined): string | undefined {
  if (truncated === false) return undefined;
  if (truncated === undefined) return required(undefined, 'IsTruncated');
  return required(next || undefined, 'continuation token');
}

function integer(value: number | undefined, name: string): number {
  if (value !== undefined && Number.isSafeInteger(value)) return value;
  throw new XsyncError('invalid-response', `the store's response has no ${name}`);
}

function timeOf(value: Date | undefined): number {
  const ms = value?.getTime() ?? Number.NaN;
  if (Number.isNaN(ms)) throw new XsyncError('invalid-response', "the store's response has no valid time");
  return ms;
}
