/**
 * Starts multipart uploads without leaving strays, resumes them, and aborts them.
 *
 * If a run is killed, or a response lost, between CreateMultipartUpload and the checkpoint with its upload ID, the store
 * has an upload that nobody knows. So an intent (a checkpoint without an upload ID) is written first. A run that finds an
 * intent lists the uploads of exactly this key that are not older, and aborts them.
 */
import type { HashedParts, PartRow, UploadRow } from '../../manifest/checkpoints.js';
import { isXsyncError, toXsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import { PageGuard } from '../../model/paging.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { ObjectStore, PartEntry, UploadOptions, UploadRef } from '../../store/port.js';
import type { Means } from './means.js';
import { pause } from './pause.js';

/** The store's clock may be behind; services reject signatures that are off by more than 15 minutes. */
const CLOCK_TOLERANCE_MS = 20 * 60_000;

/** @throws what createUpload throws, once the attempts are used up */
export async function startUpload(means: Means, ticket: CopyTicket, options: UploadOptions): Promise<UploadRef> {
  const { dest, checkpoints, halt } = means;
  const intent: UploadRow = {
    key: ticket.key,
    uploadId: '',
    sourceEtag: ticket.source.etag,
    size: ticket.source.size,
    partSize: ticket.cut.partSize,
    createdMs: Date.now(),
  };
  await checkpoints.beginUpload(intent);
  for (let attempt = 1; ; attempt++) {
    try {
      const upload = await dest.createUpload(ticket.dest.key, { ...options, signal: halt.signal });
      await checkpoints.beginUpload({ ...intent, uploadId: upload.uploadId });
      return upload;
    } catch (error) {
      const fault = toXsyncError(error);
      if (fault.class !== 'temporary' || fault.code === 'aborted' || attempt >= ticket.attempts) throw error;
      await pause(means, attempt, fault);
      await discardUpload(means, intent, ticket.dest.key);
    }
  }
}

export interface Resumed {
  upload: UploadRef;
  /** ms since 1970. */
  createdMs: number;
  /** Acknowledged, checkpointed, and still at the store. */
  parts: PartRow[];
  /** The hash over the source's first parts, if all of those parts are still at the store. */
  hashed?: HashedParts;
  /** At the store, but not acknowledged to the run that sent them: trust them only by checksum. */
  arrived: PartEntry[];
  /** The store no longer knows the upload; `parts` are the checkpointed ones. */
  gone: boolean;
}

/** The unfinished upload of this key, reconciled with the store; undefined if there is none to resume. */
export async function resumeUpload(means: Means, ticket: CopyTicket): Promise<Resumed | undefined> {
  const { dest, checkpoints, halt } = means;
  const row = await checkpoints.upload(ticket.key);
  if (!row) return undefined;
  const { createdMs } = row;
  const upload = { key: ticket.dest.key, uploadId: row.uploadId };
  if (row.uploadId === '' || !isOf(row, ticket) || row.partSize !== ticket.cut.partSize) {
    await abandonUpload(means, ticket);
    return undefined;
  }
  const known = await checkpoints.parts(ticket.key);
  try {
    const listed = new Map(
      (await dest.listParts(upload, { signal: halt.signal })).map((part) => [part.partNumber, part]),
    );
    const present = known.filter((part) => {
      const there = listed.get(part.partNumber);
      return there !== undefined && sameEtag(there.etag, part.etag) && there.size === part.size;
    });
    const lost = known.filter((part) => !present.includes(part)).map((part) => part.partNumber);
    if (lost.length > 0) await checkpoints.dropParts(ticket.key, lost);
    const presentNumbers = new Set(present.map((part) => part.partNumber));
    const arrived = [...listed.values()].filter((part) => !presentNumbers.has(part.partNumber));
    const covered = present.filter(({ partNumber }) => partNumber <= (row.hashed?.upTo ?? 0)).length;
    const hashed = covered === row.hashed?.upTo ? row.hashed : undefined;
    return { upload, createdMs, parts: present, hashed, arrived, gone: false };
  } catch (error) {
    if (isXsyncError(error, 'unsupported')) {
      // Nothing proves which parts the store has (invariant: the destination is the truth about parts).
      await abandonUpload(means, ticket);
      return undefined;
    }
    if (!isXsyncError(error, 'upload-not-found')) throw error;
    return { upload, createdMs, parts: known, hashed: row.hashed, arrived: [], gone: true };
  }
}

/** The checkpoint was made for this version of the source. */
function isOf(row: UploadRow, ticket: CopyTicket): boolean {
  return sameEtag(row.sourceEtag, ticket.source.etag) && row.size === ticket.source.size;
}

/** Aborts and forgets the unfinished upload of the ticket's key. */
export async function abandonUpload(means: Means, ticket: CopyTicket): Promise<void> {
  const row = await means.checkpoints.upload(ticket.key);
  if (!row) return;
  await discardUpload(means, row, ticket.dest.key);
  await means.checkpoints.endUpload(ticket.key);
}

/**
 * Aborts the upload of a checkpoint, or the strays of an intent. Without permission to list or abort uploads it reports
 * a notice instead, so that objects can still be copied.
 */
export async function discardUpload(
  { dest, halt, observe }: Pick<Means, 'dest' | 'halt' | 'observe'>,
  row: UploadRow,
  destKey: string,
): Promise<void> {
  try {
    if (row.uploadId === '') await abortStrays(dest, destKey, row.createdMs, halt.signal);
    else await dest.abortUpload({ key: destKey, uploadId: row.uploadId }, { signal: halt.signal });
  } catch (error) {
    if (!isXsyncError(error, 'access-denied', 'unsupported')) throw error;
    const message = `an unfinished upload of ${destKey} may be left at the destination: ${error.message}`;
    observe({ type: 'notice', level: 'warn', message });
  }
}

async function abortStrays(dest: ObjectStore, destKey: string, sinceMs: number, signal: AbortSignal): Promise<void> {
  const guard = new PageGuard(destKey);
  for (let token: string | undefined; ; ) {
    const page = await dest.listUploads({ prefix: destKey, token, signal });
    guard.follow({ first: page.uploads[0]?.uploadId, last: page.uploads.at(-1)?.uploadId, token: page.nextToken });
    const strays = page.uploads.filter(
      (upload) => upload.key === destKey && upload.initiatedMs >= sinceMs - CLOCK_TOLERANCE_MS,
    );
    for (const stray of strays) await dest.abortUpload(stray, { signal });
    if (page.nextToken === undefined) return;
    token = page.nextToken;
  }
}
