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
import type { Checksums } from '../model/checksum.js';
import type { XsyncError } from '../model/error.js';
import type { ContentHeaders, ObjectEntry, ObjectInfo, UserMetadata } from '../model/object.js';
import type { Restoring } from '../model/restoring.js';
import type { ClassLimits } from '../model/storage-class.js';

/** A symbolic link itself, and not what it points to. */
export interface Link {
  /** Full key of what it points to, in the same store. Nothing needs to be there. Empty for the root of a tree. */
  target: string;
  /** What a listing has of the link, and its own headers and metadata. Its size is 0. */
  info: ObjectInfo;
}

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
  /** Name of the storage class of objects that have no `storageClass`; absent: the store has no classes. */
  readonly defaultStorageClass?: string;
  /** Requests per second that the service documents as its limits; absent where it documents none. */
  readonly requestRates?: { readonly read: number; readonly write: number };
}

/** Identifies a bucket, so that a manifest belongs to exactly one pair of places. Contains no secret. */
export interface StoreIdentity {
  /** `s3`, `oss`, `local`, `memory`. */
  readonly kind: string;
  /** Control endpoint as an origin (`https://s3.cn-north-1.amazonaws.com.cn`); host name for local. */
  readonly endpoint: string;
  /** Where the requests go, if that is not `endpoint`: several endpoints may lead to one bucket. */
  readonly origin?: string;
  /** Other values of `endpoint` under which an earlier version may have noted this bucket in a manifest. */
  readonly formerly?: readonly string[];
  /** Bucket, or absolute root directory. */
  readonly bucket: string;
  /** Fingerprint of the credentials in use; equal fingerprints on one endpoint allow server-side copies. */
  readonly account: string;
}

/** The kinds of requests, one for each method of the port. Requests are priced, counted and retried by kind. */
export type RequestKind =
  | 'list'
  | 'head'
  | 'read'
  | 'put'
  | 'copy'
  | 'createUpload'
  | 'uploadPart'
  | 'uploadPartCopy'
  | 'listParts'
  | 'completeUpload'
  | 'abortUpload'
  | 'listUploads'
  | 'delete'
  | 'checkBucket'
  | 'createBucket'
  | 'deleteBucket'
  | 'restore'
  | 'getTags'
  | 'putTags'
  | 'getAcl'
  | 'putAcl'
  | 'putLock'
  | 'getLink'
  | 'putLink';

export interface CallOptions {
  signal?: AbortSignal;
  /** Without an answer, the call is not sent again: in a bucket with versions it might add a second one. */
  once?: true;
  /** Called for each request that is sent, by stores with `countsRequests`. */
  onRequest?: (kind: RequestKind) => void;
}

/**
 * Paces bytes: called before `bytes` more are sent or after they were received. The transfer waits for a returned
 * promise to settle. Reports progress and applies bandwidth limits. Must be cheap.
 */
export type Pace = (bytes: number) => Promise<void> | undefined;

export interface TransferOptions extends CallOptions {
  pace?: Pace;
}

export interface ListOptions extends CallOptions {
  /** Only keys that start with it. */
  prefix?: string;
  /** Keys that contain the delimiter after the prefix are rolled up into `prefixes`. */
  delimiter?: string;
  /** Only keys after this one, exclusive, in the store's order. Ignored when `token` is given. */
  startAfter?: string;
  /** `nextToken` of the previous page. */
  token?: string;
  /** At most this many keys; the store's largest page (1000) when absent. */
  maxKeys?: number;
  /**
   * False for a folder (a prefix that ends in a slash) whose objects are not wanted. A directory tree does not read it;
   * other stores ignore this.
   */
  enters?: (prefix: string) => boolean;
  /** With a delimiter: `prefixes` has folders without objects, too. Other stores than directory trees ignore this. */
  emptyFolders?: boolean;
}

/** A folder of a directory tree that could not be read: nothing is known of the keys that start with `prefix`. */
export interface UnlistedFolder {
  prefix: string;
  error: XsyncError;
}

