/**
 * One object in parts: read, hash, send, checkpoint, several at once, each part exactly once.
 *
 * The first part that arrives brings the object's headers, and with them the upload is started: no HEAD is spent.
 * Every acknowledged part is checkpointed before the next is begun in its place, so that a killed run sends again
 * only what was in flight. The last step, Complete, is the one call that cannot be repeated blindly: after a lost
 * answer the destination is asked what it holds.
 */
import type { PartRow } from '../manifest/port.js';
import type { Checksums } from '../model/checksum.js';
import { isXsyncError, toXsyncError, XsyncError } from '../model/error.js';
import type { ObjectInfo } from '../model/object.js';
import type { PartEntry, UploadRef } from '../store/port.js';
import { backoffMs } from '../store/wrap/backoff.js';
import { sleep } from '../store/wrap/time.js';
import type { Lease } from './budget.js';
import { mustBeWhole, progressOf, type TransferContext, type TransferResult, Unfinished } from './context.js';
import { outgoing } from './outgoing.js';
import { partRange } from './parts.js';
import type { PlanEntry } from './plan.js';
import { cutLikeSource, sourcePartSize } from './source-cut.js';
import { SourceProof } from './source-proof.js';
import type { Moving } from './tune-flow.js';
import { type Resumed, resumeUpload, startUpload } from './uploads.js';
import { confirm, hashPart, isSamePart, type PartHashes, wholeOf } from './verify.js';

/** @param planned cut as its checkpoint is, if it has one */
export async function transferParts(context: TransferContext, planned: PlanEntry): Promise<TransferResult> {
  const sourceCut = await sourcePartSize(context, planned);
  const entry = cutLikeSource(context, planned, sourceCut);
  const resumed = await resumeUpload(context, entry);
  const done = resumed && !resumed.gone ? resumed.parts : [];
  const resumedBytes = done.reduce((sum, part) => sum + part.size, 0);
  context.emit({ type: 'begin', key: entry.key, size: entry.size, parts: entry.parts, resumedBytes });
  if (resumed?.gone) {
    const finished = await finishedEarlier(context, entry, resumed.parts);
    if (finished) return finished;
    context.checkpoints.endUpload(entry.key);
  }
  const proof = new SourceProof(entry, { sourcePartSize: sourceCut, resumed: done.length > 0 });
  const parts = new PartsInFlight(context, entry, proof, resumed?.gone ? undefined : resumed, done);
  const proven = await parts.sendAll();
  const answer = await complete(context, entry, await parts.upload(), parts.rows());
  context.checkpoints.endUpload(entry.key);
  const verifiedBy = parts.confirmed || answer.confirmed ? proven : 'size';
  return {
    destEtag: answer.etag,
    verifiedBy,
    parts: entry.parts,
    resumedParts: done.length + parts.spared.parts,
    resumedBytes: resumedBytes + parts.spared.bytes,
  };
}

class PartsInFlight {
  readonly #context: TransferContext;
  readonly #entry: PlanEntry;
  readonly #proof: SourceProof;
  readonly #done = new Map<number, PartRow>();
  readonly #arrived = new Map<number, PartEntry>();
  /** Found at the destination as they were to be sent. */
  readonly spared = { parts: 0, bytes: 0 };
  #started: Promise<UploadRef> | undefined;
  #broken = false;
  #confirmed = true;

  constructor(
    context: TransferContext,
    entry: PlanEntry,
    proof: SourceProof,
    resumed: Resumed | undefined,
    done: readonly PartRow[],
  ) {
    this.#context = context;
    this.#entry = entry;
    this.#proof = proof;
    if (resumed) this.#started = Promise.resolve(resumed.upload);
    for (const part of resumed?.arrived ?? []) this.#arrived.set(part.partNumber, part);
    for (const part of done) this.#done.set(part.partNumber, part);
  }

