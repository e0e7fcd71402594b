/**
 * How the source was cut when it was uploaded, which is what its composite ETag (`md5(md5s)-N`) is made of. Known for
 * certain where the store remembers it (S3: a HEAD of part 1), it makes the ETag a checksum of the whole; guessed, it
 * proves equality when it fits and nothing when it does not.
 */
import { md5, md5OfMd5s } from '../../hash/index.js';
import { XsyncError } from '../../model/error.js';
import { guessSourceCut, LARGEST_IMITATED } from '../plan/cut.js';
import type { PlanEntry } from '../plan/plan.js';
import type { TransferContext } from './context.js';

/**
 * The part size that the source was uploaded in; undefined when the store does not tell, or tells of parts of
 * different sizes. One HEAD, for objects with a composite ETag alone.
 */
export async function sourcePartSize(context: TransferContext, entry: PlanEntry): Promise<number | undefined> {
  if (entry.md5ofParts === undefined) return undefined;
  const { source, halt } = context;
  const pinned = { ifMatch: entry.sourceEtag, signal: halt.signal };
  const first = await source.firstPartSize(entry.sourceKey, pinned);
  return first && Math.ceil(entry.size / first) === partsOf(entry.md5ofParts) ? first : undefined;
}

/**
 * The entry cut as the source is, so that the MD5s of our parts are those in its ETag. As it was, where a person asked
 * for a part size, a checkpoint has one, or the source's parts do not suit.
 */
export function cutLikeSource(context: TransferContext, entry: PlanEntry, partSize: number | undefined): PlanEntry {
  if (partSize === undefined || entry.cutByPerson || context.checkpoints.upload(entry.key)) return entry;
  const { minPartSize, maxPartSize, maxParts } = context.dest.capabilities;
  const parts = Math.ceil(entry.size / partSize);
  const suits = partSize >= minPartSize && partSize <= Math.min(maxPartSize, LARGEST_IMITATED) && parts <= maxParts;
  return suits ? { ...entry, partSize, parts } : entry;
}

/**
 * Checks bytes in memory against the composite ETag of their source.
 * @returns false when the cut cannot be found out
 * @throws checksum-mismatch when it is known and the ETag disagrees
 */
export async function proveComposite(context: TransferContext, entry: PlanEntry, bytes: Uint8Array): Promise<boolean> {
  const { md5ofParts } = entry;
  if (md5ofParts === undefined) return false;
  const guess = guessSourceCut(entry.size, md5ofParts);
  if (guess !== undefined && compositeOf(bytes, guess) === md5ofParts) return true;
  const partSize = await sourcePartSize(context, entry);
  if (partSize === undefined) return false;
  const got = compositeOf(bytes, partSize);
  if (got === md5ofParts) return true;
  throw new XsyncError(
    'checksum-mismatch',
    `MD5 of parts of the source disagrees: expected ${md5ofParts}, got ${got}`,
    {
      subject: entry.key,
    },
  );
}

function partsOf(md5ofParts: string): number {
  return Number(md5ofParts.slice(md5ofParts.indexOf('-') + 1));
}

function compositeOf(bytes: Uint8Array, partSize: number): string {
  const md5s: string[] = [];
  for (let at = 0; at < bytes.byteLength; at += partSize) md5s.push(md5(bytes.subarray(at, at + partSize)));
  return md5OfMd5s(md5s);
}
