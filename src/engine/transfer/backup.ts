/** Backs up the destination's object before it is overwritten or deleted. */
import type { Checkpoints } from '../../manifest/checkpoints.js';
import { compositeEtag } from '../../model/checksum.js';
import { isXsyncError, toXsyncError, XsyncError } from '../../model/error.js';
import type { BackupTarget, Ticket } from '../../model/ticket.js';
import { planCopy, routeOf } from '../plan/plan.js';
import { EtagTrust } from './etag-trust.js';
import { type Means, Unfinished } from './means.js';
import { transfer } from './transfer.js';

/** An interrupted multipart backup starts again; `xsync cleanup` finds what it left. */
const NO_CHECKPOINTS: Checkpoints = {
  upload: async () => undefined,
  beginUpload: async () => undefined,
  endUpload: async () => undefined,
  addPart: async () => undefined,
  noteHash: async () => undefined,
  parts: async () => [],
  dropParts: async () => undefined,
};

/**
 * Uses a server-side copy where possible. Does nothing if the object no longer exists.
 * @throws what the copy throws: the object must then not be overwritten or deleted
 */
export async function makeBackup(means: Means, { key, dest }: Ticket, target: BackupTarget): Promise<void> {
  try {
    const size = await copyAside(means, dest.key, target);
    means.observe({ type: 'backup', key, size, to: target.key });
  } catch (error) {
    if (isXsyncError(error, 'object-not-found')) return;
    if (error instanceof Unfinished || isXsyncError(error, 'aborted')) throw error;
    throw explained(toXsyncError(error), target);
  }
}

/** @returns the object's size in bytes */
async function copyAside(means: Means, key: string, target: BackupTarget): Promise<number> {
  const { dest, aside, halt } = means;
  if (!aside) throw new XsyncError('internal', 'a ticket requires a backup, but there is no backup store');
  const found = await dest.head(key, { signal: halt.signal });
  // Other services name their storage classes differently.
  const storageClass = target.place.kind === dest.identity.kind ? found.storageClass : undefined;
  const { partSize: wanted, attempts } = target;
  const { etag, size, mtimeMs, checksums } = found;
  const subject = {
    key,
    sourceKey: key,
    destKey: target.key,
    etag,
    size,
    mtimeMs,
    md5ofParts: compositeEtag(checksums),
  };
  const ticket = planCopy(routeOf(dest, aside, { storageClass, attempts, wanted }), subject);
  const quiet: Means = {
    ...{ ...means, source: dest, dest: aside },
    etags: { source: means.etags.dest, dest: new EtagTrust() },
    checkpoints: NO_CHECKPOINTS,
    opened: undefined,
    observe: () => undefined,
  };
  await transfer(quiet, ticket);
  return size;
}

/** Keeps the code and class, so that the fault is handled as before. */
function explained(fault: XsyncError, { text }: BackupTarget): XsyncError {
  const { code, class: kind, subject, remedy, status, serviceCode } = fault;
  const message = `not changed, because it could not be backed up to ${text}: ${fault.message}`;
  return new XsyncError(code, message, { class: kind, subject, remedy, status, serviceCode, cause: fault });
}
