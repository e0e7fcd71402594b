/** Reads object attributes from response headers, and capabilities from presets. */
import { XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { HttpResponse } from '../http/message.js';
import type { Capabilities } from '../port.js';
import { checksumsIn, contentHeadersIn, metadataIn, unquote } from './headers.js';
import { ARCHIVED, required, time } from './listing.js';
import type { S3Preset } from './presets.js';

const GiB = 1024 ** 3;

export function capabilitiesOf(preset: S3Preset): Capabilities {
  return {
    orderedListing: preset.orderedListing,
    minPartSize: preset.minPartSize,
    maxPartSize: 5 * GiB,
    maxParts: preset.maxParts,
    maxObjectSize: preset.maxObjectSize,
    maxPutSize: 5 * GiB,
    maxCopySize: preset.maxCopySize,
    answersCrc64ecma: false,
    checksContentMd5: true,
    partEtagIsMd5: preset.partEtagIsMd5,
    keepsMetadata: true,
    keepsMtime: false,
    local: false,
    ...(preset.requestRates && { requestRates: preset.requestRates }),
  };
}

/** The object that the headers of a HEAD or GET describe; `size` is that of the whole object, in bytes. */
export function infoOf(key: string, size: number, headers: Record<string, string>): ObjectInfo {
  const etag = unquote(required(headers.etag, 'ETag'));
  const info: ObjectInfo = {
    key,
    size,
    etag,
    mtimeMs: time(headers['last-modified']),
    headers: contentHeadersIn(headers),
    metadata: metadataIn(headers),
    checksums: checksumsIn(headers, etag),
  };
  const storageClass = headers['x-amz-storage-class'];
  if (storageClass !== undefined && storageClass !== 'STANDARD') info.storageClass = storageClass;
  if (isArchived(headers)) info.special = 'archived';
  const versionId = headers['x-amz-version-id'];
  if (versionId !== undefined) info.versionId = versionId;
  return info;
}

/** The size of part 1 from a HEAD with a part number. Servers that ignore the number return no parts count. */
export function firstPartSizeOf(answer: Pick<HttpResponse, 'headers'> | undefined): number | undefined {
  if (answer?.headers['x-amz-mp-parts-count'] === undefined) return undefined;
  return Number(required(answer.headers['content-length'], 'Content-Length'));
}

/** Undefined when a compatible server refuses the parameter instead of ignoring it. */
export async function unlessUnsupported<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof XsyncError && (error.status === 400 || error.status === 501)) return undefined;
    throw error;
  }
}

/** Archived and not restored. S3 marks a restored object with `x-amz-restore: ongoing-request="false"`. */
function isArchived(headers: Record<string, string>): boolean {
  if (headers['x-amz-archive-status'] !== undefined) return true;
  const archived = ARCHIVED.has(headers['x-amz-storage-class'] ?? '');
  return archived && !headers['x-amz-restore']?.includes('ongoing-request="false"');
}

/** The whole object's size from a ranged GET. Some stores return 200 when the range covers the whole object. */
export function totalSize({ status, headers }: HttpResponse, offset: number): number {
  if (status === 200 && offset === 0) return Number(headers['content-length'] ?? Number.NaN);
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers['content-range'] ?? '');
  if (status !== 206 || range === null || Number(range[1]) !== offset) {
    throw new XsyncError('invalid-response', 'the store returned a different range than requested', { status });
  }
  return Number(range[2]);
}
