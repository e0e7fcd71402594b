/**
 * One part that is written while it arrives, so that only a few pieces of it are in memory. For destinations that take
 * parts in pieces and return a checksum of what they wrote; the object becomes visible only after the parts were compared
 * with the source's checksum. A service may want to know that checksum beforehand, and has to be sent the part from its
 * start if the connection breaks, which costs a second read of the source: it gets parts in this way while memory is short.
 * Tests: test/engine/transfer/parts-in-pieces.test.ts
 */
import { Crc64Stream, loadHashes, Md5Stream } from '../../hash/index.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { Pace, PartResult, UploadRef } from '../../store/port.js';
import type { Moving } from '../tune/flow.js';
import { reading } from './in-pieces.js';
import { type Means, mustBeWhole } from './means.js';
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

/** Both stores can pass parts on, and the answer shows whether the bytes are those that were read. */
export function canPassPartsOn({ source, dest, unverified }: Pick<Means, 'source' | 'dest' | 'unverified'>): boolean {
  const { hashesParts, partEtagIsMd5 } = dest.capabilities;
  const shown = hashesParts || (!unverified && partEtagIsMd5);
  return source.readPieces !== undefined && dest.uploadPartPieces !== undefined && shown === true;
}

/** The destination refused a part that came without its checksum, or has other bytes. It may take the part from memory. */
export class NotTaken extends Error {
  readonly reason: XsyncError;

  constructor(reason: XsyncError) {
    super(reason.message);
    this.reason = reason;
  }
}

/**
 * @param memory that of a pipe
 * @param wrote hears the bytes that the destination takes
 * @throws NotTaken; what the source and the destination throw, checksum-mismatch, source-changed
 */
export async function passPartOn(
  means: Means,
  ticket: CopyTicket,
  { upload, partNumber, offset, size, hashing }: PartToPass,
  { memory, attempt, moving, wrote }: { memory: Uint8Array; attempt: Attempt; moving: Moving; wrote: Pace },
): Promise<PartHashes & { etag: string }> {
  const { key, etag: ifMatch } = ticket.source;
  const { signal, pace } = attempt;
  const byStore = means.dest.capabilities.hashesParts === true;
  const sums = new SumsOfBody({ md5: hashing.md5 && !byStore, crc64ecma: hashing.crc64ecma });
  if (hashing.crc64ecma) await loadHashes();
  // Of a slow source no parts are passed on to a service: see `PartsInFlight`.
  if (!byStore) moving.turn();
  const relay = new Relay({
    size,
    memory,
    signal,
    read: (sink, own) => reading(means.source)(key, sink, { offset, ifMatch, signal: own, pace }),
    begin: (info) => {
      mustBeWhole(ticket, info);
      return sums.begin();
    },
  });
  try {
    const answer = await writing(means, upload, partNumber, relay, { signal, pace: wrote });
    await relay.end();
    const hashes = byStore ? { ...sums.sums, md5: answer.checksums.md5 } : sums.sums;
    const confirmed = confirm(ticket.key, hashes, answer);
    if (!confirmed && !byStore) {
      throw new XsyncError('unsupported', 'the destination returned no checksum of a part', {
        subject: ticket.key,
      });
    }
    return { etag: answer.etag, ...hashes };
  } catch (error) {
    if (relay.fault) throw relay.fault.error;
    throw !byStore && isXsyncError(error) && isRefusal(error) ? new NotTaken(error) : error;
  } finally {
    await relay.stop();
  }
}

function isRefusal({ code, class: kind }: XsyncError): boolean {
  return code === 'checksum-mismatch' || (kind !== 'temporary' && code !== 'aborted');
}

function writing({ dest }: Means, ...call: Parameters<NonNullable<Means['dest']['uploadPartPieces']>>) {
  if (dest.uploadPartPieces) return dest.uploadPartPieces(...call) satisfies Promise<PartResult>;
  throw new XsyncError('internal', 'the store takes parts from memory only');
}

/** The checksums of the body that was read last. */
class SumsOfBody {
  sums: PartHashes = {};
  readonly #hashing: PartHashing;

  constructor(hashing: PartHashing) {
    this.#hashing = hashing;
  }

  /** For a body that is read from its first byte on; undefined: it needs none. */
  begin(): BodyCheck | undefined {
    const md5 = this.#hashing.md5 ? new Md5Stream() : undefined;
    const crc = this.#hashing.crc64ecma ? new Crc64Stream() : undefined;
    if (!md5 && !crc) return undefined;
    return {
      update: (piece) => {
        md5?.update(piece);
        crc?.update(piece);
      },
      end: () => {
        this.sums = { md5: md5?.digest(), crc64ecma: crc?.digest() };
      },
    };
  }
}
