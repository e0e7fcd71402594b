/**
 * The ObjectStore port: one bucket of one remote (or one directory tree), and every operation the engine may use.
 * The comments are the specification; `test/contract` tests every backend against it.
 *
 * Obligations common to all calls:
 * - One call is one attempt: one request (a LIST page, a HEAD, …), or several where the service lacks one. Retries, limits and counts are wrappers
 *   (`store/wrap`), not part of an adapter. Exceptions are documented at the call.
 * - Faults are thrown as `XsyncError` with the right code and class, `cause` kept, secrets never in the text.
 *   404 on an object is `object-not-found`, on the bucket `bucket-not-found`, on an upload `upload-not-found`.
 * - Keys are passed verbatim. A key the store cannot hold is `key-not-representable`, before any request is sent.
 * - `signal` aborts promptly: the call rejects with code `aborted` and its connection is released or closed.
 * - A stalled call (no byte either way for the configured idle timeout) rejects with `timeout`. A slow call that
 *   makes progress is never cut off.
 * - Bodies are `Uint8Array`s of at most one part. The adapter does not keep or change them after the call settles, so
 *   that the engine can reuse them. Stores with `readPieces`, `putPieces` and `uploadPartPieces` can also pass a
 *   body on in pieces.
 * Tests: test/store/local/uploads.test.ts
 */
import type { ObjectLock, Tags } from '../model/attributes.js';
import type { ObjectInfo } from '../model/object.js';
import type {
  CallOptions,
  CompleteOptions,
  CopyOptions,
  DeleteCallOptions,
  DeleteFailure,
  FolderInfo,
  HeadOptions,
  Link,
  LinkOptions,
  ListOptions,
  ListPage,
  PartEntry,
  PartOptions,
  PartResult,
  PieceSink,
  PieceSource,
  PinOptions,
  PutOptions,
  ReadOptions,
  Restored,
  RestoreOptions,
  SignedUrl,
  SignedUrlOptions,
  StoreIdentity,
  UploadOptions,
  UploadPage,
  UploadRef,
  Versioning,
  VersionListOptions,
  VersionPage,
  WriteResult,
} from './calls.js';
import type { Capabilities } from './capabilities.js';

export type * from './calls.js';
export type * from './capabilities.js';
/** The calls that move bytes: reads, single-request puts, multipart uploads and server-side copies. */
export interface ObjectBytes {
  readonly capabilities: Capabilities;

  /**
   * Fills `target` with `target.byteLength` bytes of the object from `offset` on, and returns the response's object
   * info. An empty target reads nothing, but one request must still check that the object exists and matches (a
   * zero-byte object can be read this way). Fewer bytes than requested is `truncated`. A ranged read does not require
   * the object to end where the range ends; `info.size` is always the size of the whole object.
   */
  read(key: string, target: Uint8Array, options?: ReadOptions): Promise<ObjectInfo>;

  /**
   * As `read`, but passes the bytes on while they arrive. Reads from the first byte that the sink has not taken, so that a
   * read that broke can simply be repeated. Absent: the store reads into memory only.
   * @throws unsupported: the head of the response does not describe the object
   */
  readPieces?(key: string, sink: PieceSink, options?: ReadOptions): Promise<ObjectInfo>;

  /** Creates or replaces the object in one request, atomically: readers see either the old or the new object. */
  put(key: string, body: Uint8Array, options?: PutOptions): Promise<WriteResult>;

  /** As `put`, with a body that is sent while it arrives. Absent: the store writes from memory only. */
  putPieces?(key: string, body: PieceSource, options?: PutOptions): Promise<WriteResult>;

  /**
   * Server-side copy from `source`, which must be `copyableFrom` this store, or the store itself if it `copiesWithin`. At most
   * `maxCopySize` bytes.
   */
  copy(source: ObjectStore, sourceKey: string, key: string, options?: CopyOptions): Promise<WriteResult>;

  /** True when this store can copy from `source` server-side: same service, endpoint and credentials. */
  copyableFrom(source: ObjectStore): boolean;

  /** Starts a multipart upload with the object's final headers and metadata. */
  createUpload(key: string, options?: UploadOptions): Promise<UploadRef>;

  /** `partNumber` 1 to `maxParts`. Sending a number again replaces that part. @throws upload-not-found */
  uploadPart(upload: UploadRef, partNumber: number, body: Uint8Array, options?: PartOptions): Promise<PartResult>;

  /** As `uploadPart`, with a body that is sent while it arrives. Absent: the store takes parts from memory only. */
  uploadPartPieces?(
    upload: UploadRef,
    partNumber: number,
    body: PieceSource,
    options?: PartOptions,
  ): Promise<PartResult>;

  /** Like uploadPart, but the service copies `size` bytes of `sourceKey` from `offset` on. */
  uploadPartCopy(
    upload: UploadRef,
    partNumber: number,
    source: ObjectStore,
    sourceKey: string,
    range: { offset: number; size: number },
    options?: CopyOptions,
  ): Promise<PartResult>;

  /** Every part that the store holds, ascending; reads all pages. @throws upload-not-found */
  listParts(upload: UploadRef, options?: CallOptions): Promise<PartEntry[]>;

  /**
   * Combines the parts, ascending, into the object. Not safe to repeat blindly: after a lost response,
   * `upload-not-found` may mean that the upload was completed; the caller sends a HEAD and compares.
   */
  completeUpload(
    upload: UploadRef,
    parts: readonly { partNumber: number; etag: string }[],
    options?: CompleteOptions,
  ): Promise<WriteResult>;

