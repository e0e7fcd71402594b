import type { Bytes } from './bytes.js';
import type { S3Checksum } from './hashes.js';

export type Protocol = 's3' | 'oss';

export interface Tag {
  key: string;
  value: string;
}

/** A checksum that S3 stores with an object or a part. */
export interface StoredChecksum {
  name: S3Checksum;
  value: string;
  type: 'FULL_OBJECT' | 'COMPOSITE';
}

/** The lock of new versions whose writer names none. */
export interface DefaultRetention {
  mode: 'GOVERNANCE' | 'COMPLIANCE';
  unit: 'Days' | 'Years';
  count: number;
}

/** How the service encrypts an object. */
export interface Encryption {
  /** S3: `AES256`, `aws:kms`, `aws:kms:dsse`. OSS: `AES256`, `KMS`, `SM4`. */
  method?: string;
  keyId?: string;
  /** OSS: `SM4`, with `KMS`. */
  data?: string;
  /** S3, SSE-C: base64 of the key's MD5. */
  customerMd5?: string;
}

/** The attributes of an object that a writer sets. */
export interface ObjectAttributes {
  /** Content headers by lower-case name: content-type, content-encoding, cache-control, … */
  headers?: Record<string, string>;
  /** User metadata by lower-case name without the vendor's prefix; values as sent (one character per byte). */
  metadata?: Record<string, string>;
  storageClass?: string;
  tags?: Tag[];
  acl?: string;
  encryption?: Encryption;
}

export interface StoredLock {
  mode?: 'GOVERNANCE' | 'COMPLIANCE';
  /** ms since 1970. */
  untilMs?: number;
  hold?: boolean;
}

/** Attributes without a default. */
export interface FurtherAttributes {
  lock?: StoredLock;
  /** S3 only. */
  redirect?: string;
}

export interface PutInput extends ObjectAttributes, FurtherAttributes {
  checksum?: StoredChecksum;
  /** Last-Modified in ms since 1970; default: the server's clock. */
  mtimeMs?: number;
  /**
   * OSS: written by PostObject. Its type is Normal, but its ETag is 32 hex digits that are not its MD5 ("ETag" in the OSS
   * developer reference).
   */
  via?: 'PostObject';
}

export interface StoredPart {
  partNumber: number;
  bytes: Bytes;
  /** Hex MD5 in the protocol's case, unless the upload is encrypted with keys; a part's ETag. */
  etag: string;
  lastModifiedMs: number;
  /** CRC-64/XZ, OSS only. */
  crc64ecma?: bigint;
  checksum?: StoredChecksum;
}

export interface StoredObject extends Required<ObjectAttributes>, FurtherAttributes {
  key: string;
  /** `null` without versioning. */
  versionId: string;
  deleteMarker: boolean;
  bytes: Bytes;
  /** Without quotes, in the protocol's case. */
  etag: string;
  lastModifiedMs: number;
  type: 'Normal' | 'Multipart' | 'Appendable' | 'Symlink';
  symlinkTarget?: string;
  /** The ETag is no MD5, although it looks like one. */
  via?: PutInput['via'];
  /** Unsigned decimal; OSS only, absent where the service has none. */
  crc64ecma?: string;
  checksum?: StoredChecksum;
  /** Sizes of its parts, in order. */
  partSizes?: number[];
  /** The archived object was restored and can be read. */
  restored: boolean;
  /** It was asked for, and is not restored yet. */
  restoring?: boolean;
  /** OSS, real-time access of Archive objects: it is read at once. */
  direct?: boolean;
  /** S3 INTELLIGENT_TIERING: the archive tier that it is in. */
  tier?: 'ARCHIVE_ACCESS' | 'DEEP_ARCHIVE_ACCESS';
}

export interface StoredUpload extends Required<ObjectAttributes>, FurtherAttributes {
  uploadId: string;
  key: string;
  initiatedMs: number;
  parts: Map<number, StoredPart>;
  checksumName?: S3Checksum;
  checksumType?: 'FULL_OBJECT' | 'COMPOSITE';
}

export type Versioning = 'Enabled' | 'Suspended' | undefined;

export interface BucketOptions {
  /** Default: the endpoint's region. */
  region?: string;
  versioning?: Versioning;
  /** Of objects whose writer names no encryption. */
  encryption?: Encryption;
  /** Has an object lock configuration, and so versioning. */
  objectLock?: boolean;
  /** S3: ACLs are disabled ("bucket owner enforced"), as in new buckets of Amazon. */
  ownerEnforced?: boolean;
  /** Buckets of any owner but `main` return AccessDenied. */
  owner?: string;
}

/** The account of the server's credentials. */
export const MAIN_OWNER = 'main';

/** Classes whose objects must be restored before they can be read (S3 and OSS spellings, lower case). */
const ARCHIVED = new Set(['glacier', 'deep_archive', 'archive', 'coldarchive', 'deepcoldarchive']);

/** True when reads of the object return InvalidObjectState. */
export function isFrozen({ storageClass, restored, direct, tier }: StoredObject): boolean {
  const archived = ARCHIVED.has(storageClass.toLowerCase()) || tier !== undefined;
  return archived && !restored && !(direct && storageClass === 'Archive');
}
