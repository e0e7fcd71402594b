/** OSS's limits ("Limits" and "UploadPart" of the OSS developer reference). Tests: test/contract/stores.test.ts */
import { OSS_ATTRIBUTES } from '../attributes/limits.js';
import type { Capabilities } from '../port.js';

const KIB = 1024;
const GIB = 1024 ** 3;

export const OSS_CAPABILITIES: Capabilities = {
  orderedListing: 'yes',
  minPartSize: 100 * KIB,
  maxPartSize: 5 * GIB,
  maxParts: 10_000,
  /** 48.8 TB. */
  maxObjectSize: 10_000 * 5 * GIB,
  maxPutSize: 5 * GIB,
  /** CopyObject is limited to objects of less than 1 GB. Larger objects are copied in parts. */
  maxCopySize: GIB - 1,
  answersCrc64ecma: true,
  checksContentMd5: true,
  partEtagIsMd5: true,
  keepsMetadata: true,
  attributes: OSS_ATTRIBUTES,
  keepsVersions: true,
  links: 'objects',
  /** `x-oss-copy-source-if-match`. Deletes have no condition. */
  pinsCopies: true,
  /** `x-oss-forbid-overwrite`. Writes have no other condition. */
  createsOnly: true,
  defaultStorageClass: 'Standard',
  countsRequests: true,
  keepsMtime: false,
  local: false,
  /** Shared by all buckets of an account (https://www.alibabacloud.com/help/en/oss/user-guide/limits). */
  requestRates: { read: 10_000, write: 10_000 },
};

/** Keys per listing page, parts per page, keys per batch delete. */
export const PAGE = 1000;