  /** Deletes the upload and its parts. An upload that does not exist is not an error. */
  abortUpload(upload: UploadRef, options?: CallOptions): Promise<void>;
}

/** The calls that carry no object bytes: listings, HEADs, deletes and bucket requests. */
export interface ObjectCatalog {
  readonly capabilities: Capabilities;

  /**
   * Checks that the bucket can be reached, in one cheap request.
   * @throws bucket-not-found, access-denied, wrong-region or wrong-endpoint (the remedy names the right one), …
   */
  checkBucket(options?: CallOptions): Promise<void>;

  /** Creates the bucket in the configured region unless we own it already. @throws bucket-exists: another owner */
  createBucket(options?: CallOptions): Promise<void>;

  /** Deletes the bucket, or the directory. @throws guard: it is not empty; bucket-not-found */
  deleteBucket(options?: CallOptions): Promise<void>;

  /** One page of the listing. A truncated or malformed response is an error, never a short page. */
  list(options: ListOptions): Promise<ListPage>;

  /**
   * One page of all versions and delete markers. The order of one key's versions is that in which they were written, which
   * their times do not tell: they may have whole seconds, and an upload in parts may have the time at which it began.
   * Absent: the store keeps no versions.
   */
  listVersions?(options: VersionListOptions): Promise<VersionPage>;

  /** Hides the object by a delete marker; also where there is no object. Absent as `listVersions`. */
  addDeleteMarker?(key: string, options?: CallOptions): Promise<{ versionId?: string }>;

  /**
   * Deletes one version, or one delete marker, for good. One that does not exist is no error. Absent as `listVersions`.
   * @throws access-denied: among other reasons, a lock protects the version
   */
  deleteVersion?(key: string, versionId: string, options?: CallOptions): Promise<void>;

  /** Whether the bucket keeps versions now. Absent as `listVersions`. */
  versioning?(options?: CallOptions): Promise<Versioning>;

  /**
   * Asks for an archived object to become readable for a while.
   * @throws unsupported: the store archives nothing
   */
  restore(key: string, options: RestoreOptions): Promise<Restored>;

  /**
   * Whether a folder exists, even an empty one; `prefix` ends in a slash. Absent: the store has no folders of their own,
   * only keys with slashes. Costs no request.
   */
  hasFolder?(prefix: string): Promise<boolean>;

  /** What a folder itself is; undefined if there is none. Only with `hasFolder`. */
  folder?(prefix: string): Promise<FolderInfo | undefined>;
  /** Creates a folder and those above it; `prefix` ends in a slash. Absent as `hasFolder`. @throws not-writable */
  makeFolder?(prefix: string): Promise<void>;

  /** Describes what a listing has under the key: of a link that is not followed, the link. @throws object-not-found */
  head(key: string, options?: HeadOptions): Promise<ObjectInfo>;

  /**
   * Size in bytes of the object's first part, if the store keeps how the object was uploaded (S3: a HEAD with
   * partNumber=1, https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html); otherwise undefined.
   * @throws object-not-found, precondition-failed
   */
  firstPartSize(key: string, options?: PinOptions): Promise<number | undefined>;

  /** The object's tags. Only for stores whose `attributes` have some, as the next four. @throws object-not-found */
  getTags(key: string, options?: HeadOptions): Promise<Tags>;
  /** Replaces all tags; an empty list removes them. @throws object-not-found */
  putTags(key: string, tags: Tags, options?: HeadOptions): Promise<void>;
  /** The canned ACL, or `grants` for any other. @throws object-not-found */
  getAcl(key: string, options?: HeadOptions): Promise<string>;
  /** @param acl canned. @throws object-not-found */
  putAcl(key: string, acl: string, options?: HeadOptions): Promise<void>;
  /** Sets what `lock` has: the retention, or the legal hold. One request; `lock` has only one of both. @throws object-not-found */
  putLock(key: string, lock: ObjectLock, options?: HeadOptions): Promise<void>;

  /** Absent: the store has no links. @throws object-not-found; unsupported-object: no link, or one that leads out of a tree */
  getLink?(key: string, options?: HeadOptions): Promise<Link>;
  /** Creates a link or replaces the object. Absent as `getLink`. @param target as `Link.target`. @throws key-not-representable */
  putLink?(key: string, target: string, options?: LinkOptions): Promise<{ versionId?: string }>;

  /** One page of the unfinished uploads whose key starts with `prefix`. */
  listUploads(options: CallOptions & { prefix?: string; token?: string }): Promise<UploadPage>;

  /** Deletes at most 1000 keys in one request; returns the failures. A missing key is not an error. */
  delete(keys: readonly string[], options?: DeleteCallOptions): Promise<DeleteFailure[]>;
}

/** A whole store. Functions that need only one half take that half. */
export interface ObjectStore extends ObjectBytes, ObjectCatalog {
  readonly identity: StoreIdentity;

  /**
   * Checks without a request that the store can hold the key, as every call with the key does.
   * @throws key-not-representable
   */
  checkKey(key: string): void;

  /** Of an object that is passed on from elsewhere: what tells it from all others (`model/object.ts`). Absent: it is ours. */
  originOf?(key: string): string;

  /**
   * A URL with which anybody can read the object for a time, without credentials. It is a secret. Absent: the store has
   * none. Sends no request about the object.
   * @throws usage: the service allows no such time
   */
  signedUrl?(key: string, options: SignedUrlOptions): Promise<SignedUrl>;

  /** Releases sockets and handles. Called once, at the end. */
  close(): Promise<void>;
}
