/**
 * Performs tickets, without access to the manifest, the terminal or a queue: the caller records the outcome.
 * Tests: test/engine/transfer/backup.test.ts
 */

import { compositeEtag } from '../../model/checksum.js';
import { type ErrorCode, isXsyncError, toXsyncError, type XsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import type { NewVersion, Outcome } from '../../model/outcome.js';
import type { CopyTicket, DeleteTicket, DeleteVersionTicket, MarkerTicket } from '../../model/ticket.js';
import { pinned } from '../../store/wrap/pinned.js';
import { headIfThere } from '../decide/inspect.js';
import { endsRun } from '../flow/halt.js';
import type { Limiter } from '../flow/queue.js';
import { beingWritten, faultOf, isChange } from '../plan/fault.js';
import { makeBackup } from './backup.js';
import { firmly } from './firm.js';
import { type Means, Overtaken, Unfinished } from './means.js';
import { transfer } from './transfer.js';
import { abandonUpload } from './uploads.js';

/**
 * Copies what the ticket names.
 * @throws faults that end the run (`endsRun`); everything else is an outcome
 */
export async function perform(ticket: CopyTicket, given: Means): Promise<Outcome> {
  const means = firmly(ofVersion(given, ticket), ticket);
  const { halt } = means;
  const { replaces, backup } = ticket.dest;
  let backedUp = replaces === undefined || backup === undefined;
  for (let attempts = 1; ; attempts++) {
    if (halt.stops('objects')) return { kind: 'unfinished' };
    try {
      if (!backedUp && backup) await makeBackup(means, ticket, backup);
      backedUp = true;
      return await transfer(means, attempts === 1 || ticket.dest.firm ? ticket : withoutCondition(ticket));
    } catch (error) {
      if (error instanceof Unfinished || halt.signal.aborted) return { kind: 'unfinished' };
      if (error instanceof Overtaken) return { kind: 'overtaken' };
      const fault = toXsyncError(error);
      if (endsRun(fault)) throw fault;
      const next = await afterFault(means, ticket, fault, attempts);
      if (next !== 'again') return next;
    }
  }
}

/** All that reads the source reads the version of the ticket. */
function ofVersion(means: Means, { source: { versionId } }: CopyTicket): Means {
  return versionId === undefined ? means : { ...means, source: pinned(means.source, versionId) };
}

/** An attempt that failed may have written the object. */
function withoutCondition(ticket: CopyTicket): CopyTicket {
  return { ...ticket, dest: { ...ticket.dest, expects: undefined } };
}

/** Whether to try again, or the outcome. Abandons the upload if its parts are damaged or outdated. */
async function afterFault(
  means: Means,
  ticket: CopyTicket,
  fault: XsyncError,
  attempts: number,
): Promise<Outcome | 'again'> {
  const changed = isChange(fault);
  if (!changed && fault.class !== 'temporary') return failed(means, ticket, fault, attempts);
  try {
    if (fault.code === 'checksum-mismatch') means.observe({ type: 'damaged', ticket, fault: faultOf(fault) });
    if (changed || fault.code === 'checksum-mismatch') await abandonUpload(means, ticket);
    // A version does not change; a bucket without versions may have another object under the same ID.
    const over = attempts >= ticket.attempts || (changed && ticket.source.versionId !== undefined);
    if (over) return failed(means, ticket, changed ? beingWritten(fault) : fault, attempts);
    if (!changed) return 'again';
    const now = await versionNow(means, ticket);
    return { kind: 'changed', now, message: fault.message, attempts };
  } catch (error) {
    return failed(means, ticket, toXsyncError(error), attempts);
  }
}

async function versionNow({ source, halt }: Means, ticket: CopyTicket): Promise<NewVersion> {
  const { etag, size, mtimeMs, checksums } = await source.head(ticket.source.key, { signal: halt.signal });
  return { etag, size, mtimeMs, md5ofParts: compositeEtag(checksums) };
}

async function failed(means: Means, ticket: CopyTicket, fault: XsyncError, attempts: number): Promise<Outcome> {
  if (fault.code === 'object-not-found' && (await hasVanished(means, ticket))) return { kind: 'vanished' };
  if (refusesCut(fault) && ticket.cut.parts > 1) await abandonQuietly(means, ticket);
  return { kind: 'failed', fault: faultOf(fault), attempts };
}

/** The store does not take parts of this number or size, so the upload must not keep its cut for the next attempt. */
function refusesCut({ code, status }: XsyncError): boolean {
  const codes: readonly ErrorCode[] = ['object-too-large', 'unsupported', 'invalid-response'];
  return (status === 400 || status === 413) && codes.includes(code);
}

async function abandonQuietly(means: Means, ticket: CopyTicket): Promise<void> {
  try {
    await abandonUpload(means, ticket);
  } catch (error) {
    if (!isXsyncError(error)) throw error;
    means.observe({
      type: 'notice',
      level: 'warn',
      message: `${ticket.key}: its upload is left open: ${error.message}`,
    });
  }
}

/**
 * Whether the object was deleted after it was listed. If the store still lists an object that it does not return, that
 * is a failure and must not be skipped. One list request.
 */
async function hasVanished(means: Means, ticket: CopyTicket): Promise<boolean> {
  const { key } = ticket.source;
  try {
    const { entries } = await means.source.list({ prefix: key, signal: means.halt.signal });
    if (entries.some((entry) => entry.key === key)) return false;
    await abandonUpload(means, ticket);
    return true;
  } catch {
    // The listing failed: the original failure stands.
    return false;
  }
}

/**
 * Adds a delete marker.
 * @throws faults that end the run
 */
export async function performMarker({ dest: { key } }: MarkerTicket, { dest, halt }: Means): Promise<Outcome> {
  if (halt.stops('objects')) return { kind: 'unfinished' };
  try {
    const { versionId } = (await dest.addDeleteMarker?.(key, { signal: halt.signal, once: true })) ?? {};
    return { kind: 'deleted', destVersion: versionId };
  } catch (error) {
    if (halt.signal.aborted) return { kind: 'unfinished' };
    const fault = toXsyncError(error);
    if (endsRun(fault)) throw fault;
    return { kind: 'failed', fault: faultOf(fault), attempts: 1 };
  }
}

/**
 * Deletes a version for good.
 * @throws faults that end the run
 */
export async function performVersionDelete(
  { dest: { key, versionId } }: DeleteVersionTicket,
  { dest, halt }: Pick<Means, 'dest' | 'halt'>,
): Promise<Outcome> {
  if (halt.stops('objects')) return { kind: 'unfinished' };
  try {
    await dest.deleteVersion?.(key, versionId, { signal: halt.signal });
    return { kind: 'deleted' };
  } catch (error) {
    if (halt.signal.aborted) return { kind: 'unfinished' };
    const fault = toXsyncError(error);
    if (endsRun(fault)) throw fault;
    return deleteFailed(fault);
  }
}

/** What deletes work with; those with backups need all means of copies besides. */
export interface Deleting extends Pick<Means, 'dest' | 'halt'> {
  /** Limits inspections (HEADs) in flight. */
  limitInspections: Limiter;
  /** Leave folders that become empty. */
  keepFolders?: boolean;
}

/**
 * Deletes at the destination, as many objects as one request takes. Makes backups first, and does not delete an object
 * whose backup failed, or of which another version stands there now.
 * @returns an outcome for each ticket, in their order
 * @throws faults that end the run
 */
export async function performDeletes(
  tickets: readonly DeleteTicket[],
  means: Deleting | (Deleting & Means),
): Promise<Outcome[]> {
  const { dest, halt, keepFolders } = means;
  const refused = await Promise.all(tickets.map((ticket) => prepareDelete(ticket, means)));
  const ready = tickets.filter((_, index) => refused[index] === undefined);
  const results = new Map<string, Outcome>();
  if (ready.length > 0 && !halt.stops('objects')) {
    try {
      const keys = ready.map((ticket) => ticket.dest.key);
      const failures = await dest.delete(keys, {
        signal: halt.signal,
        versions: versionsOf(ready),
        keepFolders,
      });
      for (const key of keys) results.set(key, { kind: 'deleted' });
      for (const { key, error } of failures) results.set(key, deleteFailed(toXsyncError(error)));
    } catch (error) {
      const fault = toXsyncError(error);
      if (!halt.signal.aborted && endsRun(fault)) throw fault;
      const outcome: Outcome = halt.signal.aborted ? { kind: 'unfinished' } : deleteFailed(fault);
      for (const ticket of ready) results.set(ticket.dest.key, outcome);
    }
  }
  return tickets.map((ticket, index) => refused[index] ?? results.get(ticket.dest.key) ?? { kind: 'unfinished' });
}

function versionsOf(tickets: readonly DeleteTicket[]): ReadonlyMap<string, string> {
  return new Map(tickets.flatMap(({ dest: { key, etag } }) => (etag === undefined ? [] : [[key, etag] as const])));
}

/**
 * Backs the object up, and looks at it where the store's delete cannot.
 * @returns undefined if the object may be deleted, else its outcome
 * @throws faults that end the run
 */
async function prepareDelete(ticket: DeleteTicket, means: Deleting | (Deleting & Means)): Promise<Outcome | undefined> {
  const { backup, etag } = ticket.dest;
  const { dest, halt, limitInspections } = means;
  const looks = etag !== undefined && !dest.capabilities.deletesIfMatch;
  if (!backup && !looks) return undefined;
  try {
    return await limitInspections(async () => {
      if (halt.stops('objects')) return { kind: 'unfinished' };
      if (backup && 'checkpoints' in means) await makeBackup(means, ticket, backup);
      const there = looks ? await headIfThere(dest, ticket.dest.key, halt.signal) : undefined;
      return there && !sameEtag(there.etag, etag) ? { kind: 'overtaken' } : undefined;
    });
  } catch (error) {
    if (error instanceof Unfinished || halt.signal.aborted) return { kind: 'unfinished' };
    if (error instanceof Overtaken) return { kind: 'overtaken' };
    const fault = toXsyncError(error);
    if (endsRun(fault)) throw fault;
    return deleteFailed(fault);
  }
}

function deleteFailed(fault: XsyncError): Outcome {
  if (fault.code === 'precondition-failed') return { kind: 'overtaken' };
  return { kind: 'failed', fault: faultOf(fault), attempts: 1 };
}
