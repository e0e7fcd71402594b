/**
 * The manifest port: what the last runs saw on both sides of one pair, what is half done and what failed. One
 * manifest belongs to one pair (endpoint, bucket and prefix of both sides). All keys here are relative to the
 * pair's prefixes. Ordered by key bytes.
 *
 * Calls are synchronous: the adapter is an embedded database whose calls cost microseconds.
 */
import type { ErrorClass, ErrorCode } from '../model/error.js';
import type { VerifiedBy } from '../model/verified.js';

/** One side of a pair. Holds no secret, and no account: new credentials for the same place keep the manifest. */
export interface PlaceIdentity {
  /** `s3`, `oss`, `local`, `memory`. */
  kind: string;
  /** Control endpoint as an origin; host name for local. Tells equal bucket names of two partitions apart. */
  endpoint: string;
  /** Bucket, or absolute root directory. */
  bucket: string;
  prefix: string;
}

/** What a manifest belongs to. */
export interface PairIdentity {
  source: PlaceIdentity;
  dest: PlaceIdentity;
}

/** An object that the destination has confirmed, and what both sides called it then. */
export interface ManifestRow {
  key: string;
  size: number;
  sourceEtag: string;
  /** Source Last-Modified, ms. */
  sourceMtimeMs: number;
  destEtag: string;
  /** How the copy was proven; `adopted` rows were found equal, not written by xsync. */
  verifiedBy: VerifiedBy;
  /** True when xsync wrote the destination object (only those may sync delete without being told). */
  ours: boolean;
  /** When the destination confirmed it, ms. */
  atMs: number;
}

/** A multipart upload in progress. */
export interface UploadRow {
  key: string;
  uploadId: string;
  sourceEtag: string;
  size: number;
  partSize: number;
  createdMs: number;
}

/** A part that the destination acknowledged. */
export interface PartRow {
  partNumber: number;
  size: number;
  etag: string;
  /** Hex, when it was computed or answered. */
  md5?: string;
  crc64ecma?: string;
}

/** An object that could not be copied, and stays listed until it is. */
export interface FailureRow {
  key: string;
  size: number;
  sourceEtag: string;
  class: ErrorClass;
  code: ErrorCode;
  message: string;
  attempts: number;
  firstMs: number;
  lastMs: number;
}

export interface Manifest {
  /** Where it is, for messages. */
  readonly path: string;

  get(key: string): ManifestRow | undefined;
  /** Rows after `after` (exclusive) in key-byte order, at most `limit`; a page of the M stream. */
  page(after: string | undefined, limit: number): ManifestRow[];
  count(): number;
  /**
   * Of the `rows` rows after `after` (exclusive) the last one's key, and the key of the row that follows it; undefined
   * when none follows. Reads no more than those rows.
   */
  quantile(after: string | undefined, rows: number): { last: string; next: string } | undefined;

  /** Writes rows and removes those keys' failures, in one transaction. */
  commit(rows: readonly ManifestRow[]): void;
  forget(keys: readonly string[]): void;

  upload(key: string): UploadRow | undefined;
  uploads(): UploadRow[];
  /** Starts or replaces the key's checkpoint; its old parts are forgotten. Durable against kill -9 on return. */
  beginUpload(row: UploadRow): void;
  /** Durable against kill -9 on return. */
  addPart(key: string, part: PartRow): void;
  parts(key: string): PartRow[];
  dropParts(key: string, partNumbers: readonly number[]): void;
  endUpload(key: string): void;

  fail(row: Omit<FailureRow, 'attempts' | 'firstMs'>): void;
  failures(): FailureRow[];
  failureCount(): number;
  clearFailures(keys: readonly string[]): void;

  /** Small facts about the pair, such as that its source lists out of order. */
  getFact(name: string): string | undefined;
  setFact(name: string, value: string): void;

  /** A sorted scratch table for a listing that comes out of order. Dropped when disposed. */
  spool(): Spool;

  close(): void;
}

/** Sorts more entries than fit in memory. `value` is opaque text. */
export interface Spool {
  add(batch: readonly { key: string; value: string }[]): void;
  page(after: string | undefined, limit: number): { key: string; value: string }[];
  dispose(): void;
}

/** Held while a run owns the pair; the operating system frees it when the process dies. */
export interface PairLock {
  release(): void;
}

export interface LockHolder {
  pid: number;
  host: string;
  sinceMs: number;
  command: string;
}
