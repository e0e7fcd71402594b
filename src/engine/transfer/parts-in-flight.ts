/**
 * The parts of one object: read, hash, send, checkpoint, several at once.
 *
 * The first part read also returns the object's headers, with which the upload is created: this saves a HEAD. Each
 * acknowledged part is checkpointed before the next one takes its slot, so that after a kill only the parts in flight are
 * sent again. A part that is far slower than the others is raced: see `race.ts`.
 * Tests: test/engine/transfer/resumed-proof.test.ts
 */
import type { PartRow } from '../../manifest/checkpoints.js';
import { XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { VerifiedBy } from '../../model/verified.js';
import type { ObjectStore, Pace, PartEntry, PartResult, PutAttributes, UploadRef } from '../../store/port.js';
import type { Carried } from '../fidelity/carry.js';
import type { Lease } from '../flow/budget.js';
import { partRange } from '../plan/cut.js';
import type { Moving } from '../tune/flow.js';
import { forUpload, writeWith } from './attribute-writes.js';
import { furthest, type Means, mustBeWhole, progressOf, type SendPart, Unfinished } from './means.js';
import { outgoing } from './outgoing.js';
import { NotTaken, passPartOn } from './part-in-pieces.js';
import { PartMemory, type PartMemoryLease } from './part-memory.js';
import { canReadPiecewise, PartReads, type PartToRead, type Read, reported } from './part-reads.js';
import { type Request, Siblings } from './race.js';
import { AGAIN_BYTES, canReadAgain, sendReadAgain } from './read-again.js';
import { confirmByReading } from './reading-back.js';
import type { SourceProof, Turn } from './source-proof.js';
import { type Span, spansOf } from './spans.js';
import { type Resumed, startUpload } from './uploads.js';
import { confirm, contradicts, hashPartSoon, hintAgrees, isSameBytes, isSamePart, type PartHashes } from './verify.js';

type Sent = PartHashes & { etag: string };

/** How a part's bytes on their way to the destination are counted. */
interface Writing {
  moving: Moving;
  /** Begins an attempt; see `furthest`. */
  attempt(): Pace;
}

export class PartsInFlight {
  readonly #means: Means;
  readonly #ticket: CopyTicket;
  #proof: SourceProof;
  readonly #done = new Map<number, PartRow>();
  readonly #arrived = new Map<number, PartEntry>();
  /** Parts not sent because an earlier run sent them. */
  readonly #spared = new Map<number, { size: number }>();
  /** Parts whose bytes were read again and were not those that had been sent. */
  #differed = 0;
  readonly #reads: PartReads;
  readonly #writes = new Siblings();
  /** Parts whose bytes wait to be hashed after those before them. */
  #queued = 0;
  /** So far the ETag of every part is its MD5, so sending a part again yields the same ETag. */
  #md5Etags = true;
  #started: Promise<UploadRef> | undefined;
  #carried: Carried | undefined;
  #info: ObjectInfo | undefined;
  #broken = false;
  readonly #memory: PartMemory;
  #confirmed = true;
  /** The first part whose ETag looks like an MD5 and is not that of the bytes. */
  #contradicted: PartRow | undefined;

  constructor(
    means: Means,
    ticket: CopyTicket,
    proof: SourceProof,
    resumed: Resumed | undefined,
    done: readonly PartRow[],
  ) {
    this.#means = means;
    this.#ticket = ticket;
    this.#proof = proof;
    this.#reads = new PartReads(means, ticket, (partNumber) => {
      return this.#mayRace(means.source, this.#queued > 0 && this.#reads.isOldest(partNumber));
    });
    this.#memory = new PartMemory(means, () => this.#started !== undefined && this.#proof.isOfParts);
    if (resumed) this.#started = Promise.resolve(resumed.upload);
    for (const part of resumed?.arrived ?? []) this.#arrived.set(part.partNumber, part);
    for (const part of done) {
      this.#done.set(part.partNumber, part);
      this.#spared.set(part.partNumber, part);
    }
  }

  /** The headers that came with a part; undefined if none was read. */
  get info(): ObjectInfo | undefined {
    return this.#info;
  }

  /** What the upload was started with; undefined for one of an earlier run. */
  get carried(): Carried | undefined {
    return this.#carried;
  }

  /**
   * Sends the missing parts. If the source's ETag promises nothing and differs, all parts are read again: it is no
   * checksum if the bytes are the same.
   * @throws the first error once all parts have ended; checksum-mismatch; Unfinished when stopped
   */
  async sendAll(): Promise<VerifiedBy> {
    const trust = this.#means.etags.source;
    await this.#beginFar();
    await this.#sendMissing();
    const first = this.#proof.prove(this.rows());
    if (first !== 'etag-differs' && first !== 'unknown') {
      if (this.#proof.isHint) trust.agree();
      return first;
    }
    if (first === 'etag-differs' && !trust.counts) return 'computed';
    this.#proof = await this.#proof.again();
    this.#differed = 0;
    await this.#sendMissing();
    const second = this.#proof.prove(this.rows());
    if (second !== 'etag-differs' && second !== 'unknown') {
      if (this.#proof.isHint) trust.agree();
      return second;
    }
    if (this.#differed > 0) {
      const message = `the source returned other bytes when it was read again (${this.#differed} of ${this.#ticket.cut.parts} parts)`;
      throw new XsyncError('checksum-mismatch', message, { subject: this.#ticket.key });
    }
    trust.disown();
    return 'computed';
  }

  /** Nobody who sends a part returns the object's headers. */
  async #beginFar(): Promise<void> {
    const info = this.#means.far?.info;
    if (!info) return;
    mustBeWhole(this.#ticket, info);
    this.#info = info;
    await this.#uploadFor(info);
  }

  async #sendMissing(): Promise<void> {
    const limit = this.#means.far?.limit ?? this.#means.slots.ofObject();
    const numbers = Array.from({ length: this.#ticket.cut.parts }, (_, i) => i + 1);
    const missing = numbers.filter((n) => {
      const row = this.#done.get(n);
      return !row || this.#proof.needs(row);
    });
    // A slot may help other parts first, and parts must begin in their order.
    const waiting = [...missing];
    const sendNext = async (): Promise<void> => {
      const next = waiting.shift();
      if (next !== undefined) await this.#sendUnlessBroken(next);
    };
    const done = missing.map(() => limit(sendNext));
    this.#means.opened?.();
    const outcomes = await Promise.allSettled(done);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    if (missing.length === 0) return;
    if (this.#means.halt.stops('parts')) throw new Unfinished();
    // What the first response says of the source can mean that more parts are needed.
    await this.#sendMissing();
  }

  /**
   * The destination checked every part or returned a checksum of it. If it returned an ETag that looks like an MD5 and
   * differs, one such part is read back.
   */
  async confirmedBy(etag: string): Promise<boolean> {
    const { budget, etags } = this.#means;
    const part = this.#contradicted;
    if (!part?.md5 || !etags.dest.counts) return this.#confirmed;
    const { offset, size } = partRange(part.partNumber, this.#ticket.cut.partSize, this.#ticket.source.size);
    const lease = await budget.lease(size);
    try {
      await confirmByReading(this.#means, this.#ticket, { offset, etag, md5: part.md5 }, lease.bytes);
      return this.#confirmed;
    } finally {
      lease.release();
    }
  }

  get resumed(): { resumedParts: number; resumedBytes: number } {
    return { resumedParts: this.#spared.size, resumedBytes: bytesOf(this.#spared.values()) };
  }

  rows(): PartRow[] {
    return [...this.#done.values()].sort((a, b) => a.partNumber - b.partNumber);
  }

  async upload(): Promise<UploadRef> {
    if (!this.#started) throw new XsyncError('internal', 'no part started the upload', { subject: this.#ticket.key });
    return this.#started;
  }

  async #sendUnlessBroken(partNumber: number): Promise<void> {
    if (this.#broken || this.#means.halt.stops('parts')) return;
    try {
      await this.#send(partNumber);
    } catch (error) {
      this.#broken = true;
      throw error;
    }
  }

  async #send(partNumber: number): Promise<void> {
    const { far } = this.#means;
    const isNew = !this.#done.has(partNumber) && !this.#arrived.has(partNumber);
    // What was sent before is compared with the bytes here.
    if (far && isNew && this.#proof.isOfParts) return this.#sendFar(partNumber, far.send);
    const { halt, slots } = this.#means;
    const { cut, source } = this.#ticket;
    const range = partRange(partNumber, cut.partSize, source.size);
    const part = { partNumber, ...range, spans: this.#spansFor(range.size) };
    // Taken in order of the parts, like the memory.
    const turn = this.#proof.takeTurn(partNumber);
    let taken: PartMemoryLease | undefined;
    let moving: Moving | undefined;
    try {
      taken = await this.#memory.take({ ...part, isNew }).finally(slots.partFlow.wait?.());
      if (this.#broken || halt.stops('parts')) return;
      moving = slots.partFlow.begin(range.size);
      const writing: Writing = { moving, attempt: furthest(progressOf(this.#means, this.#ticket.key, moving)) };
      let brought = taken.passedOn ? await this.#pass(part, taken.lease, writing) : undefined;
      if (!brought) {
        if (this.#broken || halt.stops('parts')) return;
        if (taken.passedOn) taken = await this.#memory.takeWhole(taken, range.size);
        brought = await this.#reads.hold(part, taken.lease, moving);
      } else if ('lease' in brought) {
        taken.lease.release();
        taken = { lease: brought.lease, passedOn: false };
      }
      const sent = 'lease' in brought ? await this.#sendHeld(part, brought, turn, writing) : brought;
      await this.#acknowledge({ partNumber, size: range.size, ...sent });
      slots.races.add(range.size);
    } finally {
      this.#memory.described();
      turn.pass();
      moving?.end();
      taken?.lease.release();
    }
  }

  /** @returns what was written, or the bytes if a second request for them was faster; undefined: it must be held */
  async #pass(part: PartToRead, lease: Lease, writing: Writing): Promise<Read | Sent | undefined> {
    const mayRace = !this.#memory.isForService;
    try {
      return await this.#reads.pass(part, writing.moving, this.#passing(part, lease, writing), mayRace);
    } catch (error) {
      if (!(error instanceof NotTaken)) throw error;
      const { code, message } = error.reason;
      // A bit may flip on any way.
      if (code !== 'checksum-mismatch') this.#means.refusals.set('unchecked-part', message);
      return undefined;
    }
  }

  async #acknowledge(row: PartRow): Promise<void> {
    const { checkpoints } = this.#means;
    const { key } = this.#ticket;
    await checkpoints.addPart(key, row);
    this.#done.set(row.partNumber, row);
    const hashed = this.#proof.acknowledge(row.partNumber);
    if (hashed) await checkpoints.noteHash(key, hashed);
  }

  async #sendFar(partNumber: number, send: SendPart): Promise<void> {
    const { dest, observe } = this.#means;
    const ticket = this.#ticket;
    const { uploadId } = await this.upload();
    const hashing = this.#proof.hashing(dest.capabilities);
    const { row, confirmed, contradicted } = await send({ ticket, uploadId, partNumber, hashing });
    if (contradicted) this.#contradicted ??= row;
    if (!confirmed) this.#confirmed = false;
    await this.#acknowledge(row);
    observe({ type: 'progress', key: ticket.key, bytes: row.size });
  }

  /** Undefined if one request should read the part. */
  #spansFor(size: number): Span[] | undefined {
    const { source, slots } = this.#means;
    const { readSize } = slots;
    if (readSize === undefined || readSize >= size || !canReadPiecewise(source)) return undefined;
    return spansOf(size, readSize);
  }

  async #sendHeld(part: PartToRead, { info, lease }: Read, turn: Turn, writing: Writing): Promise<Sent> {
    writing.moving.turn();
    mustBeWhole(this.#ticket, info);
    this.#info ??= info;
    const upload = await this.#uploadFor(info);
    await this.#hashInOrder(turn, lease.bytes);
    return this.#write(upload, part, lease, writing);
  }

  async #hashInOrder(turn: Turn, bytes: Uint8Array): Promise<void> {
    this.#queued++;
    try {
      await turn.hash(bytes);
    } finally {
      this.#queued--;
    }
  }

  #passing(
    { partNumber, offset, size }: PartToRead,
    { bytes: memory }: Lease,
    { moving, attempt: begin }: Writing,
  ): Request<Sent> {
    const hashing = this.#proof.hashing(this.#means.dest.capabilities);
    return async (attempt) => {
      const part = { upload: await this.upload(), partNumber, offset, size, hashing };
      return passPartOn(this.#means, this.#ticket, part, { memory, attempt, moving, wrote: begin() });
    };
  }

  async #write(upload: UploadRef, part: PartToRead, lease: Lease, writing: Writing): Promise<Sent> {
    const { dest } = this.#means;
    const { partNumber } = part;
    const { bytes } = lease;
    const known = this.#done.get(partNumber);
    const hashing = this.#proof.hashing(dest.capabilities);
    const there = this.#arrived.get(partNumber);
    const byStore = dest.capabilities.hashesParts && known === undefined && there === undefined;
    const hashes = await hashPartSoon(bytes, {
      md5: (hashing.md5 && !byStore) || known?.md5 !== undefined,
      crc64ecma: hashing.crc64ecma || known?.crc64ecma !== undefined,
    });
    if (known && isSameBytes(known, hashes)) return { ...hashes, etag: known.etag };
    if (known) this.#differed++;
    this.#spared.delete(partNumber);
    if (there && isSamePart(there, bytes.byteLength, hashes)) return { ...hashes, etag: this.#spare(there) };
    const { etag, checksums } = await this.#upload(upload, part, lease, hashes, writing);
    return { ...hashes, etag, md5: byStore ? checksums.md5 : hashes.md5 };
  }

  /**
   * S3 and OSS replace a part that is sent twice. The aborted loser of a race may still arrive whole at any time. So only
   * parts whose ETag is their MD5 are raced: the loser then stores the same bytes under the same ETag, and the completion
   * finds the ETag that it names. After the completion the service rejects the loser.
   */
  async #upload(
    upload: UploadRef,
    part: PartToRead,
    lease: Lease,
    hashes: PartHashes,
    writing: Writing,
  ): Promise<PartResult> {
    const { dest, budget, halt, slots } = this.#means;
    const { key } = this.#ticket;
    const { partNumber, size } = part;
    const contentMd5 = dest.capabilities.checksContentMd5 ? hashes.md5 : undefined;
    let send: Request<PartResult> = (attempt) =>
      dest.uploadPart(upload, partNumber, lease.bytes, { contentMd5, ...attempt });
    if (size > AGAIN_BYTES && budget.isShort && canReadAgain(this.#means)) {
      lease.release();
      send = (attempt) => sendReadAgain(this.#means, this.#ticket, { upload, ...part }, { contentMd5, ...attempt });
    }
    const result = await slots.races.run({
      size,
      siblings: this.#writes,
      signal: halt.signal,
      pace: writing.attempt(),
      first: send,
      second: () => (this.#md5Etags && this.#mayRace(dest, false) ? send : undefined),
    });
    const answer = reported(this.#means, this.#ticket, partNumber, result);
    if (!isMd5Etag(answer, hashes, dest)) this.#md5Etags = false;
    const confirmed = confirm(key, hashes, answer);
    if (hintAgrees(hashes, answer)) this.#means.etags.dest.agree();
    if (!confirmed && contradicts(hashes, answer)) this.#contradicted ??= rowOf(part, answer, hashes);
    const checked = contentMd5 !== undefined || dest.capabilities.hashesParts;
    if (!confirmed && !checked) this.#confirmed = false;
    return answer;
  }

  /** Racing is worth its bytes when the part holds up the object, or when no other part needs the line. */
  #mayRace(store: ObjectStore, holdsUp: boolean): boolean {
    const { halt, slots } = this.#means;
    if (store.capabilities.local || this.#broken || halt.stops('parts')) return false;
    const isLast = this.#done.size === this.#ticket.cut.parts - 1;
    return holdsUp || isLast || slots.spare > slots.races.running;
  }

  /** The part had arrived and only its response was lost. */
  #spare({ partNumber, size, etag }: PartEntry): string {
    this.#spared.set(partNumber, { size });
    this.#means.observe({ type: 'progress', key: this.#ticket.key, bytes: size });
    return etag;
  }

  async #uploadFor(info: ObjectInfo): Promise<UploadRef> {
    const { source, halt } = this.#means;
    const { source: from } = this.#ticket;
    await this.#proof.learn(info.checksums, async () => {
      if (source.capabilities.local) return {};
      const whole = await source.head(from.key, { signal: halt.signal });
      mustBeWhole(this.#ticket, whole);
      return whole.checksums;
    });
    this.#started ??= this.#start(info);
    this.#memory.described();
    return this.#started;
  }

  async #start(info: ObjectInfo): Promise<UploadRef> {
    const means = this.#means;
    const planned = forUpload(await outgoing(means, this.#ticket, info), means.dest.capabilities);
    const write = (put: PutAttributes) => startUpload(means, this.#ticket, put);
    const { answer, carried } = await writeWith(means, this.#ticket, planned, write);
    this.#carried = carried;
    return answer;
  }
}

function rowOf({ partNumber, size }: PartToRead, { etag }: PartResult, hashes: PartHashes): PartRow {
  return { partNumber, size, etag, ...hashes };
}

/** The ETag is the part's MD5, so that sending the part again stores the same ETag. */
function isMd5Etag({ etag, checksums }: PartResult, { md5 }: PartHashes, dest: ObjectStore): boolean {
  const promised = checksums.md5 ?? (dest.capabilities.partEtagIsMd5 ? checksums.etagHint : undefined);
  return (promised ?? md5) === etag.toLowerCase();
}

/** Sum of their sizes. */
export function bytesOf(parts: Iterable<{ size: number }>): number {
  return [...parts].reduce((sum, { size }) => sum + size, 0);
}
