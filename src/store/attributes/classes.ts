/**
 * The storage classes of each provider, with the source of each row, and what each class is like (model/storage-class.ts).
 * docs/fidelity.md has the table that follows for Amazon and OSS.
 * Tests: test/store/attributes/classes.test.ts
 */
import type { ClassLimits } from '../../model/storage-class.js';

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html, without the classes of directory buckets, Outposts,
 * Snow, FSx and AWS Backup, which no object of an ordinary bucket can be given.
 */
export const S3_CLASSES: ClassLimits = {
  kinds: {
    STANDARD: 'standard',
    REDUCED_REDUNDANCY: 'reduced',
    INTELLIGENT_TIERING: 'tiered',
    STANDARD_IA: 'infrequent',
    ONEZONE_IA: 'one-zone',
    GLACIER_IR: 'instant',
    GLACIER: 'archive',
    DEEP_ARCHIVE: 'deep',
  },
};

/** https://www.alibabacloud.com/help/en/oss/user-guide/overview-53 */
export const OSS_CLASSES: ClassLimits = {
  kinds: {
    Standard: 'standard',
    IA: 'infrequent',
    Archive: 'archive',
    ColdArchive: 'cold',
    DeepColdArchive: 'deepest',
  },
};

/** A service with one class. */
export const ONE_CLASS: ClassLimits = { kinds: { STANDARD: 'standard' } };

/** A service whose operator names the classes: https://docs.ceph.com/en/latest/radosgw/placement/#storage-classes */
export const ANY_CLASSES: ClassLimits = { ...ONE_CLASS, open: true };

/** https://developers.cloudflare.com/r2/buckets/storage-classes/ */
export const R2_CLASSES: ClassLimits = { kinds: { STANDARD: 'standard', STANDARD_IA: 'infrequent' } };

/** https://docs.cloud.google.com/storage/docs/storage-classes; all of them are readable at once. */
export const GCS_CLASSES: ClassLimits = {
  kinds: { STANDARD: 'standard', NEARLINE: 'infrequent', COLDLINE: 'instant', ARCHIVE: 'archive' },
};

/** https://github.com/minio/minio/blob/master/internal/config/storageclass/storage-class.go */
export const MINIO_CLASSES: ClassLimits = { kinds: { STANDARD: 'standard', REDUCED_REDUNDANCY: 'reduced' } };

/** https://www.scaleway.com/en/docs/object-storage/concepts/#storage-class */
export const SCALEWAY_CLASSES: ClassLimits = {
  kinds: { STANDARD: 'standard', ONEZONE_IA: 'one-zone', GLACIER: 'archive' },
};

/** Of OSS's S3 API; rclone's provider table. */
export const OSS_S3_CLASSES: ClassLimits = {
  kinds: { STANDARD: 'standard', STANDARD_IA: 'infrequent', GLACIER: 'archive' },
};

/** https://www.tencentcloud.com/document/product/436/30925 */
export const COS_CLASSES: ClassLimits = {
  kinds: {
    STANDARD: 'standard',
    INTELLIGENT_TIERING: 'tiered',
    STANDARD_IA: 'infrequent',
    ARCHIVE: 'archive',
    DEEP_ARCHIVE: 'deep',
  },
  // Those of several zones, of buckets that have several zones.
  open: true,
};

/** https://support.huaweicloud.com/intl/en-us/api-obs/obs_04_0080.html */
export const OBS_CLASSES: ClassLimits = {
  kinds: { STANDARD: 'standard', WARM: 'infrequent', COLD: 'archive', DEEP_ARCHIVE: 'deep' },
};
