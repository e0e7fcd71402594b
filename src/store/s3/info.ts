/** What an answer's headers say of an object, and what a preset says of a store. */
import { XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { HttpResponse } from '../http/message.js';
import type { Capabilities } from '../port.js';
import type { S3Preset } from './config.js';
import { checksumsIn, contentHeadersIn, metadataIn, unquote } from './headers.js';
import { ARCHIVED, required, time } from './listing.js';

const GiB = 1024 ** 3;

export function capabilitiesOf(preset: S3Preset): Capabilities {
  return {
    orderedListing: preset.orderedListing,
    minPartSize: preset.minPartSize,
    maxPartSize: 5 * GiB,
    maxParts: 10_000,
    maxObjectSize: preset.maxObjectSize,
    maxPutSize: 5 * GiB,
    maxCopySize: 5 * GiB,
    answersCrc64ecma: false,
    checksContentMd5: true,
    partEtagIsMd5: preset.partEtagIsMd5,
    keepsMetadata: true,
    keepsMtime: false,
    local: false,
    ...(preset.requestRates && { requestRates: preset.requestRates }),
  };
}

/** The object as the headers of a HEAD or GET tell it; `size` is the whole object's. */
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

/** What the answer to a HEAD of part 1 says; servers that ignore the part answer for the whole, without a count. */
export function firstPartSizeOf(answer: Pick<HttpResponse, 'headers'> | undefined): number | undefined {
  if (answer?.headers['x-amz-mp-parts-count'] === undefined) return undefined;
  return Number(required(answer.headers['content-length'], 'Content-Length'));
}

/** Some compatible servers refuse the parameter instead of ignoring it; that is an answer too. */
export async function unlessUnsupported<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof XsyncError && (error.status === 400 || error.status === 501)) return undefined;
    throw error;
  }
}

/** Archived and not restored for the time being; S3 tells by `x-amz-restore: ongoing-request="false"`. */
function isArchived(headers: Record<string, string>): boolean {
  if (headers['x-amz-archive-status'] !== undefined) return true;
  const archived = ARCHIVED.has(headers['x-amz-storage-class'] ?? '');
  return archived && !headers['x-amz-restore']?.includes('ongoing-request="false"');
}

/** The whole object's size in the answer to a ranged GET. Some stores answer 200 when the range is the whole. */
export function totalSize({ status, headers }: HttpResponse, offset: number): number {
  if (status === 200 && offset === 0) return Number(headers['content-length'] ?? Number.NaN);
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers['content-range'] ?? '');
  if (status !== 206 || range === null || Number(range[1]) !== offset) {
    throw new XsyncError('invalid-response', 'the store answered another range than was asked for', { status });
  }
  return Number(range[2]);
}
