/**
 * The body of a part that was read and hashed, and is read a second time while it is sent. Hundreds of slow connections
 * then need a piece of memory each, and not a part. Only for files on this host, where a read costs next to nothing.
 *
 * The second read is pinned to the version of the first. Should the bytes be others all the same, the destination refuses
 * them (Content-MD5), or its CRC-64 differs from that of the first read. A destination with neither gets held parts.
 * Tests: test/engine/transfer/read-again.test.ts
 */
import { XsyncError } from '../../model/error.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { ObjectStore, PartOptions, PartResult, PieceSource, Pieces, UploadRef } from '../../store/port.js';
import type { Means } from './means.js';

/** Bytes of memory that such a part needs while it is sent. */
export const AGAIN_BYTES = 256 * 1024;

/** Parts can be read again for nothing, and sent in pieces to a service that shows if they are not what was hashed. */
export function canReadAgain({ source, dest, unverified }: Pick<Means, 'source' | 'dest' | 'unverified'>): boolean {
  const { local, checksContentMd5, answersCrc64ecma } = dest.capabilities;
  const shown = !unverified && !local && (checksContentMd5 || answersCrc64ecma);
  return shown && source.capabilities.readsAgain === true && dest.uploadPartPieces !== undefined;
}

/** A part of an upload, and its place in the source. */
interface PartOfUpload {
  upload: UploadRef;
  partNumber: number;
  offset: number;
  /** Bytes. */
  size: number;
}

/** @throws what the destination throws, and what the second read throws */
export async function sendReadAgain(
  { source, dest, budget }: Means,
  ticket: CopyTicket,
  part: PartOfUpload,
  options: PartOptions,
): Promise<PartResult> {
  if (!dest.uploadPartPieces) throw new XsyncError('internal', 'the store takes parts from memory only');
  const lease = await budget.lease(AGAIN_BYTES);
  const body = new ReadAgain(source, ticket, part, lease.bytes);
  try {
    return await dest.uploadPartPieces(part.upload, part.partNumber, body, options);
  } catch (error) {
    throw body.fault ? body.fault.error : error;
  } finally {
    await body.stop();
    lease.release();
  }
}

/** The bytes of a part, as often as they are asked for. Only the attempt that was opened last reads. */
class ReadAgain implements PieceSource {
  readonly byteLength: number;
  readonly #source: ObjectStore;
  readonly #ticket: CopyTicket;
  readonly #offset: number;
  readonly #memory: Uint8Array;
  #attempt = new AbortController();
  /** Resolves when nobody writes into the memory. */
  #idle: Promise<unknown> = Promise.resolve();
  #fault: { error: unknown } | undefined;

  /** @param memory for one piece, in use until `stop` resolves */
  constructor(
    source: ObjectStore,
    ticket: CopyTicket,
    { offset, size }: { offset: number; size: number },
    memory: Uint8Array,
  ) {
    this.#source = source;
    this.#ticket = ticket;
    this.#offset = offset;
    this.byteLength = size;
    this.#memory = memory;
  }

  /** Why the bytes did not all come, if that is so; a request that fails for this reason says `aborted`. */
  get fault(): { error: unknown } | undefined {
    return this.#fault;
  }

  open(): Pieces {
    this.#attempt.abort();
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#fault = undefined;
    const before = this.#idle;
    let at = 0;
    const read = async (): Promise<Uint8Array> => {
      await before;
      const piece = this.#memory.subarray(0, this.byteLength - at);
      await this.#read(piece, at, attempt);
      at += piece.byteLength;
      return piece;
    };
    const next = (): Promise<Uint8Array> => {
      const reading = read();
      this.#idle = reading.catch(() => undefined);
      return reading;
    };
    return { next };
  }

  /** Resolves when the memory is no longer used: a request that failed does not wait for the piece that it wanted. */
  async stop(): Promise<void> {
    this.#attempt.abort();
    await this.#idle;
  }

  async #read(piece: Uint8Array, at: number, attempt: AbortController): Promise<void> {
    const { key, etag } = this.#ticket.source;
    const { signal } = attempt;
    try {
      if (signal.aborted) throw new XsyncError('aborted', 'the reading was stopped');
      await this.#source.read(key, piece, { offset: this.#offset + at, ifMatch: etag, signal });
    } catch (error) {
      if (this.#attempt === attempt && !signal.aborted) this.#fault = { error };
      // Not the source's own error: the writing store would take it for an answer of its service.
      throw new XsyncError('aborted', 'the source could not be read to its end', { cause: error });
    }
  }
}
