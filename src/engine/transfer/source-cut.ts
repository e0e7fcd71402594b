/**
 * How the source was cut into parts when it was uploaded: its composite ETag (`md5(md5s)-N`) depends on it. If the store
 * returns the part size (S3: a HEAD of part 1), the ETag serves as a checksum of the whole object. A guessed part size
 * proves equality if the ETag matches, and nothing if it does not.
 */
import { md5, md5OfMd5s } from '../../hash/index.js';
import { XsyncError } from '../../model/error.js';
import type { CopyTicket } from '../../model/ticket.js';
import { guessSourceCut } from '../plan/cut.js';
import { sourcePartSize } from '../plan/final.js';
import type { Means } from './means.js';

/**
 * Checks bytes in memory against the composite ETag of their source.
 * @returns false if the cut is unknown
 * @throws checksum-mismatch if it is known and the ETag disagrees
 */
export async function proveComposite(means: Means, ticket: CopyTicket, bytes: Uint8Array): Promise<boolean> {
  const { md5ofParts } = ticket.source;
  if (md5ofParts === undefined) return false;
  const guess = guessSourceCut(ticket.source.size, md5ofParts);
  if (guess !== undefined && compositeOf(bytes, guess) === md5ofParts) return true;
  const partSize = ticket.source.partSize ?? (await sourcePartSize(means.source, ticket.source, means.halt.signal));
  if (partSize === undefined) return false;
  const got = compositeOf(bytes, partSize);
  if (got === md5ofParts) return true;
  throw new XsyncError(
    'checksum-mismatch',
    `MD5 of parts of the source disagrees: expected ${md5ofParts}, got ${got}`,
    {
      subject: ticket.key,
    },
  );
}

function compositeOf(bytes: Uint8Array, partSize: number): string {
  const md5s: string[] = [];
  for (let at = 0; at < bytes.byteLength; at += partSize) md5s.push(md5(bytes.subarray(at, at + partSize)));
  return md5OfMd5s(md5s);
}