  /** Sends what is missing. @throws the first part's error after the others came to rest; Unfinished when stopped */
  async sendAll() {
    const limit = this.#context.slots.ofObject();
    const missing = Array.from({ length: this.#entry.parts }, (_, i) => i + 1).filter((n) => !this.#done.has(n));
    const sent = missing.map((n) => limit(() => this.#sendUnlessBroken(n)));
    this.#context.opened?.();
    const outcomes = await Promise.allSettled(sent);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    if (this.#done.size < this.#entry.parts) throw new Unfinished();
    return this.#proof.prove(this.rows());
  }

  /** The destination checked every part or told a checksum of it. */
  get confirmed(): boolean {
    return this.#confirmed;
  }

  rows(): PartRow[] {
    return [...this.#done.values()].sort((a, b) => a.partNumber - b.partNumber);
  }

  async upload(): Promise<UploadRef> {
    if (!this.#started) throw new XsyncError('internal', 'no part started the upload', { subject: this.#entry.key });
    return this.#started;
  }

  async #sendUnlessBroken(partNumber: number): Promise<void> {
    if (this.#broken || this.#context.halt.stops('parts')) return;
    try {
      await this.#send(partNumber);
    } catch (error) {
      this.#broken = true;
      throw error;
    }
  }

  async #send(partNumber: number): Promise<void> {
    const { source, dest, budget, halt, checkpoints, slots } = this.#context;
    const { key, sourceKey, sourceEtag, partSize, size } = this.#entry;
    const range = partRange(partNumber, partSize, size);
    // Taken in order of the parts, as the leases are, so that a part never waits for one that has no memory yet.
    const turn = this.#proof.takeTurn();
    let lease: Lease | undefined;
    let moving: Moving | undefined;
    try {
      lease = await budget.lease(range.size);
      if (this.#broken || halt.stops('parts')) return;
      moving = slots.partFlow.begin();
      const info = await source.read(sourceKey, lease.bytes, {
        offset: range.offset,
        ifMatch: sourceEtag,
        signal: halt.signal,
        pace: moving.read,
      });
      moving.turn();
      mustBeWhole(this.#entry, info);
      const upload = await this.#uploadFor(info);
      await turn.hash(lease.bytes);
      const hashes = hashPart(lease.bytes, this.#proof.hashing(dest.capabilities));
      const there = this.#arrived.get(partNumber);
      const etag =
        there && isSamePart(there, range.size, hashes)
          ? this.#spare(there)
          : await this.#upload(upload, partNumber, lease.bytes, hashes, moving);
      const row = { partNumber, size: range.size, etag, ...hashes };
      checkpoints.addPart(key, row);
      this.#done.set(partNumber, row);
    } finally {
      turn.pass();
      moving?.end();
      lease?.release();
    }
  }

  async #upload(
    upload: UploadRef,
    partNumber: number,
    bytes: Uint8Array,
    hashes: PartHashes,
    moving: Moving,
  ): Promise<string> {
    const { dest, halt } = this.#context;
    const { key } = this.#entry;
    const contentMd5 = dest.capabilities.checksContentMd5 ? hashes.md5 : undefined;
    const answer = await dest.uploadPart(upload, partNumber, bytes, {
      contentMd5,
      signal: halt.signal,
      pace: progressOf(this.#context, key, moving),
    });
    if (!confirm(key, hashes, answer) && contentMd5 === undefined) this.#confirmed = false;
    return answer.etag;
  }

  /** It had arrived, only its answer was lost. */
  #spare({ size, etag }: PartEntry): string {
    this.spared.parts++;
    this.spared.bytes += size;
    this.#context.emit({ type: 'progress', key: this.#entry.key, bytes: size });
    return etag;
  }

  #uploadFor(info: ObjectInfo): Promise<UploadRef> {
    this.#proof.learn(info.checksums);
    const { dest, storageClass } = this.#context;
    this.#started ??= startUpload(this.#context, this.#entry, outgoing(info, dest, storageClass));
    return this.#started;
  }
}

/** Complete, or find out that it was done. @throws upload-not-found (temporary) when the upload is lost */
async function complete(
  context: TransferContext,
  entry: PlanEntry,
  upload: UploadRef,
  rows: readonly PartRow[],
): Promise<{ etag: string; confirmed: boolean }> {
  const { dest, halt } = context;
  const whole = wholeOf(rows);
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await dest.completeUpload(upload, rows, { signal: halt.signal });
      return { etag: answer.etag, confirmed: confirm(entry.key, whole, answer) };
    } catch (error) {
      const fault = toXsyncError(error);
      if (fault.code !== 'upload-not-found' && fault.class !== 'temporary') throw error;
      if (fault.code === 'aborted' || fault.code === 'checksum-mismatch') throw error;
      const there = await holds(context, entry, whole);
      if (there) return { etag: there.etag, confirmed: true };
      if (fault.code === 'upload-not-found') {
        context.checkpoints.endUpload(entry.key);
        throw new XsyncError('upload-not-found', 'the upload is gone and the object is not there', {
          subject: entry.key,
          class: 'temporary',
          cause: error,
        });
      }
      if (attempt >= context.attempts) throw error;
      await sleep(backoffMs(attempt, fault), halt.signal);
    }
  }
}

/** The upload is gone: did the run before complete it, and die before it could say so? */
async function finishedEarlier(
  context: TransferContext,
  entry: PlanEntry,
  rows: readonly PartRow[],
): Promise<TransferResult | undefined> {
  if (rows.length < entry.parts) return undefined;
  const there = await holds(context, entry, wholeOf(rows));
  if (!there) return undefined;
  context.checkpoints.endUpload(entry.key);
  const resumedBytes = entry.size;
  return { destEtag: there.etag, verifiedBy: 'computed', parts: entry.parts, resumedParts: entry.parts, resumedBytes };
}

/** The destination's object if it is, by size and a checksum, the one that these parts make. */
async function holds(context: TransferContext, entry: PlanEntry, whole: Checksums): Promise<ObjectInfo | undefined> {
  try {
    const info = await context.dest.head(entry.destKey, { signal: context.halt.signal });
    const { md5ofParts, crc64ecma } = info.checksums;
    const same =
      (whole.md5ofParts !== undefined && whole.md5ofParts === md5ofParts) ||
      (whole.crc64ecma !== undefined && whole.crc64ecma === crc64ecma);
    return same && info.size === entry.size ? info : undefined;
  } catch (error) {
    if (isXsyncError(error, 'object-not-found')) return undefined;
    throw error;
  }
}
