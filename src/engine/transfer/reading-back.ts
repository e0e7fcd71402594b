/**
 * Reads written bytes back where a destination returned an ETag that looks like an MD5 and is not that of the bytes.
 * Tests: test/engine/transfer/etag-hint.test.ts
 */
import { md5 } from '../../hash/index.js';
import { isXsyncError } from '../../model/error.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { Means } from './means.js';
import { mustAgree } from './verify.js';

/** The bytes at `offset` of the version with this ETag, and what they must hash to. */
interface Written {
  offset: number;
  etag: string;
  md5: string;
}

/**
 * Fills `into` with what the destination has now.
 * @returns false if reading is not allowed there
 * @throws checksum-mismatch
 */
export async function confirmByReading(
  { dest, halt, etags }: Means,
  { key, dest: { key: destKey } }: CopyTicket,
  written: Written,
  into: Uint8Array,
): Promise<boolean> {
  try {
    await dest.read(destKey, into, { offset: written.offset, ifMatch: written.etag, signal: halt.signal });
  } catch (error) {
    if (isXsyncError(error, 'access-denied')) return false;
    throw error;
  }
  mustAgree(key, 'destination', 'md5', written.md5, md5(into));
  etags.dest.disown();
  return true;
}
