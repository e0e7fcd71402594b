/** Copies the destination's object to where backups are kept, before it is overwritten or deleted. */
import type { Checkpoints } from '../../manifest/checkpoints.js';
import { isXsyncError, toXsyncError, XsyncError } from '../../model/error.js';
import type { BackupTarget, Ticket } from '../../model/ticket.js';
import { planCopy, routeOf } from '../plan/plan.js';
import { type Means, Unfinished } from './means.js';
import { transfer } from './transfer.js';

/** An upload that is interrupted here begins again; `xsync cleanup` finds what it left. */
const NO_CHECKPOINTS: Checkpoints = {
  upload: async () => undefined,
  beginUpload: async () => undefined,
  endUpload: async () => undefined,
  addPart: async () => undefined,
  parts: async () => [],
  dropParts: async () => undefined,
};

/**
 * By the service where it can. Nothing to do when the object is not there any more.
 * @throws whatever the copy throws: then the object must not be touched
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

/** @returns the bytes of what was kept */
async function copyAside(means: Means, key: string, target: BackupTarget): Promise<number> {
  const { dest, aside, halt } = means;
  if (!aside) throw new XsyncError('internal', 'a ticket asks for a backup, and there is no place for it');
  const found = await dest.head(key, { signal: halt.signal });
  // Another service has classes of other names.
  const storageClass = target.place.kind === dest.identity.kind ? found.storageClass : undefined;
  const { partSize: wanted, attempts } = target;
  const { etag, size, mtimeMs, checksums } = found;
  const subject = { key, sourceKey: key, destKey: target.key, etag, size, mtimeMs, md5ofParts: checksums.md5ofParts };
  const ticket = planCopy(routeOf(dest, aside, { storageClass, attempts, wanted }), subject);
  const quiet: Means = {
    ...{ ...means, source: dest, dest: aside },
    checkpoints: NO_CHECKPOINTS,
    opened: undefined,
    observe: () => undefined,
  };
  await transfer(quiet, ticket);
  return size;
}

/** Same code and class, so that it is treated as the fault that it is. */
function explained(fault: XsyncError, { text }: BackupTarget): XsyncError {
  const { code, class: kind, subject, remedy, status, serviceCode } = fault;
  const message = `left as it is, since it could not be kept aside in ${text}: ${fault.message}`;
  return new XsyncError(code, message, { class: kind, subject, remedy, status, serviceCode, cause: fault });
}
