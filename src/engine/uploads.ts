/**
 * The life of a multipart upload besides its parts: starting it without leaving strays, taking it up again, ending it.
 *
 * Between a CreateMultipartUpload that the store has carried out and the checkpoint that names its id, a kill or a
 * lost answer leaves an upload that nobody knows. So the intent is written down first (a checkpoint without an id),
 * and whoever finds an intent looks for uploads of exactly this key that are not older, and aborts them.
 */
import type { PartRow, UploadRow } from '../manifest/port.js';
import { isXsyncError, toXsyncError } from '../model/error.js';
import type { ObjectStore, PutOptions, UploadRef } from '../store/port.js';
import { backoffMs } from '../store/wrap/backoff.js';
import { sleep } from '../store/wrap/time.js';
import type { TransferContext } from './context.js';
import type { PlanEntry } from './plan.js';

export type StartedUpload = UploadRef;

/** The store's clock may be behind ours; 15 minutes is where services stop accepting signatures. */
const CLOCK_TOLERANCE_MS = 20 * 60_000;

/** @throws what createUpload throws, once the attempts are used up */
export async function startUpload(
  context: TransferContext,
  entry: PlanEntry,
  options: Omit<PutOptions, 'contentMd5' | 'pace'>,
): Promise<StartedUpload> {
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

/** What an interrupted run left for this key, reconciled with the store; undefined when there is nothing to go on with. */
export async function resumeUpload(
  context: TransferContext,
  entry: PlanEntry,
): Promise<{ upload: UploadRef; parts: PartRow[]; gone: boolean } | undefined> {
  const { dest, checkpoints, halt } = context;
  const row = checkpoints.upload(entry.key);
  if (!row) return undefined;
  const upload = { key: entry.destKey, uploadId: row.uploadId };
  const sameSource = row.sourceEtag === entry.sourceEtag && row.size === entry.size;
  if (row.uploadId === '' || !sameSource) {
    await discardUpload(dest, row, entry.destKey, halt.signal);
    checkpoints.endUpload(entry.key);
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
    return { upload, parts: kept, gone: false };
  } catch (error) {
    if (!isXsyncError(error, 'upload-not-found')) throw error;
    return { upload, parts: known, gone: true };
  }
}

/** The part size of a checkpoint that fits the entry: a resumed upload keeps its cut whatever the options say now. */
export function checkpointedCut(context: TransferContext, entry: PlanEntry): PlanEntry {
  const row = context.checkpoints.upload(entry.key);
  if (!row || row.sourceEtag !== entry.sourceEtag || row.size !== entry.size) return entry;
  return { ...entry, partSize: row.partSize, parts: Math.ceil(entry.size / row.partSize) };
}

/** Aborts what a checkpoint stands for: its upload, or the strays of an intent. */
export async function discardUpload(
  dest: ObjectStore,
  row: UploadRow,
  destKey: string,
  signal: AbortSignal,
): Promise<void> {
  if (row.uploadId === '') await abortStrays(dest, destKey, row.createdMs, signal);
  else await dest.abortUpload({ key: destKey, uploadId: row.uploadId }, { signal });
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
