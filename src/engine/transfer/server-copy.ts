/** Server-side copy, for two sides at the same service and account. */
import { USUAL_POLICY } from '../../model/carry-policy.js';
import { type Checksums, sameChecksum } from '../../model/checksum.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import type { ObjectInfo } from '../../model/object.js';
import type { Copied } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { Capabilities, ObjectStore, UploadRef, WriteResult } from '../../store/port.js';
import type { Carried } from '../fidelity/carry.js';
import { partRange } from '../plan/cut.js';
import { forCopy, forUpload, writeLater, writeWith } from './attribute-writes.js';
import { type Means, mustBeWhole, Unfinished } from './means.js';
import { onceOf, outgoing } from './outgoing.js';
import { abandonUpload, startUpload } from './uploads.js';
import { confirm } from './verify.js';

/** The version that the service copies. */
interface Origin {
  store: ObjectStore;
  key: string;
  etag: string;
  versionId?: string;
  /** @throws source-changed: the copy may be of another version */
  mustStand(): Promise<void>;
}

/**
 * HEAD, then COPY with explicit metadata: a plain copy would lose the source's time. Above the limit of one request,
 * UploadPartCopy, which is fast enough to start again instead of checkpointing each part.
 *
 * The source may be overwritten between the two requests, and some stores ignore the condition of a copy. What arrived
 * is therefore compared with what was planned: by a checksum, or by one more HEAD of each side. Only a store that is known
 * to obey the condition needs neither.
 */
export async function copyOnServer(means: Means, ticket: CopyTicket): Promise<Copied> {
  const info = await begin(means, ticket);
  const planned = await outgoing(means, asByService(means, ticket, info), info);
  const { key, etag, versionId } = ticket.source;
  const mustStand = () => mustBeUnchanged(means, ticket, info);
  const copied = await copyFrom(means, ticket, planned, { store: means.source, key, etag, versionId, mustStand }, info);
  means.observe({ type: 'progress', key: ticket.key, bytes: ticket.source.size });
  return copied;
}

/**
 * Copies another object of the destination that has the same bytes, with the attributes of the source's object: a HEAD of
 * that, then as above. No bytes leave the source.
 * @throws unsupported: the other object is gone or another version, or the store does not copy; nothing was written
 */
export async function copyTwin(means: Means, ticket: CopyTicket, twin: Twin): Promise<Copied> {
  const { dest, halt } = means;
  const info = await begin(means, ticket);
  const planned = await outgoing(means, ticket, info);
  const { key, etag } = twin;
  const mustStand = async () => {
    const after = await dest.head(key, { signal: halt.signal });
    if (!sameEtag(after.etag, etag)) throw changedMeanwhile(ticket);
  };
  const from = { store: dest, key, etag, mustStand };
  try {
    return await copyFrom(means, ticket, withoutTags(planned, dest.capabilities), from, info);
  } catch (error) {
    if (!isXsyncError(error, ...NOT_WRITTEN)) throw error;
    throw new XsyncError('unsupported', `${twin.key} could not be copied: ${error.message}`, {
      subject: ticket.key,
      cause: error,
    });
  }
}

type Twin = NonNullable<CopyTicket['dest']['twin']>;

/** Refusals of a copy before it writes. */
const NOT_WRITTEN = ['precondition-failed', 'object-not-found', 'object-archived', 'access-denied'] as const;

async function begin({ source, halt, observe }: Means, ticket: CopyTicket): Promise<ObjectInfo> {
  observe({ type: 'begin', key: ticket.key, size: ticket.source.size, parts: ticket.cut.parts, resumedBytes: 0 });
  const info = await source.head(ticket.source.key, { signal: halt.signal });
  mustBeWhole(ticket, info);
  return info;
}

/** A copy by the service has the tags of what it copies unless it is given others, if only none. */
function withoutTags(planned: Carried, { attributes: { tags } }: Capabilities): Carried {
  if (!tags || tags.onlyInPuts || planned.put.tags) return planned;
  return { ...planned, put: { ...planned.put, tags: [] } };
}

