/**
 * What the services that follow S3 keep of an object, where it differs from Amazon, with the source of each fact. What a
 * row promises and a bucket refuses is noticed during a run.
 * Tests: test/store/attributes/s3-providers.test.ts
 */
import type { AclLimits, MetadataLimits } from '../port.js';
import * as classes from './classes.js';
import { type NetworkLimits, S3_ATTRIBUTES } from './limits.js';

const { metadata, tags, acl, lock } = S3_ATTRIBUTES;

/** A store that turns `_` in names of metadata into `-`. */
export const WITHOUT_UNDERSCORE = /^[a-z0-9!#$%&'*+.^`|~-]+$/;

const EIGHT_KIB: MetadataLimits = { ...metadata, maxBytes: 8192 };

const OTHER: NetworkLimits = { ...S3_ATTRIBUTES, classes: classes.ANY_CLASSES };

/**
 * Observed in RGW 16: it ignores the tags and locks of CreateMultipartUpload; a CopyObject with replaced metadata drops the
 * tags of the source, and ignores its own lock.
 */
const CEPH: NetworkLimits = {
  ...OTHER,
  metadata: { ...metadata, name: WITHOUT_UNDERSCORE },
  tags: tags && { ...tags, onlyInPuts: true },
  lock: lock && { ...lock, onlyInPuts: true },
};

function aclOf(...canned: string[]): AclLimits {
  return { canned, usual: 'private' };
}

export const S3_PROVIDERS = {
  other: OTHER,
  ceph: CEPH,
  // PutObjectAcl takes only "private": https://github.com/minio/minio/blob/master/cmd/acl-handlers.go.
  minio: { metadata, tags, lock, classes: classes.MINIO_CLASSES },
  // No tags (x-amz-tagging is refused), no ACLs of objects: https://www.backblaze.com/docs/cloud-storage-s3-compatible-api,
  // https://www.backblaze.com/apidocs/s3-copy-object.
  b2: { metadata, lock, classes: classes.ONE_CLASS },
  // No tags, ACLs, locks of objects or redirects: https://developers.cloudflare.com/r2/api/s3/api/.
  r2: { metadata: EIGHT_KIB, classes: classes.R2_CLASSES },
  // It is Ceph: https://docs.digitalocean.com/products/spaces/reference/s3-compatibility/.
  digitalocean: { ...CEPH, acl: aclOf('private', 'public-read'), classes: classes.ONE_CLASS },
  // No tags, ACLs or locks: https://garagehq.deuxfleurs.fr/documentation/reference-manual/s3-compatibility/.
  garage: { metadata, classes: classes.ONE_CLASS },
  // No tags; locks have other headers: https://docs.cloud.google.com/storage/docs/xml-api/reference-headers and rclone's
  // provider table.
  gcs: {
    metadata,
    acl: aclOf(...(acl?.canned ?? []).filter((name) => name !== 'aws-exec-read')),
    classes: classes.GCS_CLASSES,
  },
  // It is Ceph.
  linode: { ...CEPH, classes: classes.ONE_CLASS },
  // https://www.scaleway.com/en/docs/object-storage/api-cli/object-operations/
  scaleway: { ...S3_ATTRIBUTES, classes: classes.SCALEWAY_CLASSES },
  // No ACLs: https://storj.dev/dcs/api/s3/s3-compatibility.
  storj: { metadata, tags, lock, classes: classes.ONE_CLASS },
  // Other storage classes are ignored: https://docs.wasabi.com/apidocs/wasabi-api.
  wasabi: { ...S3_ATTRIBUTES, classes: classes.ONE_CLASS },
  // No tags and no locks: https://www.alibabacloud.com/help/en/oss/developer-reference/compatibility-with-amazon-s3.
  oss: {
    metadata: EIGHT_KIB,
    acl: aclOf('private', 'public-read', 'public-read-write'),
    classes: classes.OSS_S3_CLASSES,
  },
  cos: { ...S3_ATTRIBUTES, classes: classes.COS_CLASSES },
  obs: { ...S3_ATTRIBUTES, classes: classes.OBS_CLASSES },
} as const satisfies Record<string, NetworkLimits>;
