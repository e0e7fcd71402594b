import type { Bucket } from './bucket.js';
import { ServiceError } from './errors.js';
import { byteOrder, KeyIndex } from './keys.js';
import type { StoredObject, StoredUpload } from './model.js';

export interface ListRequest {
  prefix: string;
  delimiter: string;
  /** Exclusive. A rolled-up prefix skips all keys below it. */
  after: string;
  maxKeys: number;
}

export interface Listing {
  objects: StoredObject[];
  prefixes: string[];
  /** The last key or prefix on this page, if it is not the last page. */
  next?: string;
}

/** One page of the current objects. */
export function listObjects(bucket: Bucket, request: ListRequest): Listing {
  const objects: StoredObject[] = [];
  const prefixes: string[] = [];
  const next = walk(bucket.keys(), request, (key) => bucket.current(key) !== undefined, {
    key: (key) => {
      const object = bucket.current(key);
      if (object) objects.push(object);
    },
    prefix: (prefix) => prefixes.push(prefix),
  });
  return { objects, prefixes, ...(next === undefined ? {} : { next }) };
}

interface Visitor {
  key(key: string): void;
  prefix(prefix: string): void;
}

/** Walks keys after `after` and rolls up at the delimiter. Returns the last item when there are more. */
function walk(
  keys: readonly string[],
  { prefix, delimiter, after, maxKeys }: ListRequest,
  exists: (key: string) => boolean,
  visit: Visitor,
): string | undefined {
  if (maxKeys === 0) return undefined;
  const rolledAfter = delimiter && after && rollUp(after, prefix, delimiter) === after;
  let i = KeyIndex.seek(
    keys,
    (key) => byteOrder(key, after) > 0 && byteOrder(key, prefix) >= 0 && !(rolledAfter && key.startsWith(after)),
  );
  let count = 0;
  let last = '';
  while (i < keys.length) {
    const key = keys[i] ?? '';
    if (!key.startsWith(prefix)) break;
    if (!exists(key)) {
      i++;
      continue;
    }
    if (count === maxKeys) return last;
    count++;
    const rolled = rollUp(key, prefix, delimiter);
    last = rolled ?? key;
    if (rolled === undefined) {
      visit.key(key);
      i++;
    } else {
      visit.prefix(rolled);
      i = KeyIndex.seek(keys, (other) => byteOrder(other, rolled) > 0 && !other.startsWith(rolled), i);
    }
  }
  return undefined;
}

/** The key up to the first delimiter after the prefix, or undefined. */
function rollUp(key: string, prefix: string, delimiter: string): string | undefined {
  if (!delimiter || !key.startsWith(prefix)) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

export interface VersionListing {
  versions: { object: StoredObject; isLatest: boolean }[];
  prefixes: string[];
  next?: { key: string; versionId: string };
}

/** One page of all versions and delete markers, newest first within a key, after (`after`, `afterVersion`). */
export function listVersions(bucket: Bucket, request: ListRequest & { afterVersion: string }): VersionListing {
  const result: VersionListing = { versions: [], prefixes: [] };
  const { after, afterVersion, maxKeys } = request;
  const isFull = () => result.versions.length + result.prefixes.length >= maxKeys;
  let last = { key: after, versionId: afterVersion };
  const add = (key: string, from: string) => {
    const versions = bucket.versionsOf(key);
    const start = from === '' ? 0 : versions.findIndex((version) => version.versionId === from) + 1;
    for (const [i, object] of versions.entries()) {
      if (i < start) continue;
      if (isFull()) {
        result.next ??= last;
        return;
      }
      result.versions.push({ object, isLatest: i === 0 });
      last = { key, versionId: object.versionId };
    }
  };
  if (maxKeys === 0) return result;
  if (after && afterVersion) add(after, afterVersion);
  const more = walk(bucket.keys(), request, () => result.next === undefined, {
    key: (key) => add(key, ''),
    prefix: (prefix) => {
      if (isFull()) result.next ??= last;
      else result.prefixes.push(prefix);
      last = { key: prefix, versionId: '' };
    },
  });
  if (more !== undefined) result.next ??= last;
  return result;
}

/** Continuation tokens are opaque to clients. They name the bucket, so that tokens of other buckets are refused. */
export function makeToken(bucket: Bucket, after: string): string {
  return `1${Buffer.from(`${bucket.name}\n${after}`).reverse().toString('base64')}`;
}

/** @throws InvalidArgument */
export function readToken(bucket: Bucket, token: string): string {
  const text = Buffer.from(token.slice(1), 'base64').reverse().toString();
  if (!token.startsWith('1') || !text.startsWith(`${bucket.name}\n`)) {
    throw new ServiceError('InvalidArgument', {
      message: 'The continuation token provided is incorrect',
      elements: { ArgumentName: 'continuation-token' },
    });
  }
  return text.slice(bucket.name.length + 1);
}

/** Uploads by key, then by age: the documented order of both services. */
export function uploadsInOrder(bucket: Bucket): StoredUpload[] {
  return [...bucket.uploads.values()].sort((a, b) => byteOrder(a.key, b.key) || a.initiatedMs - b.initiatedMs);
}

/** The uploads after a key and, within that key, after an upload. */
export function uploadsAfter(uploads: StoredUpload[], keyMarker: string, uploadIdMarker: string): StoredUpload[] {
  const at = uploads.findIndex((upload) => upload.key === keyMarker && upload.uploadId === uploadIdMarker);
  if (at >= 0) return uploads.slice(at + 1);
  return uploads.filter((upload) => byteOrder(upload.key, keyMarker) > 0);
}
