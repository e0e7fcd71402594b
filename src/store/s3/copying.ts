/** Server-side copies: headers and responses that CopyObject and UploadPartCopy share. */
import type { Checksums } from '../../model/checksum.js';
import { readXml } from '../http/xml.js';
import type { CopyOptions, WriteResult } from '../port.js';
import { encodeKey, encodeParameter } from './encode.js';
import { checksumsIn, unquote } from './headers.js';
import { required, time } from './listing.js';

/** The headers that name the source, for both kinds of copy. */
export function copySource(bucket: string, key: string, { ifMatch, versionId }: CopyOptions): Record<string, string> {
  const version = versionId === undefined ? '' : `?versionId=${encodeParameter(versionId)}`;
  const headers: Record<string, string> = { 'x-amz-copy-source': `/${bucket}/${encodeKey(key)}${version}` };
  if (ifMatch !== undefined) headers['x-amz-copy-source-if-match'] = `"${ifMatch}"`;
  return headers;
}

const FIELDS = ['ETag', 'LastModified', 'ChecksumCRC64NVME', 'ChecksumType'] as const;

/**
 * The result of a copy; `root` is `CopyObjectResult` or `CopyPartResult`.
 * @param promised as in `checksumsOfEtag`
 */
export function readCopy(root: string, body: Buffer, headers: Record<string, string>, promised: boolean): WriteResult {
  const { fields } = readXml(body, { root, fields: FIELDS, lists: {} });
  const etag = unquote(required(fields.ETag, 'ETag'));
  const mtimeMs = fields.LastModified === undefined ? undefined : time(fields.LastModified);
  return {
    etag,
    checksums: bodyChecksums(fields, headers, etag, promised),
    versionId: headers['x-amz-version-id'],
    mtimeMs,
  };
}

/** Checksums of a response that has them in its XML. The encryption is in the headers. */
export function bodyChecksums(
  fields: { ChecksumCRC64NVME?: string; ChecksumType?: string },
  headers: Record<string, string>,
  etag: string,
  promised: boolean,
): Checksums {
  const shown: Record<string, string> = { ...headers };
  if (fields.ChecksumCRC64NVME !== undefined) shown['x-amz-checksum-crc64nvme'] = fields.ChecksumCRC64NVME;
  if (fields.ChecksumType !== undefined) shown['x-amz-checksum-type'] = fields.ChecksumType;
  return checksumsIn(shown, etag, promised);
}
