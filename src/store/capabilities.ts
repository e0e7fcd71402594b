/**
 * What a store can and cannot do, as data (part of the port).
 * Tests: test/contract/stores.test.ts
 */
import type { ClassLimits } from '../model/storage-class.js';

/** What user metadata a store can hold. Sizes in bytes of names and values as they are sent (spelling.ts). */
export interface MetadataLimits {
  maxBytes: number;
  /** Bytes that count for each name besides its own. */
  perName: number;
  /** Of whole names, in lower case. */
  name: RegExp;
}

export interface TagLimits {
  /** Tags of an object. */
  count: number;
  /** UTF-16 units of a key and of a value. */
  key: number;
  value: number;
  /** Of keys and values; `allowed` says it in words. */
  characters: RegExp;
  allowed: string;
  /** Keys that only the service itself sets. */
  reserved?: RegExp;
  /** The longest header that carries tags, bytes; more of them take a request of their own. */
  maxHeader: number;
  /** An upload in parts and a copy by the service ignore them, and a copy loses those of its source. */
  onlyInPuts?: true;
}

export interface AclLimits {
  /** The canned ACLs that an object can be given. */
  canned: readonly string[];
  /** What an object has that was given none. */
  usual: string;
  /** The ACL that stands for the bucket's. */
  inherits?: string;
  /** An object that was given none has the ACL of its bucket, so that every ACL has to be set. */
  explicit?: true;
  /** An upload in parts cannot be given one when it starts. */
  notInUploads?: true;
}

export interface LockLimits {
  modes: readonly ('GOVERNANCE' | 'COMPLIANCE')[];
  /** How a legal hold is set: by the write, or by a request of its own; `none`: objects have no legal holds. */
  hold: 'write' | 'request' | 'none';
  /** Copies and uploads in parts ignore locks, which have to be set afterwards. */
  onlyInPuts?: true;
}

/** What a store keeps of an object besides its bytes, as data (attributes/limits.ts). Absent: nothing of the kind. */
export interface AttributeLimits {
  /** Absent: any metadata, if the store keeps metadata at all. */
  metadata?: MetadataLimits;
  tags?: TagLimits;
  acl?: AclLimits;
  lock?: LockLimits;
  /** Storage classes. */
  classes?: ClassLimits;
  /** Website redirects of objects. */
  redirect?: true;
}

/** What a store can and cannot do. The engine checks these and never checks a store's kind. */
export interface Capabilities {
  /** Whether listings are in UTF-8 byte order. `unknown`: the engine checks, and sorts if they are not. */
  readonly orderedListing: 'yes' | 'unknown';
  /** Minimum size in bytes of every part but the last. */
  readonly minPartSize: number;
  readonly maxPartSize: number;
  readonly maxParts: number;
  /** Largest object, and largest single-request put, in bytes. */
  readonly maxObjectSize: number;
  readonly maxPutSize: number;
  /** Largest server-side copy in one request, in bytes; larger ones use `uploadPartCopy`. 0: no server-side copy. */
  readonly maxCopySize: number;
  /** put and uploadPart return a CRC-64/XZ that the store computed over the bytes. */
  readonly answersCrc64ecma: boolean;
  /** put and uploadPart reject a body that does not match `contentMd5`. */
  readonly checksContentMd5: boolean;
  /** The ETag that put and uploadPart return is the MD5 of the bytes (hex, any case). */
  readonly partEtagIsMd5: boolean;
  /** `listVersions` and `versioning` are there, and reads, copies and deletes take a version ID. */
  readonly keepsVersions?: true;
  /** uploadPart returns the MD5 of the body, so that the caller need not compute it. */
  readonly hashesParts?: true;
  /** User metadata is kept. False: `PutOptions.metadata` is rejected or ignored; see the store's class comment. */
  readonly keepsMetadata: boolean;
  readonly attributes: AttributeLimits;
  /**
   * Symbolic links can be read and written: `getLink` and `putLink` are there. `objects`: reading one reads what it points
   * to, for which a listing has neither size nor ETag. `files`: the store follows links only if it was opened so.
   */
  readonly links?: 'objects' | 'files';
  /** Deletes compare versions (`DeleteCallOptions.versions`). Absent: the engine looks at each object first. */
  readonly deletesIfMatch?: true;
  /** put and completeUpload obey `replaces`. */
  readonly writesIfMatch?: true;
  /**
   * put obeys `strict` with an empty `replaces`, but not where the bucket keeps versions: then the answer has a `versionId`
   * (https://www.alibabacloud.com/help/en/oss/developer-reference/putobject, x-oss-forbid-overwrite).
   */
  readonly createsOnly?: true;
  /** Copies obey `CopyOptions.ifMatch`. Absent: the engine checks which version was copied. */
  readonly pinsCopies?: true;
  /**
   * A call may send other requests than its own, or none, and tells `onRequest` of each. Absent: every call counts as one
   * request.
   */
  readonly countsRequests?: true;
  /** `copy` copies from the store itself, although there is no server-side copy: it reads and writes the bytes there. */
  readonly copiesWithin?: true;
  /** A modification time is kept natively and listed (local disk): no `mtime` metadata is needed. */
  readonly keepsMtime: boolean;
  /** Reading ahead is cheap and reading twice is free (local disk, memory). */
  readonly local: boolean;
  /** Reading the same bytes a second time costs next to nothing. */
  readonly readsAgain?: boolean;
  /** What is read into memory is kept for others that want the same bytes, if they ask for the same range. */
  readonly readsInCommon?: true;
  /** Name of the storage class of objects that have no `storageClass`; absent: the store has no classes. */
  readonly defaultStorageClass?: string;
  /** Requests per second that the service documents as its limits; absent where it documents none. */
  readonly requestRates?: { readonly read: number; readonly write: number };
}
