/**
 * The requests of S3, one method for each, as both transports send them. A response is returned as it is: what it lacks
 * is absent, and the store asks for it in another way.
 * Tests: test/store/s3/quirks.test.ts
 */
import type { ObjectLock, Tags } from '../../model/attributes.js';
import type { BodySink } from '../http/message.js';
import type { VersionMarker } from '../http/versions.js';
import type {
  CallOptions,
  CopyOptions,
  DeleteCallOptions,
  DeleteFailure,
  HeadOptions,
  ListOptions,
  ObjectStore,
  PartEntry,
  PartOptions,
  PieceSource,
  PutOptions,
  RestoreOptions,
  TransferOptions,
  UploadEntry,
  UploadOptions,
  UploadRef,
  Versioning,
} from '../port.js';
import type { Addresses } from './address.js';
import type { Condition } from './conditions.js';
import type { CustomerKey } from './customer-key.js';

/** A successful response. */
export interface Answer {
  status: number;
  /** Lower-case names, latin1 values. */
  headers: Record<string, string>;
}

export interface ReadRequest extends TransferOptions {
  versionId?: string;
  /** Without quotes. */
  ifMatch?: string;
  partNumber?: number;
  /** Without the customer's key: the object has none. */
  unsealed?: boolean;
  /** Accept-Encoding: gzip, not signed, because some services change it. */
  gzip?: boolean;
}

export interface GetRequest extends ReadRequest {
  /** Send Range for the target's bytes. Otherwise the whole object is requested. */
  ranged: boolean;
  /** The target begins at this byte of the object. */
  offset: number;
}

export interface GetAnswer extends Answer {
  /** Bytes in the target. */
  received: number;
  /** The response was not read to its end, because the target was full. */
  cut?: boolean;
}

/** A listed object; only the key is certain. */
export interface Row {
  key: string;
  /** The key is not UTF-8: it is the text of the response. */
  undecodable?: boolean;
  size?: number;
  etag?: string;
  mtimeMs?: number;
  storageClass?: string;
  /** Of an archived object: it is being restored; false: it was. */
  restoring?: boolean;
}

/** One page of either version of ListObjects. */
export interface ListedPage {
  rows: Row[];
  prefixes: string[];
  /** As in the port's `ListPage`. */
  damaged?: string[];
  truncated?: boolean;
  /** Version 2. */
  token?: string;
  /** Version 1: the NextMarker, which is often absent. */
  nextMarker?: string;
  /** The response is one of version 1, whatever was requested. */
  versionOne: boolean;
}

export interface ListRequest extends Pick<ListOptions, 'prefix' | 'delimiter' | keyof CallOptions> {
  version: 1 | 2;
  maxKeys: number;
  /** Version 2: the NextContinuationToken of the page before. */
  token?: string;
  /** Only keys after this one. */
  after?: string;
  /** Ask for encoded keys. */
  encoded: boolean;
}

/** A row of ListObjectVersions; only the key and the version ID are certain. */
export interface VersionRow extends Row {
  versionId: string;
  isLatest: boolean;
  deleteMarker: boolean;
}

export interface ListedVersions {
  rows: VersionRow[];
  /** As in the port's `VersionPage`. */
  damaged?: string[];
  next?: VersionMarker;
}

export interface VersionsRequest extends CallOptions {
  prefix?: string;
  maxKeys: number;
  after?: VersionMarker;
  encoded: boolean;
}

/** The result of a copy or of a completed upload; without an ETag it must be asked for. */
export interface Written {
  etag?: string;
  /** With the checksums of the body. */
  headers: Record<string, string>;
  mtimeMs?: number;
}

export interface ListedUploads {
  uploads: UploadEntry[];
  /** As in the port's `UploadPage`. */
  damaged?: string[];
  truncated?: boolean;
  next?: { key: string; id: string };
}

export interface ListedParts {
  parts: PartEntry[];
  /** Of the last part on this page, if there are more pages. */
  next?: number;
}

export interface CopyRequest extends CopyOptions {
  /** The key of the source. */
  opens?: CustomerKey;
}

export interface S3Calls {
  readonly addresses: Addresses;

  /** @param named the body names the region */
  createBucket(named: boolean, options: CallOptions): Promise<void>;
  deleteBucket(options: CallOptions): Promise<void>;
  list(request: ListRequest): Promise<ListedPage>;
  listVersions(request: VersionsRequest): Promise<ListedVersions>;
  versioning(options: CallOptions): Promise<Versioning>;
  head(key: string, request: ReadRequest): Promise<Answer>;
  /** The status is 202, or 200 for an object that is readable already. */
  restore(key: string, options: RestoreOptions): Promise<Answer>;
  get(key: string, target: Uint8Array, request: GetRequest): Promise<GetAnswer>;
  put(key: string, body: Uint8Array, options: PutOptions, condition: Condition): Promise<Answer>;
  /** The same with bodies that are passed on while they arrive; absent where the transport cannot. */
  readonly inPieces?: {
    get(key: string, sink: BodySink, request: GetRequest): Promise<GetAnswer>;
    put(key: string, body: PieceSource, options: PutOptions, condition: Condition): Promise<Answer>;
    uploadPart(upload: UploadRef, partNumber: number, body: PieceSource, options: PartOptions): Promise<Answer>;
  };

  /**
   * @param replace the given headers and metadata take the place of the source's
   * @throws unsupported: the response is not that of a copy
   */
  copy(
    source: ObjectStore,
    sourceKey: string,
    key: string,
    options: CopyRequest & { replace: boolean },
  ): Promise<Written>;

  createUpload(key: string, options: UploadOptions): Promise<UploadRef>;
  uploadPart(upload: UploadRef, partNumber: number, body: Uint8Array, options: PartOptions): Promise<Answer>;
  /** @throws unsupported: the response is not that of a copy */
  uploadPartCopy(
    upload: UploadRef,
    partNumber: number,
    source: ObjectStore,
    sourceKey: string,
    range: { offset: number; size: number },
    options: CopyRequest,
  ): Promise<Written>;
  /** One page, after the part with number `after`. */
  listParts(upload: UploadRef, after: number, options: CallOptions): Promise<ListedParts>;
  complete(
    upload: UploadRef,
    parts: readonly { partNumber: number; etag: string }[],
    options: CallOptions,
    condition: Condition,
  ): Promise<Written>;
  abort(upload: UploadRef, options: CallOptions): Promise<void>;
  listUploads(
    request: CallOptions & { prefix?: string; after?: { key: string; id: string }; encoded: boolean },
  ): Promise<ListedUploads>;

  getTags(key: string, options: HeadOptions): Promise<Tags>;
  putTags(key: string, tags: Tags, options: HeadOptions): Promise<void>;
  getAcl(key: string, options: HeadOptions): Promise<string>;
  putAcl(key: string, acl: string, options: HeadOptions): Promise<void>;
  putLock(key: string, lock: ObjectLock, options: HeadOptions): Promise<void>;

  /** @throws unsupported: the response is not that of DeleteObjects */
  deleteMany(keys: readonly string[], options: DeleteCallOptions): Promise<DeleteFailure[]>;
  deleteOne(key: string, options: DeleteCallOptions & { versionId?: string }): Promise<Answer>;
}
