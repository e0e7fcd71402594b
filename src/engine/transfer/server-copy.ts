/** Server-side copy, for two sides at the same service and account. */
import { USUAL_POLICY } from '../../model/carry-policy.js';
import { sameChecksum } from '../../model/checksum.js';
import { XsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { Copied } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { UploadRef, WriteResult } from '../../store/port.js';
import type { Carried } from '../fidelity/carry.js';
import { partRange } from '../plan/cut.js';
import { forCopy, forUpload, writeLater, writeWith } from './attribute-writes.js';
import { type Means, mustBeWhole, Unfinished } from './means.js';
import { onceOf, outgoing } from './outgoing.js';
import { abandonUpload, startUpload } from './uploads.js';
import { confirm } from './verify.js';

/**
 * HEAD, then COPY with explicit metadata: a plain copy would lose the source's time. Above the limit of one request,
 * UploadPartCopy, which is fast enough to start again instead of checkpointing each part.
 *
 * The source may be overwritten between the two requests, and some stores ignore the condition of a copy. What arrived
 * is therefore compared with what was planned: by a checksum, or by one more HEAD of each side. Only a store that is known
 * to obey the condition needs neither.
 */
export async function copyOnServer(means: Means, ticket: CopyTicket): Promise<Copied> {
  const { source, dest, halt, observe } = means;
  observe({ type: 'begin', key: ticket.key, size: ticket.source.size, parts: ticket.cut.parts, resumedBytes: 0 });
  const info = await source.head(ticket.source.key, { signal: halt.signal });
  mustBeWhole(ticket, info);
  const whole = ticket.cut.parts === 1;
  const planned = await outgoing(means, asByService(means, ticket, info), info);
  const pinned = { ifMatch: ticket.source.etag, versionId: ticket.source.versionId, signal: halt.signal };
  const written = whole
    ? await writeWith(means, ticket, forCopy(planned, dest.capabilities), (put) =>
        dest.copy(source, ticket.source.key, ticket.dest.key, { ...pinned, ...put, ...onceOf(ticket) }),
      )
    : await copyParts(means, ticket, info, forUpload(planned, dest.capabilities));
  const { answer, carried } = written;
  if (whole && isDoubtful(means, info, answer)) {
    await mustBeUnchanged(means, ticket, info);
    await mustHaveArrived(means, ticket);
  }
  confirm(ticket.key, { crc64ecma: info.checksums.crc64ecma }, answer);
  observe({ type: 'progress', key: ticket.key, bytes: ticket.source.size });
  const { parts } = ticket.cut;
  const { fidelity } = await writeLater(means, ticket, carried);
  const verifiedBy = 'server';
  const at = { destEtag: answer.etag, destVersion: answer.versionId };
  return { kind: 'copied', ...at, verifiedBy, parts, resumedParts: 0, resumedBytes: 0, fidelity };
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
  if (after.mtimeMs === before.mtimeMs) return;
  throw new XsyncError('source-changed', 'was written again while it was copied', { subject: ticket.key });
}

async function copyParts(means: Means, ticket: CopyTicket, info: ObjectInfo, planned: Carried) {
  const { dest, halt } = means;
  await abandonUpload(means, ticket);
  const started = await writeWith(means, ticket, planned, (put) => startUpload(means, ticket, put));
  const { answer: upload, carried } = started;
  const parts = await copyEach(means, ticket, upload);
  if (!dest.capabilities.pinsCopies) await mustBeUnchanged(means, ticket, info);
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
async function copyEach({ source, dest, halt, slots }: Means, ticket: CopyTicket, upload: UploadRef) {
  const limit = slots.ofObject();
  const pinned = { ifMatch: ticket.source.etag, versionId: ticket.source.versionId, signal: halt.signal };
  let broken = false;
  const copyPart = async (partNumber: number) => {
    if (broken || halt.stops('parts')) throw new Unfinished();
    try {
      const range = partRange(partNumber, ticket.cut.partSize, ticket.source.size);
      const { etag } = await dest.uploadPartCopy(upload, partNumber, source, ticket.source.key, range, pinned);
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
