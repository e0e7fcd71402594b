/** Server-side copy, for two sides at the same service and account. */
import { XsyncError } from '../../model/error.js';
import type { Copied } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { UploadRef } from '../../store/port.js';
import { partRange } from '../plan/cut.js';
import { type Means, mustBeWhole, Unfinished } from './means.js';
import { outgoing } from './outgoing.js';
import { abandonUpload, startUpload } from './uploads.js';
import { confirm } from './verify.js';

/**
 * HEAD, then COPY with explicit metadata: a plain copy would lose the source's time. Above the limit of one request,
 * UploadPartCopy, which is fast enough to start again instead of checkpointing each part.
 */
export async function copyOnServer(means: Means, ticket: CopyTicket): Promise<Copied> {
  const { source, dest, halt, observe } = means;
  observe({ type: 'begin', key: ticket.key, size: ticket.source.size, parts: ticket.cut.parts, resumedBytes: 0 });
  const info = await source.head(ticket.source.key, { signal: halt.signal });
  mustBeWhole(ticket, info);
  const pinned = { ifMatch: ticket.source.etag, signal: halt.signal };
  const options = outgoing(info, dest, ticket.storageClass ?? info.storageClass);
  const answer =
    ticket.cut.parts === 1
      ? await dest.copy(source, ticket.source.key, ticket.dest.key, { ...pinned, ...options })
      : await copyParts(means, ticket, options);
  confirm(ticket.key, { crc64ecma: info.checksums.crc64ecma }, answer);
  observe({ type: 'progress', key: ticket.key, bytes: ticket.source.size });
  const { parts } = ticket.cut;
  return { kind: 'copied', destEtag: answer.etag, verifiedBy: 'server', parts, resumedParts: 0, resumedBytes: 0 };
}

async function copyParts(means: Means, ticket: CopyTicket, options: ReturnType<typeof outgoing>) {
  const { dest, halt } = means;
  await abandonUpload(means, ticket);
  const upload = await startUpload(means, ticket, options);
  const parts = await copyEach(means, ticket, upload);
  const answer = await dest.completeUpload(upload, parts, { signal: halt.signal });
  await means.checkpoints.endUpload(ticket.key);
  const written = await dest.head(ticket.dest.key, { signal: halt.signal });
  if (written.size !== ticket.source.size) {
    throw new XsyncError('checksum-mismatch', `the copy has ${written.size} bytes instead of ${ticket.source.size}`, {
      subject: ticket.key,
    });
  }
  return answer;
}

/** @throws the first part's error, once all parts have ended */
async function copyEach({ source, dest, halt, slots }: Means, ticket: CopyTicket, upload: UploadRef) {
  const limit = slots.ofObject();
  const pinned = { ifMatch: ticket.source.etag, signal: halt.signal };
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
