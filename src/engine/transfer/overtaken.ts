/** A conditional write was refused: somebody else wrote the key, or an earlier attempt succeeded and its answer was lost. */
import { type Checksums, sameChecksum } from '../../model/checksum.js';
import { isXsyncError } from '../../model/error.js';
import { effectiveMtime, type ObjectInfo } from '../../model/object.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { WriteResult } from '../../store/port.js';
import { headIfThere } from '../decide/inspect.js';
import { type Means, Overtaken } from './means.js';

/**
 * @param sent the object as the source has it, with the checksums of the bytes that were sent
 * @returns what stands at the destination, if that is what was sent
 * @throws Overtaken; `error` if it is not the refusal of the ticket's condition
 */
export async function writtenAlready(
  means: Means,
  { dest }: CopyTicket,
  error: unknown,
  sent: Pick<ObjectInfo, 'size' | 'mtimeMs' | 'metadata'> & { checksums: Checksums },
): Promise<WriteResult> {
  if (dest.expects === undefined || !isRefusal(error)) throw error;
  const there = await headIfThere(means.dest, dest.key, means.halt.signal);
  if (!there || there.size !== sent.size) throw new Overtaken();
  const same = sameChecksum(sent.checksums, there.checksums);
  const isSent = typeof same === 'boolean' ? same : effectiveMtime(there) === effectiveMtime(sent);
  if (!isSent) throw new Overtaken();
  return { etag: there.etag, checksums: there.checksums };
}

/** A completion that names a wrong part has the same code, and the status 400. */
export function isRefusal(error: unknown): boolean {
  return isXsyncError(error, 'precondition-failed') && error.status !== 400;
}
