/**
 * An object in one request whose body is sent while it arrives. Only for objects whose MD5 is known before their first
 * byte, from their source: it goes ahead as Content-MD5, and the destination refuses other bytes, so that no wrong or torn
 * body replaces an object. All other bodies are held in memory until they are proved (`transfer.ts`).
 * Tests: test/engine/transfer/in-pieces.test.ts
 */
import { Md5Stream } from '../../hash/index.js';
import type { Checksums } from '../../model/checksum.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { Copied } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { ObjectStore, PutAttributes, WriteResult } from '../../store/port.js';
import type { Lease } from '../flow/budget.js';
import type { Moving } from '../tune/flow.js';
import { mayRefuse, writeLater } from './attribute-writes.js';
import { type Means, mustBeWhole, observeBegin, progressOf, Unfinished } from './means.js';
import { onceOf, outgoing } from './outgoing.js';
import { writtenAlready } from './overtaken.js';
import { leasePipe } from './pipe.js';
import { confirmByReading, Md5Sink } from './reading-back.js';
import { type BodyCheck, Relay } from './relay.js';
import { confirm, contentOf, contradicts, hintAgrees, mustAgree } from './verify.js';

/** An object whose bytes have to be held. */
export interface Held {
  info: ObjectInfo;
  lease: Lease;
}

/** Both stores can pass this body on, and its checksums count. */
export function canPassOn({ source, dest, unverified }: Means): boolean {
  return source.readPieces !== undefined && dest.putPieces !== undefined && !unverified;
}

/**
 * @returns the object in memory, if its MD5 is unknown; `again` if it has to be read again, because the memory is full, its
 *   source does not describe it, or what looked like its MD5 is none
 * @throws as `transfer`
 */
export async function passOn(means: Means, ticket: CopyTicket, moving: Moving): Promise<Copied | Held | 'again'> {
  const { budget, halt } = means;
  const ring = await leasePipe(budget);
  const relay = relayOf(means, ticket, ring.bytes, moving);
  try {
    if (halt.stops('parts')) throw new Unfinished();
    observeBegin(means, ticket);
    const info = await relay.begin().catch(unlessUndescribed);
    if (info === undefined) return 'again';
    const md5 = md5Of(means, info.checksums);
    if (md5 === undefined) return await hold(means, relay, info);
    moving.turn();
    return await write(means, ticket, { relay, info, md5, moving });
  } catch (error) {
    throw relay.fault ? relay.fault.error : error;
  } finally {
    await relay.stop();
    ring.release();
  }
}

function unlessUndescribed(error: unknown): undefined {
  if (!isXsyncError(error, 'unsupported')) throw error;
}

/** The MD5 of the source's bytes, if it is known and the destination checks it. */
function md5Of({ dest, etags }: Means, { md5, etagHint: hint }: Checksums): string | undefined {
  if (!dest.capabilities.checksContentMd5) return undefined;
  return md5 ?? (hint?.includes('-') === false && etags.source.holds ? hint : undefined);
}

function relayOf(means: Means, ticket: CopyTicket, memory: Uint8Array, moving: Moving): Relay {
  const { source, dest, etags, halt } = means;
  const { key, etag, size } = ticket.source;
  // A destination that returns the MD5 of what it wrote shows whether it obeys Content-MD5. Others might ignore it.
  const trusted = dest.capabilities.partEtagIsMd5 || dest.capabilities.local || etags.dest.holds;
  return new Relay({
    size,
    memory,
    signal: halt.signal,
    read: (sink, signal) => reading(source)(key, sink, { ifMatch: etag, signal, pace: moving.read }),
    begin: (info) => {
      mustBeWhole(ticket, info);
      const md5 = trusted ? undefined : md5Of(means, info.checksums);
      return md5 === undefined ? undefined : new Md5Check(ticket.key, md5);
    },
  });
}

/** @throws internal: the engine did not look whether the store can */
export function reading(store: ObjectStore): NonNullable<ObjectStore['readPieces']> {
  if (store.readPieces) return store.readPieces;
  throw new XsyncError('internal', 'the store reads into memory only');
}

/** Compares before the last bytes go on. */
class Md5Check implements BodyCheck {
  readonly #key: string;
  readonly #expected: string;
  readonly #sum = new Md5Stream();

