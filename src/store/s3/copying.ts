/**
 * Server-side copies: headers and responses that CopyObject and UploadPartCopy share.
 * Tests: test/store/s3/contract.test.ts
 */
import { bareEtag } from '../../model/etag.js';
import { timeIn } from '../http/rows.js';
import { readXml } from '../http/xml.js';
import { isArn } from './access-point.js';
import type { CopyRequest, Written } from './calls.js';
import { mustBeAnswerTo } from './deleting.js';
import { encodeKey, encodeParameter } from './encode.js';

/** The headers that name the source, for both kinds of copy. */
export function copySource(
  bucket: string,
  key: string,
  { ifMatch, versionId, opens }: CopyRequest,
): Record<string, string> {
  const version = versionId === undefined ? '' : `?versionId=${encodeParameter(versionId)}`;
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html: an access point's objects have ARNs.
  const source = isArn(bucket) ? `${bucket}/object/${encodeKey(key)}` : `/${bucket}/${encodeKey(key)}`;
  const headers: Record<string, string> = { 'x-amz-copy-source': `${source}${version}`, ...opens?.source };
  if (ifMatch !== undefined) headers['x-amz-copy-source-if-match'] = `"${ifMatch}"`;
  return headers;
}

const FIELDS = ['ETag', 'LastModified', 'ChecksumCRC64NVME', 'ChecksumType'] as const;

/**
 * The result of a copy; `root` is `CopyObjectResult` or `CopyPartResult`.
 * @throws unsupported: the store took the request for that of an empty object or part
 */
export function readCopy(root: string, body: Buffer, headers: Record<string, string>): Written {
  mustBeAnswerTo(body, root);
  const { fields } = readXml(body, { root, fields: FIELDS, lists: {} });
  const etag = fields.ETag ? bareEtag(fields.ETag) : undefined;
  const mtimeMs = timeIn(fields.LastModified);
  return { etag, headers: withChecksums(headers, fields), mtimeMs };
}

/** The headers of a response, with the checksums of its XML. The encryption is in the headers. */
export function withChecksums(
  headers: Record<string, string>,
  fields: { ChecksumCRC64NVME?: string; ChecksumType?: string },
): Record<string, string> {
  const shown: Record<string, string> = { ...headers };
  if (fields.ChecksumCRC64NVME !== undefined) shown['x-amz-checksum-crc64nvme'] = fields.ChecksumCRC64NVME;
  if (fields.ChecksumType !== undefined) shown['x-amz-checksum-type'] = fields.ChecksumType;
  return shown;
}
