/**
 * Reads written bytes back where a destination returned an ETag that looks like an MD5 and is not that of the bytes.
 * Tests: test/engine/transfer/etag-hint.test.ts
 */
import { Md5Stream, md5 } from '../../hash/index.js';
import { isXsyncError } from '../../model/error.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { PieceSink } from '../../store/port.js';
import type { Means } from './means.js';
import { mustAgree } from './verify.js';

/** The bytes at `offset` of the version with this ETag, and what they must hash to. */
interface Written {
  offset: number;
  etag: string;
  md5: string;
}

/** What was written stands there, and cannot be read: the credentials only write, or the storage class is archived. */
const UNREADABLE = ['access-denied', 'object-archived', 'object-restoring'] as const;

/** Hashes what is read, and keeps nothing of it. */
export class Md5Sink implements PieceSink {
  readonly byteLength: number;
  taken = 0;
  readonly #sum = new Md5Stream();

  constructor(size: number) {
    this.byteLength = size;
  }

  begin(): void {}

  take(piece: Uint8Array): undefined {
    this.taken += piece.byteLength;
    this.#sum.update(piece);
  }

  digest(): string {
    return this.#sum.digest();
  }
}

/**
 * Reads what the destination has now.
 * @param into memory for it, where the store reads into memory only
 * @returns false if reading is not allowed there, or not before a restore
 * @throws checksum-mismatch
 */
export async function confirmByReading(
  { dest, halt, etags }: Means,
  { key, dest: { key: destKey } }: CopyTicket,
  written: Written,
  into: Uint8Array | Md5Sink,
): Promise<boolean> {
  const how = { offset: written.offset, ifMatch: written.etag, signal: halt.signal };
  try {
    if (into instanceof Uint8Array) await dest.read(destKey, into, how);
    else if (dest.readPieces) await dest.readPieces(destKey, into, how);
    else return false;
  } catch (error) {
    if (isXsyncError(error, ...UNREADABLE)) return false;
    throw error;
  }
  mustAgree(key, 'destination', 'md5', written.md5, into instanceof Uint8Array ? md5(into) : into.digest());
  etags.dest.disown();
  return true;
}