  constructor(key: string, expected: string) {
    this.#key = key;
    this.#expected = expected;
  }

  update(piece: Uint8Array): void {
    this.#sum.update(piece);
  }

  end(): void {
    mustAgree(this.#key, 'source', 'md5', this.#expected, this.#sum.digest());
  }
}

/** @returns `again` if the memory is full: whoever waits for more while it holds some might wait for itself */
async function hold({ budget }: Means, relay: Relay, info: ObjectInfo): Promise<Held | 'again'> {
  const lease = budget.tryLease(info.size);
  if (!lease) return 'again';
  try {
    const pieces = relay.open();
    for (let at = 0; at < info.size; ) {
      const piece = await pieces.next();
      lease.bytes.set(piece, at);
      at += piece.byteLength;
    }
    await relay.end();
    return { info, lease };
  } catch (error) {
    lease.release();
    throw error;
  }
}

/** What is written, and what is known of it. */
interface Passing {
  relay: Relay;
  info: ObjectInfo;
  md5: string;
  moving: Moving;
}

async function write(means: Means, ticket: CopyTicket, passing: Passing): Promise<Copied | 'again'> {
  const { etags } = means;
  const { key } = ticket;
  const { info, md5 } = passing;
  const sums: Checksums = { md5, crc64ecma: info.checksums.crc64ecma };
  const carried = await outgoing(means, ticket, info);
  let answer: WriteResult;
  try {
    answer = await put(means, ticket, passing, { put: carried.put, checksums: sums });
  } catch (error) {
    const fault = passing.relay.fault?.error ?? error;
    // The ETag of the source is not its MD5 after all.
    if (info.checksums.md5 === undefined && isXsyncError(fault, 'checksum-mismatch')) return 'again';
    // Whoever has the bytes in memory finds out what is refused.
    if (mayRefuse(carried, fault)) return 'again';
    throw error;
  }
  if (hintAgrees(sums, answer)) etags.dest.agree();
  if (!confirm(key, sums, answer)) await confirmElse(means, ticket, sums, answer);
  const content = contentOf(means, sums);
  const { fidelity } = await writeLater(means, ticket, carried);
  const whole = { parts: 1, resumedParts: 0, resumedBytes: 0 };
  const written = { destEtag: answer.etag, destVersion: answer.versionId };
  return { kind: 'copied', ...written, verifiedBy: 'md5', ...whole, content, fidelity };
}

function put(
  means: Means,
  ticket: CopyTicket,
  { relay, info, md5, moving }: Passing,
  { put: attributes, checksums }: { put: PutAttributes; checksums: Checksums },
): Promise<WriteResult> {
  const { dest, halt } = means;
  const options = {
    ...attributes,
    ...onceOf(ticket),
    replaces: ticket.dest.expects,
    contentMd5: md5,
    signal: halt.signal,
    pace: progressOf(means, ticket.key, moving),
  };
  if (!dest.putPieces) throw new XsyncError('internal', 'the store writes from memory only');
  return dest
    .putPieces(ticket.dest.key, relay, options)
    .catch((error: unknown) => writtenAlready(means, ticket, error, { ...info, checksums }));
}

/**
 * The answer has none of the checksums. The destination has checked Content-MD5, but not every store obeys it, so the
 * source is read once more unless its bytes were compared on their way.
 * @throws checksum-mismatch
 */
async function confirmElse(means: Means, ticket: CopyTicket, sums: Checksums, answer: WriteResult): Promise<void> {
  const { source, dest, etags, halt } = means;
  const { md5 = '' } = sums;
  const { size } = ticket.source;
  if (dest.capabilities.partEtagIsMd5 || etags.dest.holds) {
    const sink = new Md5Sink(size);
    await reading(source)(ticket.source.key, sink, { ifMatch: ticket.source.etag, signal: halt.signal });
    mustAgree(ticket.key, 'source', 'md5', md5, sink.digest());
  }
  if (!contradicts(sums, answer) || !etags.dest.counts) return;
  await confirmByReading(means, ticket, { offset: 0, etag: answer.etag, md5 }, new Md5Sink(size));
}
