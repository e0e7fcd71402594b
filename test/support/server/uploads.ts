import { randomBytes } from 'node:crypto';
import type { Bucket } from './bucket.js';
import { Bytes } from './bytes.js';
import { isOpaque } from './encryption.js';
import { ServiceError } from './errors.js';
import { combineCrc, crc, crcFromBase64, crcToBase64, digest, s3Checksum } from './hashes.js';
import type {
  FurtherAttributes,
  ObjectAttributes,
  StoredChecksum,
  StoredObject,
  StoredPart,
  StoredUpload,
} from './model.js';

/** Multipart uploads. The services differ only in the ETag and checksum of the whole object. */

export function createUpload(
  bucket: Bucket,
  key: string,
  attributes: ObjectAttributes & FurtherAttributes,
  checksum: Pick<StoredUpload, 'checksumName' | 'checksumType'> = {},
): StoredUpload {
  const upload: StoredUpload = {
    ...bucket.attributes(attributes),
    ...checksum,
    uploadId: randomBytes(16).toString('hex').toUpperCase(),
    key,
    initiatedMs: bucket.now(),
    parts: new Map(),
  };
  bucket.uploads.set(upload.uploadId, upload);
  return upload;
}

/** @throws NoSuchUpload also when the ID belongs to another key */
export function findUpload(bucket: Bucket, key: string, uploadId: string): StoredUpload {
  const upload = bucket.uploads.get(uploadId);
  if (upload?.key !== key) throw new ServiceError('NoSuchUpload', { elements: { UploadId: uploadId } });
  return upload;
}

export function putPart(
  bucket: Bucket,
  upload: StoredUpload,
  partNumber: number,
  bytes: Bytes,
  checksum?: StoredChecksum,
): StoredPart {
  const oss = bucket.protocol === 'oss';
  const opaque = isOpaque(upload.encryption);
  const etag = (opaque ? randomBytes(16) : digest('md5', bytes.chunks)).toString('hex');
  const part: StoredPart = {
    partNumber,
    bytes,
    etag: oss ? etag.toUpperCase() : etag,
    lastModifiedMs: bucket.now(),
    ...(oss ? { crc64ecma: crc('crc64ecma', bytes.chunks) } : {}),
    ...(checksum ? { checksum } : {}),
  };
  upload.parts.set(partNumber, part);
  return part;
}

/** Ascending. */
export function partsOf(upload: StoredUpload): StoredPart[] {
  return [...upload.parts.values()].sort((a, b) => a.partNumber - b.partNumber);
}

export interface ChosenPart {
  partNumber: number;
  etag: string;
  /** The part's checksum from the client. */
  checksum?: StoredChecksum;
}

export interface CompleteOptions {
  /** Minimum bytes of all parts but the last. */
  minPartSize: number;
  /** The `x-amz-checksum-*` of the whole object from the client. */
  expected?: StoredChecksum;
  /** Adds CRC64NVME to an upload without a checksum, like AWS. */
  defaultChecksum: boolean;
}

/** @throws InvalidPart, InvalidPartOrder, EntityTooSmall, BadDigest */
export function completeUpload(
  bucket: Bucket,
  upload: StoredUpload,
  chosen: readonly ChosenPart[],
  options: CompleteOptions,
): StoredObject {
  const { minPartSize } = options;
  const parts = choose(upload, chosen, { minPartSize, oss: bucket.protocol === 'oss' });
  const checksum = bucket.protocol === 's3' ? wholeChecksum(upload, parts, options) : undefined;
  if (options.expected && checksum && options.expected.value !== checksum.value) {
    throw new ServiceError('BadDigest', {
      message: `The ${checksum.name} you specified did not match the calculated checksum.`,
    });
  }
  bucket.uploads.delete(upload.uploadId);
  bucket.completed.set(upload.uploadId, { key: upload.key, chosen: partsText(chosen) });
  const { headers, metadata, storageClass, tags, acl, encryption, lock, redirect, key } = upload;
  return bucket.store({
    headers,
    metadata,
    storageClass,
    tags,
    acl,
    encryption,
    ...(lock && { lock }),
    ...(redirect !== undefined && { redirect }),
    key,
    bytes: new Bytes(parts.flatMap((part) => part.bytes.chunks)),
    etag: wholeEtag(bucket, upload, parts),
    type: 'Multipart',
    partSizes: parts.map((part) => part.bytes.size),
    lastModifiedMs: bucket.now(),
    ...(checksum ? { checksum } : {}),
    ...wholeCrc64(parts),
  });
}

