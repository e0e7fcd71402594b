/**
 * The life of a multipart upload besides its parts: starting it without leaving strays, taking it up again, ending it.
 *
 * Between a CreateMultipartUpload that the store has carried out and the checkpoint that names its id, a kill or a
 * lost answer leaves an upload that nobody knows. So the intent is written down first (a checkpoint without an id),
 * and whoever finds an intent looks for uploads of exactly this key that are not older, and aborts them.
 */
import type { PartRow, UploadRow } from '../../manifest/port.js';
import { isXsyncError, toXsyncError } from '../../model/error.js';
import type { ObjectStore, PartEntry, PutOptions, UploadRef } from '../../store/port.js';
import { backoffMs } from '../../store/wrap/backoff.js';
import { sleep } from '../../store/wrap/time.js';
import type { PlanEntry } from '../plan/plan.js';
import type { TransferContext } from './context.js';

/** The store's clock may be behind ours; 15 minutes is where services stop accepting signatures. */
const CLOCK_TOLERANCE_MS = 20 * 60_000;

/** @throws what createUpload throws, once the attempts are used up */
export async function startUpload(
  context: TransferContext,
  entry: PlanEntry,
  options: Omit<PutOptions, 'contentMd5' | 'pace'>,
): Promise<UploadRef> {
  const { dest, checkpoints, halt } = context;
  const intent: UploadRow = {
    key: entry.key,
    uploadId: '',
    sourceEtag: entry.sourceEtag,
    size: entry.size,
    partSize: entry.partSize,
    createdMs: Date.now(),
  };
  checkpoints.beginUpload(intent);
  for (let attempt = 1; ; attempt++) {
    try {
      const upload = await dest.createUpload(entry.destKey, { ...options, signal: halt.signal });
      checkpoints.beginUpload({ ...intent, uploadId: upload.uploadId });
      return upload;
    } catch (error) {
      const fault = toXsyncError(error);
      if (fault.class !== 'temporary' || fault.code === 'aborted' || attempt >= context.attempts) throw error;
      await sleep(backoffMs(attempt, fault), halt.signal);
      await abortStrays(dest, entry.destKey, intent.createdMs, halt.signal);
    }
  }
}

export interface Resumed {
  upload: UploadRef;
  /** Acknowledged, checkpointed, and still at the store. */
  parts: PartRow[];
  /** At the store, but the answer did not reach the run that sent them: to be believed only by their checksum. */
  arrived: PartEntry[];
  /** The store does not know the upload any more; `parts` is what it had. */
  gone: boolean;
}

/** What an interrupted run left for this key, reconciled with the store; undefined when there is nothing to go on with. */
export async function resumeUpload(context: TransferContext, entry: PlanEntry): Promise<Resumed | undefined> {
  const { dest, checkpoints, halt } = context;
  const row = checkpoints.upload(entry.key);
  if (!row) return undefined;
  const upload = { key: entry.destKey, uploadId: row.uploadId };
  if (row.uploadId === '' || !isOf(row, entry) || row.partSize !== entry.partSize) {
    await abandonUpload(context, entry);
    return undefined;
  }
  const known = checkpoints.parts(entry.key);
  try {
    const listed = new Map(
      (await dest.listParts(upload, { signal: halt.signal })).map((part) => [part.partNumber, part]),
    );
    const kept = known.filter((part) => {
      const there = listed.get(part.partNumber);
      return there?.etag === part.etag && there.size === part.size;
    });
    const lost = known.filter((part) => !kept.includes(part)).map((part) => part.partNumber);
    if (lost.length > 0) checkpoints.dropParts(entry.key, lost);
    const keptNumbers = new Set(kept.map((part) => part.partNumber));
    const arrived = [...listed.values()].filter((part) => !keptNumbers.has(part.partNumber));
    return { upload, parts: kept, arrived, gone: false };
  } catch (error) {
    if (!isXsyncError(error, 'upload-not-found')) throw error;
    return { upload, parts: known, arrived: [], gone: true };
  }
}

/**
 * The entry, cut as its checkpoint is: a resumed upload keeps its cut whatever the options say now. One without parts
 * has nothing to keep, and may be cut for a service that copies by itself: far too large for memory.
 */
export function checkpointedCut({ checkpoints }: TransferContext, entry: PlanEntry): PlanEntry {
  const row = checkpoints.upload(entry.key);
  if (!row || !isOf(row, entry) || checkpoints.parts(entry.key).length === 0) return entry;
  return { ...entry, partSize: row.partSize, parts: Math.ceil(entry.size / row.partSize) };
}

/** The checkpoint was made for this version of the source. */
function isOf(row: UploadRow, entry: PlanEntry): boolean {
  return row.sourceEtag === entry.sourceEtag && row.size === entry.size;
}

/** Aborts and forgets what an earlier try left for the entry's key. */
export async function abandonUpload(context: TransferContext, entry: PlanEntry): Promise<void> {
  const row = context.checkpoints.upload(entry.key);
  if (!row) return;
  await discardUpload(context, row, entry.destKey);
  context.checkpoints.endUpload(entry.key);
}

/**
 * Aborts what a checkpoint stands for: its upload, or the strays of an intent. Whoever may write but not list or
 * abort uploads is told, and can copy all the same.
 */
export async function discardUpload(
  { dest, halt, emit }: Pick<TransferContext, 'dest' | 'halt' | 'emit'>,
  row: UploadRow,
  destKey: string,
): Promise<void> {
  try {
    if (row.uploadId === '') await abortStrays(dest, destKey, row.createdMs, halt.signal);
    else await dest.abortUpload({ key: destKey, uploadId: row.uploadId }, { signal: halt.signal });
  } catch (error) {
    if (!isXsyncError(error, 'access-denied', 'unsupported')) throw error;
    const message = `an unfinished upload of ${destKey} may be left at the destination: ${error.message}`;
    emit({ type: 'notice', level: 'warn', message });
  }
}

async function abortStrays(dest: ObjectStore, destKey: string, sinceMs: number, signal: AbortSignal): Promise<void> {
  for (let token: string | undefined; ; ) {
    const page = await dest.listUploads({ prefix: destKey, token, signal });
    const strays = page.uploads.filter(
      (upload) => upload.key === destKey && upload.initiatedMs >= sinceMs - CLOCK_TOLERANCE_MS,
    );
    for (const stray of strays) await dest.abortUpload(stray, { signal });
    if (page.nextToken === undefined) return;
    token = page.nextToken;
  }
}
