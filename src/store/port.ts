/**
 * The ObjectStore port: one bucket of one remote (or one directory tree), and everything the engine may ask of it.
 * The comments are the specification; `test/contract` holds every backend to it.
 *
 * Obligations common to all calls:
 * - One call is one attempt: one request (a LIST page, a HEAD, …). Retrying, throttling and counting are wrappers
 *   (`store/wrap`), never the adapter's business. Exceptions are named at the call.
 * - Faults are thrown as `XsyncError` with the right code and class, `cause` kept, secrets never in the text.
 *   404 on an object is `object-not-found`, on the bucket `bucket-not-found`, on an upload `upload-not-found`.
 * - Keys arrive and leave verbatim. A key the store cannot hold is `key-not-representable`, before anything is sent.
 * - `signal` aborts promptly: the call rejects with code `aborted` and its connection is given back or closed.
 * - A stalled call (no byte either way for the configured idle timeout) rejects with `timeout`. A slow call that
 *   makes progress is never cut off.
 * - Bodies are memory: `Uint8Array`s of at most one part. The adapter does not keep or change them after the call
 *   settles, so that the engine can reuse them.
 */
import type { Checksums } from '../model/checksum.js';
import type { ContentHeaders, ObjectEntry, ObjectInfo, UserMetadata } from '../model/object.js';

/** What a store can and cannot do. The engine asks here and never asks for a store's kind. */
export interface Capabilities {
  /** Listings come in UTF-8 byte order. `unknown`: the engine checks, and sorts when it finds otherwise. */
  readonly orderedListing: 'yes' | 'unknown';
  /** Bytes of a part that is not the last. */
  readonly minPartSize: number;
  readonly maxPartSize: number;
  readonly maxParts: number;
  /** Largest object, and largest single-request put, in bytes. */
  readonly maxObjectSize: number;
  readonly maxPutSize: number;
  /** Largest server-side copy in one request; beyond it `uploadPartCopy`. 0: no server-side copy. */
  readonly maxCopySize: number;
  /** The checksum of the bytes that the store computes and answers to put and uploadPart, if any. */
  readonly answersCrc64ecma: boolean;
  /** put and uploadPart refuse a body that does not match `contentMd5`. */
  readonly checksContentMd5: boolean;
  /** The ETag answered to a plain put and to uploadPart is the MD5 of the bytes (hex, any case). */
  readonly partEtagIsMd5: boolean;
  /** User metadata is kept. False: `PutOptions.metadata` is refused or ignored, as the store says in its class comment. */
  readonly keepsMetadata: boolean;
  /** A modification time is kept natively and listed (local disk): no `mtime` metadata is needed. */
  readonly keepsMtime: boolean;
  /** Reading ahead of need is cheap and reading twice is free (local disk, memory). */
  readonly local: boolean;
  /** Requests a second that the service says it takes; absent where it says nothing. */
  readonly requestRates?: { readonly read: number; readonly write: number };
}

/** Names the bytes' home, so that a manifest belongs to one pair of places and no other. Holds no secret. */
export interface StoreIdentity {
  /** `s3`, `oss`, `local`, `memory`. */
  readonly kind: string;
  /** Control endpoint as an origin (`https://s3.cn-north-1.amazonaws.com.cn`); host name for local. */
  readonly endpoint: string;
  /** Bucket, or absolute root directory. */
  readonly bucket: string;
  /** Fingerprint of the credentials in use; equal fingerprints on one endpoint allow server-side copies. */
  readonly account: string;
}

export interface CallOptions {
  signal?: AbortSignal;
}

/**
 * Paces bytes: called before `bytes` more are sent or after they were received; a returned promise holds the
 * transfer until it settles. Reports progress and applies bandwidth limits. Must be cheap.
 */
export type Pace = (bytes: number) => Promise<void> | undefined;

export interface TransferOptions extends CallOptions {
  pace?: Pace;
}

export interface ListOptions extends CallOptions {
  /** Only keys that start with it. */
  prefix?: string;
  /** Keys with the delimiter after the prefix are rolled up into `prefixes`. */
  delimiter?: string;
  /** Only keys after this one, exclusive, in the store's order. Ignored when `token` is given. */
  startAfter?: string;
  /** Opaque continuation from the page before. */
  token?: string;
  /** At most this many; the store's own largest page (1000) when absent. */
  maxKeys?: number;
}

export interface ListPage {
  entries: ObjectEntry[];
  /** Rolled-up prefixes when a delimiter was given. */
  prefixes: string[];
  /** Absent on the last page. A page may be empty and not be the last. */
  nextToken?: string;
}

export interface HeadOptions extends CallOptions {
  versionId?: string;
}

export interface ReadOptions extends TransferOptions {
  /** First byte; 0 when absent. The number of bytes is the target's length. */
  offset?: number;
  /**
   * Only if the object's ETag is still this one; else `precondition-failed`. Always given by the engine, also for
   * whole objects, so that old and new bytes never mix.
   */
  ifMatch?: string;
  versionId?: string;
}

export interface PutOptions extends TransferOptions {
  headers?: ContentHeaders;
  metadata?: UserMetadata;
  /** Modification time in ms for stores with `keepsMtime`; others keep it in metadata if the engine puts it there. */
  mtimeMs?: number;
  storageClass?: string;
  /** Hex MD5 of the body; stores with `checksContentMd5` refuse a body that differs (`checksum-mismatch`). */
  contentMd5?: string;
}