/** @param info what the source has: the bytes of the origin, too */
async function copyFrom(
  means: Means,
  ticket: CopyTicket,
  planned: Carried,
  origin: Origin,
  info: ObjectInfo,
): Promise<Copied> {
  const { dest, halt } = means;
  const { parts } = ticket.cut;
  const pinned = { ifMatch: origin.etag, versionId: origin.versionId, signal: halt.signal };
  const written =
    parts === 1
      ? await writeWith(means, ticket, forCopy(planned, dest.capabilities), (put) =>
          dest.copy(origin.store, origin.key, ticket.dest.key, { ...pinned, ...put, ...onceOf(ticket) }),
        )
      : await copyParts(means, ticket, origin, forUpload(planned, dest.capabilities));
  const { answer, carried } = written;
  if (parts === 1 && isDoubtful(means, info, answer)) {
    await origin.mustStand();
    await mustHaveArrived(means, ticket);
  }
  confirm(ticket.key, expectedOf(ticket, info), answer);
  const { fidelity } = await writeLater(means, ticket, carried);
  const at = { destEtag: answer.etag, destVersion: answer.versionId };
  return { kind: 'copied', ...at, verifiedBy: 'server', parts, resumedParts: 0, resumedBytes: 0, fidelity };
}

/**
 * Both sides have the same classes, so the copy has the source's unless another one is given. A single copy has its tags,
 * at most stores.
 */
function asByService({ dest }: Means, { carry = USUAL_POLICY, ...ticket }: CopyTicket, { storageClass }: ObjectInfo) {
  const kept = carry.storageClass ?? storageClass;
  const serviceCopiesTags = ticket.cut.parts === 1 && !dest.capabilities.attributes.tags?.onlyInPuts;
  return { ...ticket, carry: { ...carry, storageClass: kept }, serviceCopiesTags };
}

/** The bytes of a twin are the source's, so all that both services promise must agree. Parts may be cut otherwise. */
function expectedOf({ dest: { twin } }: CopyTicket, { checksums }: ObjectInfo): Checksums {
  return twin ? { ...checksums, etagHint: undefined, md5ofParts: undefined } : { crc64ecma: checksums.crc64ecma };
}

/** Another version may have been copied. A checksum that differs does not prove it: it may be an ETag of another kind. */
function isDoubtful({ dest }: Means, planned: ObjectInfo, arrived: Pick<WriteResult, 'checksums'>): boolean {
  const same = sameChecksum(planned.checksums, arrived.checksums);
  return same === undefined ? !dest.capabilities.pinsCopies : same !== true;
}

/** @throws source-changed: the copy may be of another version */
async function mustBeUnchanged(means: Means, ticket: CopyTicket, before: ObjectInfo): Promise<void> {
  const { source, halt } = means;
  const after = await source.head(ticket.source.key, { signal: halt.signal });
  mustBeWhole(ticket, after);
  if (after.mtimeMs !== before.mtimeMs) throw changedMeanwhile(ticket);
}

function changedMeanwhile({ key }: CopyTicket): XsyncError {
  return new XsyncError('source-changed', 'was written again while it was copied', { subject: key });
}

async function copyParts(means: Means, ticket: CopyTicket, origin: Origin, planned: Carried) {
  const { dest, halt } = means;
  await abandonUpload(means, ticket);
  const started = await writeWith(means, ticket, planned, (put) => startUpload(means, ticket, put));
  const { answer: upload, carried } = started;
  const parts = await copyEach(means, ticket, origin, upload);
  if (!dest.capabilities.pinsCopies) await origin.mustStand();
  const answer = await dest.completeUpload(upload, parts, { signal: halt.signal });
  await means.checkpoints.endUpload(ticket.key);
  await mustHaveArrived(means, ticket);
  return { answer, carried };
}

/** A store may answer well and have stored something else. @throws checksum-mismatch */
async function mustHaveArrived({ dest, halt }: Means, ticket: CopyTicket): Promise<void> {
  const { size } = await dest.head(ticket.dest.key, { signal: halt.signal });
  if (size === ticket.source.size) return;
  throw new XsyncError('checksum-mismatch', `the copy has ${size} bytes instead of ${ticket.source.size}`, {
    subject: ticket.key,
  });
}

/** @throws the first part's error, once all parts have ended */
async function copyEach({ dest, halt, slots }: Means, ticket: CopyTicket, origin: Origin, upload: UploadRef) {
  const limit = slots.ofObject();
  const { store, key, etag, versionId } = origin;
  const pinned = { ifMatch: etag, versionId, signal: halt.signal };
  let broken = false;
  const copyPart = async (partNumber: number) => {
    if (broken || halt.stops('parts')) throw new Unfinished();
    try {
      const range = partRange(partNumber, ticket.cut.partSize, ticket.source.size);
      const { etag } = await dest.uploadPartCopy(upload, partNumber, store, key, range, pinned);
      return { partNumber, etag };
    } catch (error) {
      broken = true;
      throw error;
    }
  };
  const numbers = Array.from({ length: ticket.cut.parts }, (_, i) => i + 1);
  const outcomes = await Promise.allSettled(numbers.map((partNumber) => limit(() => copyPart(partNumber))));
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}
