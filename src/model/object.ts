/** Tests: test/engine/copy.test.ts */
import { createHash } from 'node:crypto';
import type { ObjectLock } from './attributes.js';
import type { Checksums } from './checksum.js';
import type { XsyncError } from './error.js';

/** One object as a listing shows it. Plain data. */
export interface ObjectEntry {
  /** The full key in its bucket (for a local root, the path below it with `/`). */
  key: string;
  /** Bytes. */
  size: number;
  /** Opaque ID of this version, without quotes, otherwise verbatim. Compared only with ETags of the same store. */
  etag: string;
  /** Last-Modified in milliseconds since 1970, as the store returns it. */
  mtimeMs: number;
  /** In the store's spelling; absent for the default class. */
  storageClass?: string;
  /** Checksums from the listing (an OSS ETag of `Type` Normal, an S3 ETag that may be an MD5). */
  checksums?: Checksums;
  /** What a symbolic link points to, under the link's key. A service that copies the key copies the link. */
  followed?: true;
  /** Why the object cannot be read as ordinary bytes; absent for ordinary objects. */
  special?: 'archived' | 'symlink' | 'appendable' | 'other';
  /**
   * Of an archived object, if that is certain: `frozen` must be restored before it is read, `restoring` is being restored.
   * `restored` is readable for a while. Absent: some
   * stores give out archived objects at once, so that only a read tells.
   */
  archive?: 'frozen' | 'restoring' | 'restored';
  /** What a special `other` is, in words: `named pipe`. */
  kind?: string;
  /**
   * Why a special object cannot be read although a person would expect to find it at the destination: the object counts
   * as failed. Without it the object is only left out.
   */
  fault?: XsyncError;
  versionId?: string;
}

/** Content headers that are copied verbatim. Absent: the object has none. */
export interface ContentHeaders {
  contentType?: string;
  contentEncoding?: string;
  contentDisposition?: string;
  contentLanguage?: string;
  cacheControl?: string;
  /** Verbatim text, as stores keep it. */
  expires?: string;
}

/** User metadata: lower-case names without the vendor's prefix, decoded values. */
export type UserMetadata = Record<string, string>;

/** Everything about an object except its bytes. Plain data. */
export interface ObjectInfo extends ObjectEntry {
  headers: ContentHeaders;
  metadata: UserMetadata;
  /** Full-object checksums that the store returned. */
  checksums: Checksums;
  /** Number of tags; absent for none, and where the store does not tell. */
  tagCount?: number;
  lock?: ObjectLock;
  /** Where a website redirects requests for the object. */
  redirect?: string;
}

/** Metadata name for the source's time of a copy, as in rclone: seconds since 1970 with a fraction. */
export const MTIME_METADATA = 'mtime';

/** Metadata name of a carried version: which version of the source it is (`versionName`). */
export const VERSION_METADATA = 'xsync-version-id';

/** Metadata name of a carried version: of which object it is a version (`originOf`). A person may copy it to another key. */
export const ORIGIN_METADATA = 'xsync-version-of';

/** Tells an object from all others, in 16 hexadecimal digits. */
export function originOf({ kind, endpoint, bucket }: Home, key: string): string {
  const text = JSON.stringify([kind, endpoint, bucket, key]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

interface Home {
  kind: string;
  endpoint: string;
  bucket: string;
}

/**
 * Names a version of one key for good, in ASCII. Versions with the ID `null` replace each other, so what they hold is part
 * of the name.
 */
export function versionName(
  { versionId, etag, mtimeMs }: Pick<ObjectEntry, 'versionId' | 'etag' | 'mtimeMs'>,
  deleteMarker: boolean,
): string {
  const id = versionId === undefined || versionId === 'null' ? `null ${etag} ${mtimeMs}` : versionId;
  return deleteMarker ? `${MARKER}${id}` : id;
}

const MARKER = 'delete ';

/** Whether `versionName` gave the name to a delete marker. */
export function namesMarker(name: string): boolean {
  return name.startsWith(MARKER);
}

/** Formats a time in milliseconds as rclone's `mtime` metadata: decimal seconds, here with at most three decimals. */
export function formatMtime(ms: number): string {
  return (ms / 1000).toFixed(3).replace(/\.?0+$/, '');
}

/** Parses rclone's `mtime` metadata into milliseconds; undefined if it is absent or not a number. */
export function parseMtime(metadata: UserMetadata): number | undefined {
  const text = metadata[MTIME_METADATA];
  if (text === undefined || !/^-?\d+(\.\d+)?$/.test(text)) return undefined;
  return Number(text) * 1000;
}

/** The time in the `mtime` metadata if there is one, otherwise Last-Modified. Milliseconds since 1970. */
export function effectiveMtime(info: Pick<ObjectInfo, 'metadata' | 'mtimeMs'>): number {
  return parseMtime(info.metadata) ?? info.mtimeMs;
}

/** A HEAD tells whole seconds, a listing of the same store may tell more. @param knownMs of the row; 0: not known */
export function isRewritten(mtimeMs: number, knownMs = 0): boolean {
  return knownMs > 0 && Math.floor(mtimeMs / 1000) !== Math.floor(knownMs / 1000);
}
