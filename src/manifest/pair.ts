/** Names a pair of places in file names and messages. Tests: test/manifest/sqlite/open.test.ts */
import { md5 } from '../hash/index.js';
import type { PairIdentity, PlaceIdentity } from './port.js';

/**
 * A file name (without extension) unique to this pair: both bucket names, shortened, for people, and 64 bits of a hash
 * over every field. Contains only `A-Z a-z 0-9 . _ -`.
 */
export function pairId(pair: PairIdentity): string {
  const fields = JSON.stringify([fieldsOf(pair.source), fieldsOf(pair.dest)]);
  const hash = md5(Buffer.from(fields, 'utf8')).slice(0, 16);
  return `${shortName(pair.source)}-${shortName(pair.dest)}-${hash}`;
}

export function samePair(a: PairIdentity, b: PairIdentity): boolean {
  return pairId(a) === pairId(b);
}

/** For messages: `s3 https://s3.us-east-1.amazonaws.com/bucket/prefix -> …`. */
export function describePair(pair: PairIdentity): string {
  return `${describePlace(pair.source)} -> ${describePlace(pair.dest)}`;
}

/** Like `describePair`, for one side. */
export function describePlace({ kind, endpoint, bucket, prefix }: PlaceIdentity): string {
  const path = bucket.startsWith('/') ? bucket : `/${bucket}`;
  return `${kind} ${endpoint}${path}${prefix === '' ? '' : `/${prefix}`}`;
}

function fieldsOf({ kind, endpoint, bucket, prefix }: PlaceIdentity): string[] {
  return [kind, endpoint, bucket, prefix];
}

/** The bucket, or the last folder of a local root, in characters that every file system allows. */
function shortName({ bucket }: PlaceIdentity): string {
  const last = bucket.split(/[\\/]/).findLast((part) => part !== '') ?? 'root';
  return last.replace(/[^A-Za-z0-9.-]/g, '_').slice(0, 24);
}
