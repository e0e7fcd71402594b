/**
 * One object in parts: read, hash, send, checkpoint, several at once.
 *
 * The first part read also returns the object's headers, with which the upload is created: this saves a HEAD. Each
 * acknowledged part is checkpointed before the next one takes its slot, so that after a kill only the parts in flight are
 * sent again. A part that is far slower than the others is raced: see `race.ts`.
 */
import type { PartRow } from '../../manifest/checkpoints.js';
import { XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { Copied } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { ObjectStore, PartEntry, PartResult, UploadRef } from '../../store/port.js';
import type { Lease } from '../flow/budget.js';
import { partRange } from '../plan/cut.js';
import type { Moving } from '../tune/flow.js';
import { complete, finishedEarlier } from './complete.js';
import { type Means, mustBeWhole, progressOf, Unfinished } from './means.js';
import { outgoing } from './outgoing.js';
import { type RaceResult, type Request, Siblings } from './race.js';
import { SourceProof, type Turn } from './source-proof.js';
import { type Resumed, resumeUpload, startUpload } from './uploads.js';
import { confirm, hashPartSoon, isSamePart, type PartHashes } from './verify.js';

/** A part's bytes, and the object's headers that came with them. */
interface Read {
  info: ObjectInfo;
  lease: Lease;
}

export async function transferParts(means: Means, ticket: CopyTicket): Promise<Copied> {
  const resumed = await resumeUpload(means, ticket);
  const done = resumed && !resumed.gone ? resumed.parts : [];
  const resumedBytes = done.reduce((sum, part) => sum + part.size, 0);
  means.observe({ type: 'begin', key: ticket.key, size: ticket.source.size, parts: ticket.cut.parts, resumedBytes });
  if (resumed?.gone) {
    const finished = await finishedEarlier(means, ticket, resumed.parts);
    if (finished) return finished;
    await means.checkpoints.endUpload(ticket.key);
  }
  const proof = new SourceProof(ticket, done.length > 0);
  const parts = new PartsInFlight(means, ticket, proof, resumed?.gone ? undefined : resumed, done);
  const proven = await parts.sendAll();
  const answer = await complete(means, ticket, await parts.upload(), parts.rows());
  await means.checkpoints.endUpload(ticket.key);
  const verifiedBy = parts.confirmed || answer.confirmed ? proven : 'size';
  return {
    kind: 'copied',
    destEtag: answer.etag,
    verifiedBy,
    parts: ticket.cut.parts,
    resumedParts: done.length + parts.spared.parts,
    resumedBytes: resumedBytes + parts.spared.bytes,
  };
}

class PartsInFlight {
  readonly #means: Means;
  readonly #ticket: CopyTicket;
  readonly #proof: SourceProof;
  readonly #done = new Map<number, PartRow>();
  readonly #arrived = new Map<number, PartEntry>();
  /** Parts not sent because they were found at the destination. */
  readonly spared = { parts: 0, bytes: 0 };
  readonly #reads = new Siblings();
  readonly #writes = new Siblings();
  /** Parts that are being read. */
  readonly #reading = new Set<number>();
  /** Parts whose bytes wait to be hashed after those before them. */
  #queued = 0;
  /** So far the ETag of every part is its MD5, so sending a part again yields the same ETag. */
  #md5Etags = true;
  #started: Promise<UploadRef> | undefined;
  #broken = false;
  #confirmed = true;

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
    if (resumed) this.#started = Promise.resolve(resumed.upload);
    for (const part of resumed?.arrived ?? []) this.#arrived.set(part.partNumber, part);
    for (const part of done) this.#done.set(part.partNumber, part);
  }

  /** Sends the missing parts. @throws the first error once all parts have ended; Unfinished when stopped */
  async sendAll() {
    const limit = this.#means.slots.ofObject();
    const missing = Array.from({ length: this.#ticket.cut.parts }, (_, i) => i + 1).filter((n) => !this.#done.has(n));
    const sent = missing.map((n) => limit(() => this.#sendUnlessBroken(n)));
    this.#means.opened?.();
    const outcomes = await Promise.allSettled(sent);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    if (this.#done.size < this.#ticket.cut.parts) throw new Unfinished();
    return this.#proof.prove(this.rows());
  }

  /** The destination checked every part or returned a checksum of it. */
  get confirmed(): boolean {
    return this.#confirmed;
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
    const { budget, halt, checkpoints, slots } = this.#means;
    const { key, cut, source } = this.#ticket;
    const range = partRange(partNumber, cut.partSize, source.size);
    // Taken in order of the parts, like the leases, so that a part never waits for one that has no memory yet.
    const turn = this.#proof.takeTurn();
    let lease: Lease | undefined;
    let moving: Moving | undefined;
    try {
      lease = await budget.lease(range.size);
      if (this.#broken || halt.stops('parts')) return;
      moving = slots.partFlow.begin(range.size);
      const read = await this.#read(partNumber, range.offset, lease, moving);
      if (read.lease !== lease) lease.release();
      lease = read.lease;
      moving.turn();
      mustBeWhole(this.#ticket, read.info);
      const upload = await this.#uploadFor(read.info);
      await this.#hashInOrder(turn, lease.bytes);
      const sent = await this.#write(upload, partNumber, lease.bytes, moving);
      const row = { partNumber, size: range.size, ...sent };
      await checkpoints.addPart(key, row);
      this.#done.set(partNumber, row);
      slots.races.add(range.size);
    } finally {
      turn.pass();
      moving?.end();
      lease?.release();
    }
  }

  async #hashInOrder(turn: Turn, bytes: Uint8Array): Promise<void> {
    this.#queued++;
    try {
      await turn.hash(bytes);
    } finally {
      this.#queued--;
    }
  }

  /** @returns the given lease, or that of a second request if that was faster */
  async #read(partNumber: number, offset: number, lease: Lease, moving: Moving): Promise<Read> {
    const { source, budget, halt, slots } = this.#means;
    const { key, etag } = this.#ticket.source;
    const into =
      (target: Lease): Request<Read> =>
      async (attempt) => {
        const info = await source.read(key, target.bytes, { offset, ifMatch: etag, ...attempt });
        return { info, lease: target };
      };
    const again = (): Request<Read> | undefined => {
      const holdsUp = this.#queued > 0 && partNumber === Math.min(...this.#reading);
      const spare = this.#mayRace(source, holdsUp) ? budget.tryLease(lease.bytes.byteLength) : undefined;
      return spare && orRelease(spare, into(spare));
    };
    this.#reading.add(partNumber);
    try {
      const result = await slots.races.run({
        size: lease.bytes.byteLength,
        siblings: this.#reads,
        signal: halt.signal,
        pace: moving.read,
        first: into(lease),
        second: again,
        drop: (late) => late.lease.release(),
      });
      return this.#reported(partNumber, result);
    } finally {
      this.#reading.delete(partNumber);
    }
  }

  async #write(
    upload: UploadRef,
    partNumber: number,
    bytes: Uint8Array,
    moving: Moving,
  ): Promise<PartHashes & { etag: string }> {
    const { dest } = this.#means;
    const hashes = await hashPartSoon(bytes, this.#proof.hashing(dest.capabilities));
    const there = this.#arrived.get(partNumber);
    const spared = there && isSamePart(there, bytes.byteLength, hashes);
    const etag = spared ? this.#spare(there) : await this.#upload(upload, partNumber, bytes, hashes, moving);
    return { etag, ...hashes };
  }

  /**
   * S3 and OSS replace a part that is sent twice. The aborted loser of a race may still arrive whole at any time. So only
   * parts whose ETag is their MD5 are raced: the loser then stores the same bytes under the same ETag, and the completion
   * finds the ETag that it names. After the completion the service rejects the loser.
   */
  async #upload(
    upload: UploadRef,
    partNumber: number,
    bytes: Uint8Array,
    hashes: PartHashes,
    moving: Moving,
  ): Promise<string> {
    const { dest, halt, slots } = this.#means;
    const { key } = this.#ticket;
    const contentMd5 = dest.capabilities.checksContentMd5 ? hashes.md5 : undefined;
    const send: Request<PartResult> = (attempt) =>
      dest.uploadPart(upload, partNumber, bytes, { contentMd5, ...attempt });
    const result = await slots.races.run({
      size: bytes.byteLength,
      siblings: this.#writes,
      signal: halt.signal,
      pace: progressOf(this.#means, key, moving),
      first: send,
      second: () => (this.#md5Etags && this.#mayRace(dest, false) ? send : undefined),
    });
    const answer = this.#reported(partNumber, result);
    if (answer.checksums.md5 !== answer.etag.toLowerCase()) this.#md5Etags = false;
    if (!confirm(key, hashes, answer) && contentMd5 === undefined) this.#confirmed = false;
    return answer.etag;
  }

  /** Racing is worth its bytes when the part holds up the object, or when no other part needs the line. */
  #mayRace(store: ObjectStore, holdsUp: boolean): boolean {
    const { halt, slots } = this.#means;
    if (store.capabilities.local || this.#broken || halt.stops('parts')) return false;
    const isLast = this.#done.size === this.#ticket.cut.parts - 1;
    return holdsUp || isLast || slots.spare > slots.races.running;
  }

  #reported<T>(part: number, { brought, race }: RaceResult<T>): T {
    const { key } = this.#ticket;
    if (race) this.#means.observe({ type: 'race', key, part, bytes: race.wasted, won: race.won });
    return brought;
  }

  /** The part had arrived and only its response was lost. */
  #spare({ size, etag }: PartEntry): string {
    this.spared.parts++;
    this.spared.bytes += size;
    this.#means.observe({ type: 'progress', key: this.#ticket.key, bytes: size });
    return etag;
  }

  #uploadFor(info: ObjectInfo): Promise<UploadRef> {
    this.#proof.learn(info.checksums);
    const options = outgoing(info, this.#means.dest, this.#ticket.storageClass);
    this.#started ??= startUpload(this.#means, this.#ticket, options);
    return this.#started;
  }
}

/** Releases the lease if the request fails. */
function orRelease<T>(lease: Lease, request: Request<T>): Request<T> {
  return async (attempt) => {
    try {
      return await request(attempt);
    } catch (error) {
      lease.release();
      throw error;
    }
  };
}
