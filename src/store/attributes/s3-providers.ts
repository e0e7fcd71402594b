/**
 * What the services that follow S3 keep of an object, where it differs from Amazon, with the source of each fact. What a
 * row promises and a bucket refuses is noticed during a run and reported as lost. What a service lists nowhere is absent
 * from its row, and reported as lost too, because a service may ignore a header that it does not know.
 * Tests: test/store/attributes/s3-providers.test.ts
 */
import type { AclLimits, LockLimits, MetadataLimits, TagLimits } from '../port.js';
import * as classes from './classes.js';
import { type NetworkLimits, OSS_ATTRIBUTES, S3_ATTRIBUTES } from './limits.js';

const { metadata, tags, acl, lock } = S3_ATTRIBUTES;

/** A store that turns `_` in names of metadata into `-`. */
export const WITHOUT_UNDERSCORE = /^[a-z0-9!#$%&'*+.^`|~-]+$/;

const EIGHT_KIB: MetadataLimits = { ...metadata, maxBytes: 8192 };

const OTHER: NetworkLimits = { ...S3_ATTRIBUTES, classes: classes.ANY_CLASSES };

/** Only compliance mode, and no legal holds. */
const RETENTION: LockLimits = { modes: ['COMPLIANCE'], hold: 'none' };

/**
 * Set by requests of their own: PutObject lists no header for tags, and nothing says whether a copy takes them along. Of
 * Amazon's characters, those that OBS permits too (https://support.huaweicloud.com/intl/en-us/api-obs/obs_04_0172.html).
 */
const OBS_TAGS: TagLimits = {
  ...{ count: 10, key: 128, value: 255, maxHeader: 0, onlyInPuts: true },
  characters: /^[\p{L}\p{Z}\p{N}_.:+\-@]*$/u,
  allowed: 'letters, digits, spaces and + - . _ : @',
};

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
  // No ACLs of objects: https://docs.min.io/community/minio-object-store/reference/s3-api-compatibility.html. No redirects:
  // supportedHeaders of https://github.com/minio/minio/blob/master/cmd/handler-utils.go.
  minio: { metadata, tags, lock, classes: classes.MINIO_CLASSES },
  // No tags (x-amz-tagging is refused), no ACLs of objects: https://www.backblaze.com/docs/cloud-storage-s3-compatible-api,
  // https://www.backblaze.com/apidocs/s3-copy-object.
  b2: { metadata, lock, classes: classes.ONE_CLASS },
  // No tags, ACLs, locks of objects or redirects: https://developers.cloudflare.com/r2/api/s3/api/. 8,192 bytes of
  // metadata: https://developers.cloudflare.com/r2/platform/limits/.
  r2: { metadata: EIGHT_KIB, classes: classes.R2_CLASSES },
  // It is Ceph: https://docs.digitalocean.com/products/spaces/reference/s3-compatibility/.
  digitalocean: { ...CEPH, acl: aclOf('private', 'public-read'), classes: classes.ONE_CLASS },
  // No tags, ACLs or locks: https://garagehq.deuxfleurs.fr/documentation/reference-manual/s3-compatibility/. Redirects are
  // kept by extract_metadata_headers (https://github.com/deuxfleurs-org/garage, src/api/s3/put.rs), but ignored by older
  // versions (get_headers there), which nothing tells apart.
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
  // Tags and locks: https://www.scaleway.com/en/docs/object-storage/api-cli/using-api-call-list/. Canned ACLs:
  // https://www.scaleway.com/en/docs/object-storage/api-cli/object-operations/#putobjectacl. Redirects of objects: nothing
  // found.
  scaleway: {
    ...{ metadata, tags, lock, classes: classes.SCALEWAY_CLASSES },
    acl: aclOf(...(acl?.canned ?? []).filter((name) => name !== 'aws-exec-read')),
  },
  // Tags and locks, but neither ACLs nor websites: https://storj.dev/dcs/api/s3/s3-compatibility.
  storj: { metadata, tags, lock, classes: classes.ONE_CLASS },
  // "100% bit-compatible": https://docs.wasabi.com/apidocs/wasabi-api. Tags, modes and legal holds:
  // https://docs.wasabi.com/apidocs/object-tagging-with-the-wasabi-s3-api,
  // https://docs.wasabi.com/apidocs/object-lock-with-the-wasabi-s3-api. Nothing found on redirects and on other storage
  // classes than STANDARD.
  wasabi: { metadata, tags, acl, lock, classes: classes.ONE_CLASS },
  // Neither tags nor locks: https://www.alibabacloud.com/help/en/oss/developer-reference/compatibility-with-amazon-s3. Its
  // names of metadata are those of OSS: https://www.alibabacloud.com/help/en/oss/user-guide/0011-00000002.
  oss: {
    metadata: OSS_ATTRIBUTES.metadata,
    acl: { ...aclOf('private', 'public-read', 'public-read-write'), explicit: true },
    classes: classes.OSS_S3_CLASSES,
  },
  // Names of metadata without `_`, tags, and no redirects: https://www.tencentcloud.com/document/product/436/7749. Copies
  // take tags along: https://www.tencentcloud.com/document/product/436/10881. ACLs:
  // https://www.tencentcloud.com/document/product/436/7748. Locks: https://www.tencentcloud.com/document/product/436/40137.
  cos: {
    ...{ metadata: { ...metadata, name: /^[a-z0-9-]+$/ }, tags, lock: RETENTION, classes: classes.COS_CLASSES },
    acl: { ...aclOf('private', 'public-read'), explicit: true },
  },
  // ACLs, locks, redirects, and 8 KB of metadata: https://support.huaweicloud.com/intl/en-us/api-obs/obs_04_0080.html.
  obs: {
    ...{ metadata: { ...EIGHT_KIB, perName: 'x-amz-meta-'.length }, tags: OBS_TAGS, lock: RETENTION, redirect: true },
    ...{ acl: aclOf('private', 'public-read', 'public-read-write'), classes: classes.OBS_CLASSES },
  },
} as const satisfies Record<string, NetworkLimits>;
