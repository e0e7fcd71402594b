import type { Checksums } from './checksum.js';

/** One object as a listing shows it. Plain data. */
export interface ObjectEntry {
  /** Relative to nothing: the full key in its bucket (for a local root, the path below it with `/`). */
  key: string;
  /** Bytes. */
  size: number;
  /** Opaque name of this version in this store: quotes removed, otherwise verbatim. Compared only with the same store's. */
  etag: string;
  /** Last-Modified in milliseconds since 1970, as the store gives it. */
  mtimeMs: number;
  /** As the store spells it, absent for the default class. */
  storageClass?: string;
  /** Checksums that the listing itself vouches for (an OSS `Type` Normal ETag, an S3 ETag that may be an MD5). */
  checksums?: Checksums;
  /** Set for objects that cannot be read as ordinary bytes; says why. */
  special?: 'archived' | 'symlink' | 'appendable' | 'other';
  versionId?: string;
}

/** Content headers that go across verbatim. Absent means that the object has none. */
export interface ContentHeaders {
  contentType?: string;
  contentEncoding?: string;
  contentDisposition?: string;
  contentLanguage?: string;
  cacheControl?: string;
  /** Verbatim text; stores keep it as a string and so do we. */
  expires?: string;
}

/** User metadata: lower-case names without the vendor's prefix, decoded values. */
export type UserMetadata = Record<string, string>;

/** Everything about an object but its bytes. Plain data. */
export interface ObjectInfo extends ObjectEntry {
  headers: ContentHeaders;
  metadata: UserMetadata;
  /** Full-object checksums that the store vouches for. */
  checksums: Checksums;
}

/** The metadata name under which a copy keeps its source's time, as rclone does: seconds since 1970 with a fraction. */
export const MTIME_METADATA = 'mtime';

/** Writes a time as rclone's `mtime` metadata does: decimal seconds, at most nanosecond digits. */
export function formatMtime(ms: number): string {
  return (ms / 1000).toFixed(3).replace(/\.?0+$/, '');
}

/** Reads rclone's `mtime` metadata into milliseconds; undefined when absent or not a number. */
export function parseMtime(metadata: UserMetadata): number | undefined {
  const text = metadata[MTIME_METADATA];
  if (text === undefined || !/^-?\d+(\.\d+)?$/.test(text)) return undefined;
  return Number(text) * 1000;
}

/** The source's own time if the object carries one, else the store's Last-Modified. Milliseconds since 1970. */
export function effectiveMtime(info: ObjectInfo): number {
  return parseMtime(info.metadata) ?? info.mtimeMs;
}