/** What a destination answered about bytes it now holds. */
export interface WriteResult {
  etag: string;
  /** Checksums in the answer that the store computed over the bytes that it holds. */
  checksums: Checksums;
  versionId?: string;
  /** Last-Modified where the store answers it (local disk, copies). */
  mtimeMs?: number;
}

export interface UploadRef {
  key: string;
  uploadId: string;
}

export interface UploadEntry extends UploadRef {
  /** When it was initiated, ms since 1970. */
  initiatedMs: number;
}

export interface PartEntry {
  partNumber: number;
  /** Bytes. */
  size: number;
  etag: string;
  /** As the store lists it, where it does (OSS: HashCrc64ecma). */
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
  nextToken?: string;
}

export interface CopyOptions extends CallOptions {
  /** The source's ETag must still be this one, else `precondition-failed`. */
  ifMatch?: string;
  versionId?: string;
  headers?: ContentHeaders;
  metadata?: UserMetadata;
  storageClass?: string;
}

export interface DeleteFailure {
  key: string;
  error: Error;
}

/** Moves bytes: reads objects, and makes new ones whole, by parts, or by the service's own copy. */
export interface ObjectBytes {
  readonly capabilities: Capabilities;

  /**
   * Fills `target` with `target.byteLength` bytes of the object from `offset` on, and returns what the answer says
   * of the object. An empty target reads nothing but must still see the object exist and match (one request; an
   * object of zero bytes can be read so). Fewer bytes than asked is `truncated`; an object that is longer or shorter
   * than offset and target imply is no error for a ranged read, but `info.size` always is the whole object's size.
   */
  read(key: string, target: Uint8Array, options?: ReadOptions): Promise<ObjectInfo>;

  /** Creates or replaces the object in one request, atomically: readers see the old or the new, never a mixture. */
  put(key: string, body: Uint8Array, options?: PutOptions): Promise<WriteResult>;

  /** Server-side copy from `source`, which must be `copyableFrom` this store. At most `maxCopySize` bytes. */
  copy(source: ObjectStore, sourceKey: string, key: string, options?: CopyOptions): Promise<WriteResult>;

  /** True when this store can read `source`'s objects by itself: same service, endpoint and credentials. */
  copyableFrom(source: ObjectStore): boolean;

  /** Starts a multipart upload with the object's final headers and metadata. */
  createUpload(key: string, options?: Omit<PutOptions, 'contentMd5' | 'pace'>): Promise<UploadRef>;

  /** `partNumber` 1 to `maxParts`. Sending a number again replaces that part. @throws upload-not-found */
  uploadPart(upload: UploadRef, partNumber: number, body: Uint8Array, options?: PartOptions): Promise<PartResult>;

  /** As uploadPart, the bytes being `size` bytes of `sourceKey` from `offset` on, copied by the service. */
  uploadPartCopy(
    upload: UploadRef,
    partNumber: number,
    source: ObjectStore,
    sourceKey: string,
    range: { offset: number; size: number },
    options?: CopyOptions,
  ): Promise<PartResult>;

  /** Every part that the store holds, ascending; pages by itself. @throws upload-not-found */
  listParts(upload: UploadRef, options?: CallOptions): Promise<PartEntry[]>;

  /**
   * Makes the parts, ascending, the object. Not safe to repeat blindly: after a lost answer, `upload-not-found` may
   * mean that it was done; the caller HEADs and compares.
   */
  completeUpload(
    upload: UploadRef,
    parts: readonly { partNumber: number; etag: string }[],
    options?: CallOptions & { mtimeMs?: number },
  ): Promise<WriteResult>;

  /** Frees the parts. An upload that is already gone is fine. */
  abortUpload(upload: UploadRef, options?: CallOptions): Promise<void>;
}

/** Says what the bucket holds, and removes it: requests without an object's bytes. */
export interface ObjectCatalog {
  readonly capabilities: Capabilities;

  /**
   * Asks whether the bucket can be reached, in one cheap request.
   * @throws bucket-not-found, access-denied, wrong-region or wrong-endpoint (the remedy names the right one), …
   */
  checkBucket(options?: CallOptions): Promise<void>;

  /** Creates the bucket in the configured region. `bucket-exists` when it belongs to somebody else; ours is fine. */
  createBucket(options?: CallOptions): Promise<void>;

  /** One page of the listing. A truncated or malformed answer is an error, never a short page. */
  list(options: ListOptions): Promise<ListPage>;

  /** @throws object-not-found */
  head(key: string, options?: HeadOptions): Promise<ObjectInfo>;

  /**
   * Size in bytes of the object's first part, where the store remembers how the object was uploaded (S3: a HEAD with
   * partNumber=1, https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html); undefined where it does not.
   * @throws object-not-found, precondition-failed
   */
  firstPartSize(key: string, options?: CallOptions & { ifMatch?: string }): Promise<number | undefined>;

  /** One page of the unfinished uploads whose key starts with `prefix`. */
  listUploads(options: CallOptions & { prefix?: string; token?: string }): Promise<UploadPage>;

  /** Deletes in one request (at most 1000 keys); returns the ones that failed. Missing keys are fine. */
  delete(keys: readonly string[], options?: CallOptions): Promise<DeleteFailure[]>;
}

/** A whole store. Functions that need one part of it ask for that part. */
export interface ObjectStore extends ObjectBytes, ObjectCatalog {
  readonly identity: StoreIdentity;

  /**
   * Whether the store can hold the key, without a request: what every call with this key would say.
   * @throws key-not-representable
   */
  checkKey(key: string): void;

  /** Gives back sockets and handles. Called once, at the end. */
  close(): Promise<void>;
}
