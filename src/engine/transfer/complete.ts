/**
 * The last step of a multipart upload, the only call that cannot simply be repeated: after a lost response a HEAD shows
 * what the destination has.
 * Tests: test/engine/crash.test.ts
 */
import type { PartRow } from '../../manifest/checkpoints.js';
import { type Checksums, compositeEtag } from '../../model/checksum.js';
import { isXsyncError, toXsyncError, XsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import { type ObjectInfo, VERSION_METADATA } from '../../model/object.js';
import type { Copied } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { UploadRef } from '../../store/port.js';
import { type Means, Overtaken } from './means.js';
import { isRefusal } from './overtaken.js';
import { pause } from './pause.js';
import type { SourceProof } from './source-proof.js';
import { isOpen } from './standing.js';
import { confirm, wholeOf } from './verify.js';

/** Completes the upload, or finds that it was completed. @throws upload-not-found (temporary) when the upload is lost */
export async function complete(
  means: Means,
  ticket: CopyTicket,
  upload: UploadRef,
  rows: readonly PartRow[],
): Promise<{ etag: string; versionId?: string; confirmed: boolean }> {
  const { dest, halt } = means;
  const whole = wholeOf(rows);
  for (let attempt = 1; ; attempt++) {
    try {
      const { expects: replaces, replaces: previous } = ticket.dest;
      const planned = { size: ticket.source.size, previous };
      const answer = await dest.completeUpload(upload, rows, { signal: halt.signal, replaces, ...planned });
      const { etag, versionId } = answer;
      return { etag, versionId, confirmed: confirm(ticket.key, whole, answer) };
    } catch (error) {
      const fault = toXsyncError(error);
      const refused = ticket.dest.expects !== undefined && isRefusal(error);
      if (!refused && fault.code !== 'upload-not-found' && fault.class !== 'temporary') throw error;
      if (fault.code === 'aborted' || fault.code === 'checksum-mismatch') throw error;
      const there = await holds(means, ticket, whole);
      if (there && !(await mayBeOlder(means, ticket, upload, there)))
        return { etag: there.etag, versionId: there.versionId, confirmed: true };
      if (refused) throw new Overtaken();
      if (fault.code === 'upload-not-found') {
        await means.checkpoints.endUpload(ticket.key);
        throw new XsyncError('upload-not-found', 'the upload no longer exists, and the object was not written', {
          subject: ticket.key,
          class: 'temporary',
          cause: error,
        });
      }
      if (attempt >= ticket.attempts) throw error;
      await pause(means, attempt, fault);
    }
  }
}

/**
 * The upload no longer exists: the outcome if an earlier run completed it and was killed before recording that.
 * @param proof of the source, as far as the checkpoint has it; an object that it does not prove is copied again
 * @throws checksum-mismatch
 */
export async function finishedEarlier(
  means: Means,
  ticket: CopyTicket,
  proof: SourceProof,
  rows: readonly PartRow[],
): Promise<Copied | undefined> {
  if (rows.length < ticket.cut.parts || rows.some((row) => proof.needs(row))) return undefined;
  const verifiedBy = proof.prove(rows);
  if (verifiedBy === 'etag-differs' || verifiedBy === 'unknown') return undefined;
  const there = await holds(means, ticket, wholeOf(rows));
  if (!there) return undefined;
  await means.checkpoints.endUpload(ticket.key);
  const { parts } = ticket.cut;
  const resumed = { resumedParts: parts, resumedBytes: ticket.source.size };
  return { kind: 'copied', destEtag: there.etag, destVersion: there.versionId, verifiedBy, parts, ...resumed };
}

/**
 * Whether the object may have stood there before the completion: it has the ETag of the one that is replaced, as the same
 * bytes have with other attributes. The upload is still known then. One more request, for such an object only.
 */
async function mayBeOlder(
  { dest, halt }: Means,
  { dest: { replaces } }: CopyTicket,
  upload: UploadRef,
  there: ObjectInfo,
): Promise<boolean> {
  return sameEtag(there.etag, replaces) && isOpen(dest, upload, halt.signal);
}

/**
 * The destination's object, if its size and a checksum match these parts. Versions of a history may have the same bytes,
 * so theirs must have the name of the version, too.
 */
async function holds(means: Means, ticket: CopyTicket, whole: Checksums): Promise<ObjectInfo | undefined> {
  try {
    const info = await means.dest.head(ticket.dest.key, { signal: means.halt.signal });
    const { crc64ecma } = info.checksums;
    const { versionName } = ticket.dest;
    if (versionName !== undefined && info.metadata[VERSION_METADATA] !== versionName) return undefined;
    const same =
      (whole.md5ofParts !== undefined && whole.md5ofParts === compositeEtag(info.checksums)) ||
      (whole.crc64ecma !== undefined && whole.crc64ecma === crc64ecma);
    return same && info.size === ticket.source.size ? info : undefined;
  } catch (error) {
    if (isXsyncError(error, 'object-not-found')) return undefined;
    throw error;
  }
}