export interface ListPage {
  entries: ObjectEntry[];
  /** Rolled-up prefixes if a delimiter was given. */
  prefixes: string[];
  /** Folders whose objects are missing from the page, in key order. */
  unlisted?: UnlistedFolder[];
  /** Rows that name no object, each as a noun phrase: `a row without a key after "b"`. */
  damaged?: string[];
  /** Absent on the last page. A page may be empty and not be the last. */
  nextToken?: string;
}

export interface VersionListOptions extends CallOptions {
  /** Only keys that start with it. */
  prefix?: string;
  /** Only versions of keys after this one. Ignored when `token` is given. */
  startAfter?: string;
  /** `nextToken` of the previous page. */
  token?: string;
  /** At most this many versions; the store's largest page (1000) when absent. */
  maxKeys?: number;
}

/** A version of an object, or a delete marker, whose size is 0 and whose ETag is empty. */
export interface VersionEntry extends ObjectEntry {
  /** `null` for a version that was written while the bucket kept none. */
  versionId: string;
  /** The newest of its key. */
  isLatest: boolean;
  deleteMarker?: true;
}

export interface VersionPage {
  /** In key order; those of one key next to each other, the newest first. They may continue on the next page. */
  versions: VersionEntry[];
  /** Rows that name no version, as in `ListPage`. */
  damaged?: string[];
  /** Absent on the last page. */
  nextToken?: string;
}

/**
 * Whether a bucket keeps versions. `suspended`: it did; a write now replaces the version with the ID `null`, and keeps
 * the others.
 */
export type Versioning = 'enabled' | 'suspended' | 'never';

export interface HeadOptions extends CallOptions {
  versionId?: string;
}

/** Which version must answer. */
export interface PinOptions extends HeadOptions {
  /** As in `ReadOptions`. */
  ifMatch?: string;
}

export interface ReadOptions extends TransferOptions {
  /** First byte; 0 when absent. The length of the target is the number of bytes. */
  offset?: number;
  /**
   * The object's ETag must still be this one, otherwise `precondition-failed`. The engine always sets it, even for
   * whole objects, so that old and new bytes never mix.
   */
  ifMatch?: string;
  versionId?: string;
}

/** What a new object is given besides its bytes. Only what the store's `attributes` allow. */
export interface PutAttributes {
  headers?: ContentHeaders;
  metadata?: UserMetadata;
  storageClass?: string;
  tags?: Tags;
  /** Canned. */
  acl?: string;
  lock?: ObjectLock;
  redirect?: string;
}

export interface PutOptions extends TransferOptions, PutAttributes {
  /** Modification time in ms for stores with `keepsMtime`; for others the engine may put it into the metadata. */
  mtimeMs?: number;
  /**
   * ETag of the object that the write replaces, empty for none: if another one stands there, nothing is written, and the
   * call fails with `precondition-failed`. Only for stores with `writesIfMatch`; others ignore it.
   */
  replaces?: string;
  /** Hex MD5 of the body; stores with `checksContentMd5` reject a body that differs (`checksum-mismatch`). */
  contentMd5?: string;
}

/** Of a link, which has no bytes. */
export type LinkOptions = CallOptions &
  Pick<PutAttributes, 'headers' | 'metadata' | 'tags' | 'acl'> &
  Pick<PutOptions, 'mtimeMs' | 'replaces'>;

/** Of a multipart upload; its completion takes `replaces`. */
export type UploadOptions = Omit<PutOptions, 'contentMd5' | 'pace' | 'replaces'>;

/** What a destination returned about bytes that it now holds. */
export interface WriteResult {
  etag: string;
  /** Checksums that the store computed over the bytes that it holds. */
  checksums: Checksums;
  versionId?: string;
  /** Last-Modified where the store returns it (local disk, copies). */
  mtimeMs?: number;
}

export interface UploadRef {
  key: string;
  uploadId: string;
}

export interface UploadEntry extends UploadRef {
  /** Creation time, ms since 1970. */
  initiatedMs: number;
}

