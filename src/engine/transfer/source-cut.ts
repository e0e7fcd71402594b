/**
 * How the source was cut into parts when it was uploaded: its composite ETag (`md5(md5s)-N`) depends on it. If the store
 * returns the part size (S3: a HEAD of part 1), the ETag serves as a checksum of the whole object. A guessed part size
 * proves equality if the ETag matches, and nothing if it does not.
 */
import { md5, md5OfMd5s } from '../../hash/index.js';
import type { CopyTicket } from '../../model/ticket.js';
import { guessSourceCut } from '../plan/cut.js';
import { sourcePartSize } from '../plan/final.js';
import type { Means } from './means.js';
import { mustAgree } from './verify.js';

/**
 * Compares bytes in memory with the composite ETag of their source.
 * @param certain the store promises what the ETag is made of
 * @returns undefined if the cut is unknown
 * @throws checksum-mismatch if the cut is known and a certain ETag disagrees
 */
export async function proveComposite(
  means: Means,
  ticket: CopyTicket,
  bytes: Uint8Array,
  certain: boolean,
): Promise<'agrees' | 'differs' | undefined> {
  const { md5ofParts } = ticket.source;
  if (md5ofParts === undefined) return undefined;
  const guess = guessSourceCut(ticket.source.size, md5ofParts);
  if (guess !== undefined && compositeOf(bytes, guess) === md5ofParts) return 'agrees';
  const partSize = ticket.source.partSize ?? (await sourcePartSize(means.source, ticket.source, means.halt.signal));
  if (partSize === undefined) return undefined;
  const got = compositeOf(bytes, partSize);
  if (certain) mustAgree(ticket.key, 'source', 'md5ofParts', md5ofParts, got);
  return got === md5ofParts ? 'agrees' : 'differs';
}

function compositeOf(bytes: Uint8Array, partSize: number): string {
  const md5s: string[] = [];
  for (let at = 0; at < bytes.byteLength; at += partSize) md5s.push(md5(bytes.subarray(at, at + partSize)));
  return md5OfMd5s(md5s);
}
