/**
 * One part that is written while it arrives, so that only a few pieces of it are in memory. For destinations that take
 * parts in pieces and return a checksum of what they wrote; the object becomes visible only after the parts were compared
 * with the source's checksum.
 * Tests: test/engine/transfer/parts-in-pieces.test.ts
 */
import { Crc64Stream, loadHashes } from '../../hash/index.js';
import { XsyncError } from '../../model/error.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { PartResult, UploadRef } from '../../store/port.js';
import type { Moving } from '../tune/flow.js';
import { reading } from './in-pieces.js';
import { type Means, mustBeWhole, progressOf } from './means.js';
import type { Attempt } from './race.js';
import { type BodyCheck, Relay } from './relay.js';
import { confirm, type PartHashes, type PartHashing } from './verify.js';

export interface PartToPass {
  upload: UploadRef;
  partNumber: number;
  offset: number;
  /** Bytes. */
  size: number;
  hashing: PartHashing;
}

/** Both stores can pass parts on, and the destination hashes what it writes. */
export function canPassPartsOn({ source, dest }: Means): boolean {
  const { hashesParts } = dest.capabilities;
  return source.readPieces !== undefined && dest.uploadPartPieces !== undefined && hashesParts === true;
}

/**
 * @param memory that of a pipe
 * @throws what the source and the destination throw, checksum-mismatch, source-changed
 */
export async function passPartOn(
  means: Means,
  ticket: CopyTicket,
  { upload, partNumber, offset, size, hashing }: PartToPass,
  { memory, attempt, moving }: { memory: Uint8Array; attempt: Attempt; moving: Moving },
): Promise<PartHashes & { etag: string }> {
  const { key, etag: ifMatch } = ticket.source;
  const { signal, pace } = attempt;
  const crc = hashing.crc64ecma ? new CrcOfBody() : undefined;
  if (crc) await loadHashes();
  const relay = new Relay({
    size,
    memory,
    signal,
    read: (sink, own) => reading(means.source)(key, sink, { offset, ifMatch, signal: own, pace }),
    begin: (info) => {
      mustBeWhole(ticket, info);
      return crc?.begin();
    },
  });
  try {
    const write = { signal, pace: progressOf(means, ticket.key, moving) };
    const answer = await writing(means, upload, partNumber, relay, write);
    await relay.end();
    const hashes = { md5: answer.checksums.md5, crc64ecma: crc?.sum };
    confirm(ticket.key, hashes, answer);
    return { etag: answer.etag, ...hashes };
  } catch (error) {
    throw relay.fault ? relay.fault.error : error;
  } finally {
    await relay.stop();
  }
}

function writing({ dest }: Means, ...call: Parameters<NonNullable<Means['dest']['uploadPartPieces']>>) {
  if (dest.uploadPartPieces) return dest.uploadPartPieces(...call) satisfies Promise<PartResult>;
  throw new XsyncError('internal', 'the store takes parts from memory only');
}

/** The CRC-64 of the body that was read last. */
class CrcOfBody {
  sum: string | undefined;

  /** For a body that is read from its first byte on. */
  begin(): BodyCheck {
    const stream = new Crc64Stream();
    return {
      update: (piece) => stream.update(piece),
      end: () => {
        this.sum = stream.digest();
      },
    };
  }
}
