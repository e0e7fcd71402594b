/**
 * Reads object attributes from response headers, and capabilities from presets.
 * Tests: test/store/s3/contract.test.ts
 */
import { XsyncError } from '../../model/error.js';
import { bareEtag } from '../../model/etag.js';
import type { ObjectInfo } from '../../model/object.js';
import type { Capabilities } from '../port.js';
import type { Answer, GetAnswer } from './calls.js';
import {
  checksumsIn,
  contentHeadersIn,
  encryptsOpaquely,
  furtherIn,
  metadataIn,
  type NewObjectSettings,
} from './headers.js';
import { ARCHIVED, required, time } from './listing.js';
import { promisedBy, type S3Preset } from './presets.js';

const GiB = 1024 ** 3;

export function capabilitiesOf(preset: S3Preset, settings: NewObjectSettings): Capabilities {
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
    partEtagIsMd5: preset.partEtagIsMd5 && !encryptsOpaquely(settings),
    keepsMetadata: true,
    attributes: preset.attributes,
    keepsVersions: true,
    ...(preset.deleteIfMatch && { deletesIfMatch: true }),
    ...(preset.writeIfMatch && { writesIfMatch: true }),
    ...(preset.pinsCopies && { pinsCopies: true }),
    defaultStorageClass: 'STANDARD',
    countsRequests: true,
    keepsMtime: false,
    local: false,
    ...(preset.requestRates && { requestRates: preset.requestRates }),
  };
}

/** What must be known of a store to read its headers. */
export type Describing = Pick<S3Preset, 'etagIsMd5' | 'attributes' | 'sealed'>;

/** The object that the headers of a HEAD or GET describe; `size` is that of the whole object, in bytes. */
export function infoOf(key: string, size: number, headers: Record<string, string>, preset: Describing): ObjectInfo {
  const etag = bareEtag(required(headers.etag || undefined, 'ETag'));
  const info: ObjectInfo = {
    key,
    size,
    etag,
    mtimeMs: time(headers['last-modified']),
    headers: contentHeadersIn(headers),
    metadata: metadataIn(headers, preset.attributes.metadata),
    checksums: checksumsIn(headers, etag, promisedBy(preset)),
    ...furtherIn(headers),
  };
  const storageClass = headers['x-amz-storage-class'];
  if (storageClass !== undefined && storageClass !== 'STANDARD') info.storageClass = storageClass;
  Object.assign(info, archiveOf(headers));
  const versionId = headers['x-amz-version-id'];
  if (versionId !== undefined) info.versionId = versionId;
  return info;
}

/** As `infoOf`, for a GET of `read` bytes: a checksum beside some of the bytes may be theirs, not the object's. */
export function infoOfRead(
  key: string,
  { size, read }: { size: number; read: number },
  headers: Record<string, string>,
  preset: Describing,
): ObjectInfo {
  if (read === size) return infoOf(key, size, headers, preset);
  const others = Object.entries(headers).filter(([name]) => !name.startsWith('x-amz-checksum-'));
  return infoOf(key, size, Object.fromEntries(others), preset);
}

/** The size of part 1 from a HEAD with a part number. Servers that ignore the number return no parts count. */
export function firstPartSizeOf(answer: Answer | undefined): number | undefined {
  if (answer?.headers['x-amz-mp-parts-count'] === undefined) return undefined;
  // No part is empty: such a server does not tell the length of what HEAD leaves out.
  return Number(answer.headers['content-length'] ?? 0) || undefined;
}

const REFUSES = new Set([400, 405, 416, 501]);

/** Undefined when a compatible server refuses the parameter instead of ignoring it. */
export async function unlessUnsupported<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof XsyncError && REFUSES.has(error.status ?? 0)) return undefined;
    throw error;
  }
}

/**
 * Archived and not restored. Objects of the archive tiers of INTELLIGENT_TIERING have `x-amz-archive-status`.
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html)
 */
function archiveOf(headers: Record<string, string>): Pick<ObjectInfo, 'special' | 'archive'> | undefined {
  const tier = headers['x-amz-archive-status'] !== undefined;
  if (!tier && !ARCHIVED.has(headers['x-amz-storage-class'] ?? '')) return undefined;
  const restore = headers['x-amz-restore'];
  if (restore?.includes('ongoing-request="true"')) return { special: 'archived', archive: 'restoring' };
  if (restore !== undefined && !tier) return { archive: 'restored' };
  return tier ? { special: 'archived', archive: 'frozen' } : { special: 'archived' };
}

/** Whether the headers name the version and its time. */
export function describes({ etag, 'last-modified': time }: Record<string, string>): boolean {
  return Boolean(etag) && !Number.isNaN(Date.parse(time ?? ''));
}

/**
 * The whole object's size, from a HEAD or a GET. Some stores return 200 when a range covers the whole object, and some
 * always do. Undefined: the response does not tell.
 * @throws invalid-response: another range than the one from `offset` on
 */
export function sizeOf(answer: Answer & Partial<GetAnswer>, offset: number): number | undefined {
  const { status, headers, received, cut } = answer;
  if (status !== 206) {
    const length = headers['content-length'];
    if (length !== undefined) return /^\d{1,15}$/.test(length) ? Number(length) : undefined;
    return received !== undefined && !cut ? offset + received : undefined;
  }
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '');
  if (range === null || Number(range[1]) !== offset) {
    throw new XsyncError('invalid-response', 'the store returned a different range than requested', { status });
  }
  return range[2] === '*' ? undefined : Number(range[2]);
}
