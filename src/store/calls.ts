/**
 * What the calls of a store take and answer (part of the port).
 * Tests: test/contract/stores.test.ts
 */
import type { ObjectLock, Tags } from '../model/attributes.js';
import type { Checksums } from '../model/checksum.js';
import type { XsyncError } from '../model/error.js';
import type { ContentHeaders, ObjectEntry, ObjectInfo, UserMetadata } from '../model/object.js';
import type { Restoring } from '../model/restoring.js';

/** A symbolic link itself, and not what it points to. */
export interface Link {
  /** Full key of what it points to, in the same store. Nothing needs to be there. Empty for the root of a tree. */
  target: string;
  /** What a listing has of the link, and its own headers and metadata. Its size is 0. */
  info: ObjectInfo;
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
  /** Names (`versionName`) of newer ones, from a store that does not list them: they do not allow it to be put on top. */
  newer?: readonly string[];
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
  /**
   * Nothing is written unless the store compares what stands there with `replaces`. Stores with `createsOnly` can do so where
   * it is empty. @throws unsupported: it cannot compare
   */
  strict?: true;
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
