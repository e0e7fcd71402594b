/** A copy that the service makes by itself, both sides being its own and under one account. */
import { XsyncError } from '../../model/error.js';
import type { UploadRef } from '../../store/port.js';
import { partRange } from '../plan/cut.js';
import type { PlanEntry } from '../plan/plan.js';
import { mustBeWhole, type TransferContext, type TransferResult, Unfinished } from './context.js';
import { outgoing } from './outgoing.js';
import { abandonUpload, startUpload } from './uploads.js';
import { confirm } from './verify.js';

/**
 * HEAD, then COPY with the metadata written out: a plain copy would lose the source's time. Beyond one request's
 * limit, UploadPartCopy; that is quick enough to start again rather than to checkpoint each part.
 */
export async function copyOnServer(context: TransferContext, entry: PlanEntry): Promise<TransferResult> {
  const { source, dest, halt, emit } = context;
  emit({ type: 'begin', key: entry.key, size: entry.size, parts: entry.parts, resumedBytes: 0 });
  const info = await source.head(entry.sourceKey, { signal: halt.signal });
  mustBeWhole(entry, info);
  const pinned = { ifMatch: entry.sourceEtag, signal: halt.signal };
  const options = outgoing(info, dest, context.storageClass ?? info.storageClass);
  const answer =
    entry.parts === 1
      ? await dest.copy(source, entry.sourceKey, entry.destKey, { ...pinned, ...options })
      : await copyParts(context, entry, options);
  confirm(entry.key, { crc64ecma: info.checksums.crc64ecma }, answer);
  emit({ type: 'progress', key: entry.key, bytes: entry.size });
  return { destEtag: answer.etag, verifiedBy: 'server', parts: entry.parts, resumedParts: 0, resumedBytes: 0 };
}

async function copyParts(context: TransferContext, entry: PlanEntry, options: ReturnType<typeof outgoing>) {
  const { dest, halt } = context;
  await abandonUpload(context, entry);
  const upload = await startUpload(context, entry, options);
  const parts = await copyEach(context, entry, upload);
  const answer = await dest.completeUpload(upload, parts, { signal: halt.signal });
  context.checkpoints.endUpload(entry.key);
  const written = await dest.head(entry.destKey, { signal: halt.signal });
  if (written.size !== entry.size) {
    throw new XsyncError('checksum-mismatch', `the copy has ${written.size} bytes instead of ${entry.size}`, {
      subject: entry.key,
    });
  }
  return answer;
}

/** @throws the first part's error, after the others came to rest */
async function copyEach({ source, dest, halt, slots }: TransferContext, entry: PlanEntry, upload: UploadRef) {
  const limit = slots.ofObject();
  const pinned = { ifMatch: entry.sourceEtag, signal: halt.signal };
  let broken = false;
  const copyPart = async (partNumber: number) => {
    if (broken || halt.stops('parts')) throw new Unfinished();
    try {
      const range = partRange(partNumber, entry.partSize, entry.size);
      const { etag } = await dest.uploadPartCopy(upload, partNumber, source, entry.sourceKey, range, pinned);
      return { partNumber, etag };
    } catch (error) {
      broken = true;
      throw error;
    }
  };
  const numbers = Array.from({ length: entry.parts }, (_, i) => i + 1);
  const outcomes = await Promise.allSettled(numbers.map((partNumber) => limit(() => copyPart(partNumber))));
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}