/** For the comparison of two completions. */
export function partsText(chosen: readonly ChosenPart[]): string {
  return chosen.map(({ partNumber, etag }) => `${partNumber}:${etag.replaceAll('"', '')}`).join();
}

function choose(
  upload: StoredUpload,
  chosen: readonly ChosenPart[],
  { minPartSize, oss }: { minPartSize: number; oss: boolean },
): StoredPart[] {
  if (chosen.length === 0) throw new ServiceError('MalformedXML');
  const parts: StoredPart[] = [];
  for (const { partNumber, etag, checksum } of chosen) {
    const previous = parts.at(-1);
    if (previous && previous.partNumber >= partNumber) throw new ServiceError('InvalidPartOrder');
    const part = upload.parts.get(partNumber);
    const sameEtag = part?.etag === (oss ? etag.toUpperCase() : etag).replaceAll('"', '');
    const sameChecksum = !checksum || !part?.checksum || part.checksum.value === checksum.value;
    if (!part || !sameEtag || !sameChecksum) {
      throw new ServiceError('InvalidPart', {
        elements: { UploadId: upload.uploadId, PartNumber: String(partNumber), ETag: etag },
      });
    }
    parts.push(part);
  }
  const small = parts.slice(0, -1).find((part) => part.bytes.size < minPartSize);
  if (small) {
    throw new ServiceError('EntityTooSmall', {
      elements: {
        ProposedSize: String(small.bytes.size),
        MinSizeAllowed: String(minPartSize),
        PartNumber: String(small.partNumber),
        ETag: small.etag,
      },
    });
  }
  return parts;
}

/** S3 documents md5(md5s)-N. OSS documents only the suffix, so its digits also depend on the upload ID. */
function wholeEtag(bucket: Bucket, upload: StoredUpload, parts: readonly StoredPart[]): string {
  const md5s = parts.map((part) => Buffer.from(part.etag, 'hex'));
  if (bucket.protocol === 's3') return `${digest('md5', md5s).toString('hex')}-${parts.length}`;
  const mixed = digest('md5', [Buffer.from(upload.uploadId), ...md5s]).toString('hex');
  return `${mixed.toUpperCase()}-${parts.length}`;
}

/** OSS returns a CRC only when every part has one. */
function wholeCrc64(parts: readonly StoredPart[]): { crc64ecma?: string } {
  let whole = 0n;
  for (const part of parts) {
    if (part.crc64ecma === undefined) return {};
    whole = combineCrc('crc64ecma', whole, part.crc64ecma, part.bytes.size);
  }
  return { crc64ecma: whole.toString() };
}

function wholeChecksum(
  upload: StoredUpload,
  parts: readonly StoredPart[],
  options: CompleteOptions,
): StoredChecksum | undefined {
  const name = upload.checksumName ?? (options.defaultChecksum ? 'crc64nvme' : undefined);
  if (!name) return undefined;
  const checksumOf = (part: StoredPart) =>
    part.checksum?.name === name ? part.checksum.value : s3Checksum(name, part.bytes.chunks);
  if (name === 'sha1' || name === 'sha256' || upload.checksumType === 'COMPOSITE') {
    const values = parts.map((part) => Buffer.from(checksumOf(part), 'base64'));
    return { name, value: `${s3Checksum(name, values)}-${parts.length}`, type: 'COMPOSITE' };
  }
  let whole = 0n;
  for (const part of parts) whole = combineCrc(name, whole, crcFromBase64(checksumOf(part)), part.bytes.size);
  return { name, value: crcToBase64(name, whole), type: 'FULL_OBJECT' };
}