export interface PartEntry {
  partNumber: number;
  /** Bytes. */
  size: number;
  etag: string;
  /** Only from stores that list it (OSS: HashCrc64ecma). */
  crc64ecma?: string;
}

export interface PartResult {
  etag: string;
  checksums: Checksums;
}

export interface PartOptions extends TransferOptions {
  contentMd5?: string;
}

export interface UploadPage {
  uploads: UploadEntry[];
  /** As in `ListPage`: rows that name no upload. */
  damaged?: string[];
  nextToken?: string;
}

export interface CompleteOptions extends CallOptions {
  mtimeMs?: number;
  /** As in `PutOptions`. */
  replaces?: string;
  /** Bytes of all parts. A store whose response does not describe the object compares them with what it holds. */
  size?: number;
  /** ETag of the object that the caller saw there before, for the same comparison. */
  previous?: string;
}

export interface CopyOptions extends CallOptions, PutAttributes {
  /** As in `PutOptions`. */
  mtimeMs?: number;
  /** The source's ETag must still be this one, otherwise `precondition-failed`. */
  ifMatch?: string;
  versionId?: string;
}

/** `requested`: it takes minutes to days. `ongoing`: somebody asked before. `readable`: it already is. */
export type Restored = 'requested' | 'ongoing' | 'readable';

export interface RestoreOptions extends CallOptions, Restoring {
  versionId?: string;
  /** Of the object, in the store's spelling: not every class takes days, or a tier. */
  storageClass?: string;
}

export interface DeleteCallOptions extends CallOptions {
  /**
   * ETags by key: a key that holds another version is not deleted, and fails with `precondition-failed`. Only for stores
   * with `deletesIfMatch`; others ignore it.
   */
  versions?: ReadonlyMap<string, string>;
  /** A key that ends in a slash also stands for the folder, if it is empty. Only for directory trees. */
  folders?: boolean;
  /** A directory tree leaves folders that become empty. Others ignore this. */
  keepFolders?: boolean;
}

export interface FolderInfo {
  /** ms since 1970. */
  mtimeMs: number;
  /** Bytes that the folder itself takes. */
  size?: number;
}

export interface SignedUrlOptions {
  /** Seconds, at least 1. */
  expiresS: number;
  versionId?: string;
}

export interface SignedUrl {
  /** A secret. */
  url: string;
  /** When it ends, ms since 1970: after its time, or with the credentials that signed it if that is earlier. */
  expiresMs: number;
}

export interface DeleteFailure {
  key: string;
  error: Error;
}

/**
 * Takes the bytes of a read while they arrive, in order.
 *
 * `begin` is called once the store has said what it sends, before the first piece, and again whenever the call is
 * repeated. A piece is valid only during the call of `take`. The store stops reading while a promise of `take` is
 * pending; what it had received by then still comes, at most 256 KiB. An exception of either, or a rejected promise, ends
 * the read with that error.
 */
export interface PieceSink {
  /** Bytes to read. */
  readonly byteLength: number;
  /** Bytes that were passed to `take`. */
  readonly taken: number;
  begin(info: ObjectInfo): void;
  take(piece: Uint8Array): Promise<void> | undefined;
  /**
   * Memory for the next bytes: a piece that begins there need not be copied. A store may read into it until its call has
   * ended. Undefined: the sink has no room now.
   */
  room?(): Uint8Array | undefined;
}

/** A body that is sent while it arrives. */
export interface PieceSource {
  readonly byteLength: number;
  /** Starts the body from its first byte. Called by each request that sends it, when the earlier ones have ended. */
  open(): Pieces;
}

export interface Pieces {
  /** The next piece, of one byte at least. Its memory is reused at the following call. Rejects if the body failed. */
  next(): Uint8Array | Promise<Uint8Array>;
}

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

  /**
   * A URL with which anybody can read the object for a time, without credentials. It is a secret. Absent: the store has
   * none. Sends no request about the object.
   * @throws usage: the service allows no such time
   */
  signedUrl?(key: string, options: SignedUrlOptions): Promise<SignedUrl>;

  /** Releases sockets and handles. Called once, at the end. */
  close(): Promise<void>;
}
