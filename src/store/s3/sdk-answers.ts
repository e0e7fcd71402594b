/** Reads the SDK's outputs. Tests: test/store/s3-sdk/contract.test.ts */
import type {
  DeleteObjectsCommandOutput,
  ListMultipartUploadsCommandOutput,
  ListObjectsCommandOutput,
  ListObjectsV2CommandOutput,
  ListPartsCommandOutput,
} from '@aws-sdk/client-s3';
import { XsyncError } from '../../model/error.js';
import { bareEtag } from '../../model/etag.js';
import { usableEtag } from '../http/rows.js';
import { mustHaveRoot } from '../http/xml.js';
import type { DeleteFailure } from '../port.js';
import type { ListedPage, ListedParts, ListedUploads, Written } from './calls.js';
import { withChecksums } from './copying.js';
import { listedDecoder } from './encode.js';
import { itemError } from './errors.js';
import { required } from './listing.js';
import type { SdkAnswer } from './sdk-call.js';

/**
 * @param answer the raw response, which shows whose version it is
 * @throws invalid-response: the SDK takes any other document for an empty page
 */
export function readPage(output: ListObjectsV2CommandOutput | ListObjectsCommandOutput, answer: SdkAnswer): ListedPage {
  mustHaveRoot(answer.body, 'ListBucketResult');
  const { EncodingType: encoding, Contents = [], CommonPrefixes = [] } = output;
  const keys = Contents.map(({ Key }) => required(Key, 'Key'));
  const prefixes = CommonPrefixes.map(({ Prefix }) => required(Prefix, 'Prefix'));
  const decode = listedDecoder(encoding, keys);
  const token = 'NextContinuationToken' in output ? output.NextContinuationToken : undefined;
  const nextMarker = 'NextMarker' in output ? output.NextMarker : undefined;
  return {
    rows: Contents.map(({ Size, ETag, LastModified, StorageClass }, index) => ({
      key: decode(keys[index] ?? ''),
      size: Number.isSafeInteger(Size) ? Size : undefined,
      etag: usableEtag(ETag),
      mtimeMs: msOf(LastModified),
      storageClass: StorageClass,
    })),
    prefixes: prefixes.map(listedDecoder(encoding, prefixes)),
    truncated: output.IsTruncated,
    token: token || undefined,
    nextMarker: nextMarker ? decode(nextMarker) : undefined,
    versionOne: token === undefined && answer.body.includes('<Marker'),
  };
}

export function readUploads(output: ListMultipartUploadsCommandOutput, answer: SdkAnswer): ListedUploads {
  mustHaveRoot(answer.body, 'ListMultipartUploadsResult');
  const { EncodingType: encoding, Uploads = [], NextKeyMarker, NextUploadIdMarker: id = '' } = output;
  const keys = Uploads.map(({ Key }) => required(Key, 'Key'));
  const decode = listedDecoder(encoding, keys);
  const uploads = Uploads.map(({ UploadId, Initiated }, index) => ({
    key: decode(keys[index] ?? ''),
    uploadId: required(UploadId, 'UploadId'),
    initiatedMs: msOf(Initiated) ?? noTime(),
  }));
  const next = NextKeyMarker ? { key: decode(NextKeyMarker), id } : undefined;
  return { uploads, truncated: output.IsTruncated, next };
}

export function readParts(output: ListPartsCommandOutput, answer: SdkAnswer): ListedParts {
  mustHaveRoot(answer.body, 'ListPartsResult');
  const { Parts = [], IsTruncated, NextPartNumberMarker } = output;
  const parts = Parts.flatMap(({ PartNumber: partNumber, Size: size, ETag }) => {
    const etag = usableEtag(ETag);
    return partNumber === undefined || size === undefined || !etag ? [] : [{ partNumber, size, etag }];
  });
  if (!IsTruncated) return { parts };
  return { parts, next: Number(NextPartNumberMarker) || parts.at(-1)?.partNumber };
}

export function readDeleteFailures({ Errors = [] }: DeleteObjectsCommandOutput): DeleteFailure[] {
  return Errors.filter(({ Code }) => Code !== 'NoSuchKey').map(({ Key = '', Code, Message }) => ({
    key: Key,
    error: itemError(Key, Code, Message),
  }));
}

interface Described {
  ETag?: string;
  LastModified?: Date;
  ChecksumCRC64NVME?: string;
  ChecksumType?: string;
}

/** The result of a copy or a completed upload, which is in the XML. */
export function readDescribed(described: Described | undefined, { headers }: SdkAnswer): Written {
  const { ETag, LastModified, ...checksums } = described ?? {};
  const etag = ETag ? bareEtag(ETag) : undefined;
  return { etag, headers: withChecksums(headers, checksums), mtimeMs: msOf(LastModified) };
}

function msOf(value: Date | undefined): number | undefined {
  const ms = value?.getTime();
  return ms === undefined || Number.isNaN(ms) ? undefined : ms;
}

function noTime(): never {
  throw new XsyncError('invalid-response', "the store's response has no valid time");
}
