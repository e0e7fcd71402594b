/**
 * What each provider keeps of an object besides its bytes: sizes, counts and characters, with the source of each fact.
 * The engine carries attributes by these rows and does not know whose they are; docs/fidelity.md shows what follows.
 * Tests: test/engine/fidelity/carry.test.ts
 */
import type { ClassLimits } from '../../model/storage-class.js';
import type { AttributeLimits, Capabilities, MetadataLimits, TagLimits } from '../port.js';
import { OSS_CLASSES, S3_CLASSES } from './classes.js';

/** Of a network store: with a limit on metadata, as headers have one, and with storage classes. */
export type NetworkLimits = AttributeLimits & { metadata: MetadataLimits; classes: ClassLimits };

/** "User-defined metadata": 2 KB in UTF-8, without the prefix (https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html). */
const S3_METADATA: MetadataLimits = {
  maxBytes: 2048,
  perName: 0,
  // A header name of HTTP.
  name: /^[a-z0-9!#$%&'*+.^_`|~-]+$/,
};

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html */
const S3_TAGS: TagLimits = {
  count: 10,
  key: 128,
  value: 256,
  characters: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u,
  allowed: 'letters, digits, spaces and + - = . _ : / @',
  reserved: /^aws:/i,
  // All headers of a request together: 8 KB (https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPUT.html).
  maxHeader: 4096,
};

/** Amazon S3. The services that follow it are in s3-providers.ts. */
export const S3_ATTRIBUTES: NetworkLimits = {
  metadata: S3_METADATA,
  tags: S3_TAGS,
  acl: {
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
    canned: [
      'private',
      'public-read',
      'public-read-write',
      'authenticated-read',
      'aws-exec-read',
      'bucket-owner-read',
      'bucket-owner-full-control',
    ],
    usual: 'private',
  },
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
  lock: { modes: ['GOVERNANCE', 'COMPLIANCE'], hold: 'write' },
  classes: S3_CLASSES,
  redirect: true,
};

export const OSS_ATTRIBUTES: NetworkLimits = {
  // https://www.alibabacloud.com/help/en/oss/user-guide/manage-object-metadata-10, and the error codes 0011-00000002
  // (8 KB, names with their prefix), 0011-00000004 (names) and 0011-00000005 (values).
  metadata: { maxBytes: 8192, perName: 'x-oss-meta-'.length, name: /^[a-z0-9-]+$/ },
  // https://www.alibabacloud.com/help/en/oss/developer-reference/puttagging
  tags: {
    count: 10,
    key: 128,
    value: 256,
    characters: /^[A-Za-z0-9 +\-=._:/]*$/,
    allowed: 'letters, digits, spaces and + - = . _ : /',
    maxHeader: 4096,
  },
  // https://www.alibabacloud.com/help/en/oss/developer-reference/putobjectacl; InitiateMultipartUpload has no such header.
  acl: {
    canned: ['default', 'private', 'public-read', 'public-read-write'],
    usual: 'default',
    inherits: 'default',
    notInUploads: true,
  },
  // PutObject of the Go SDK 1.4: x-oss-object-worm-mode, of which only COMPLIANCE exists, and no header for a legal hold.
  lock: { modes: ['COMPLIANCE'], hold: 'request' },
  classes: OSS_CLASSES,
};

/** Files hold metadata in a record beside them. */
export const LOCAL_ATTRIBUTES: AttributeLimits = {};

/** Everything, in the spelling of S3. */
export const MEMORY_ATTRIBUTES: AttributeLimits = {
  tags: { ...S3_TAGS, characters: /^/, allowed: 'all characters', reserved: undefined },
  acl: { canned: ['private', 'public-read', 'public-read-write'], usual: 'private' },
  lock: { modes: ['GOVERNANCE', 'COMPLIANCE'], hold: 'write' },
  classes: { ...S3_CLASSES, open: true },
  redirect: true,
};

/** What a store of that kind keeps, in whose words its attributes are; nothing is known of an unknown kind. */
export function attributesOfKind(kind: string | undefined): Pick<Capabilities, 'attributes' | 'defaultStorageClass'> {
  if (kind === 's3') return { attributes: S3_ATTRIBUTES, defaultStorageClass: 'STANDARD' };
  if (kind === 'oss') return { attributes: OSS_ATTRIBUTES, defaultStorageClass: 'Standard' };
  return { attributes: {} };
}
