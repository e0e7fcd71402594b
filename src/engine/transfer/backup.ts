/** Backs up the destination's object before it is overwritten or deleted. */

import type { Checkpoints } from '../../manifest/checkpoints.js';
import { USUAL_POLICY } from '../../model/carry-policy.js';
import { compositeEtag, sameChecksum } from '../../model/checksum.js';
import { isXsyncError, toXsyncError, XsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import type { ObjectInfo } from '../../model/object.js';
import type { BackupTarget, CopyTicket, DeleteTicket } from '../../model/ticket.js';
import type { ObjectStore } from '../../store/port.js';
import { headIfThere } from '../decide/inspect.js';
import { agreeWhenRead, checksumsOf, LocalReader } from '../decide/reading.js';
import { besides } from '../plan/backup.js';
import { isRefusedBeside } from '../plan/fault.js';
import { planCopy, routeOf } from '../plan/plan.js';
import { EtagTrust } from './etag-trust.js';
import { backUpLink } from './links.js';
import { type Means, Overtaken, Unfinished } from './means.js';
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

/** Backups of one key that may be beside each other. */
const MOST_NAMES = 100;
/** Losers of conflicts that may be kept of one key. */
const MOST_NUMBERS = 1000;

/**
 * Uses a server-side copy where possible. Does nothing if the object no longer exists, or if it is what the ticket would
 * write.
 * @throws what the copy throws: the object must then not be overwritten or deleted; Overtaken: it is not the version
 *   that the ticket deletes or firmly replaces
 */
export async function makeBackup(means: Means, ticket: CopyTicket | DeleteTicket, target: BackupTarget): Promise<void> {
  const { dest, aside, halt } = means;
  if (!aside) throw new XsyncError('internal', 'a ticket requires a backup, but there is no backup store');
  try {
    const found = await headIfThere(dest, ticket.dest.key, halt.signal);
    if (!found) return;
    mustBeCompared(ticket, found);
    const key = await nameFor(means, aside, ticket, target, found);
    if (key === undefined) return;
    const to = await copyAside(means, aside, ticket.key, found, { ...target, key });
    means.observe({ type: 'backup', key: ticket.key, size: found.size, to });
  } catch (error) {
    if (isXsyncError(error, 'object-not-found')) return;
    if (error instanceof Unfinished || error instanceof Overtaken || isXsyncError(error, 'aborted')) throw error;
    throw explained(toXsyncError(error), target);
  }
}

function mustBeCompared(ticket: CopyTicket | DeleteTicket, found: ObjectInfo): void {
  const etag = ticket.action === 'delete' ? ticket.dest.etag : ticket.dest.firm && ticket.dest.expects;
  if (etag !== undefined && !sameEtag(etag, found.etag)) throw new Overtaken();
}

/**
 * The key of the backup; undefined if the object needs none. Without doubt it is the usual one, and an older backup of
 * that name is replaced. If an earlier attempt may already have replaced the object, the usual one may hold the only copy
 * of what it replaced: it stays, and the object gets the next free name.
 */
async function nameFor(
  means: Means,
  aside: ObjectStore,
  ticket: CopyTicket | DeleteTicket,
  target: BackupTarget,
  found: ObjectInfo,
): Promise<string | undefined> {
  if (target.numbered !== undefined) return numberedName(means, aside, target, found);
  const { key, before } = target;
  if (before === undefined || before === found.etag) return key;
  if (await isWrittenAlready(means, ticket, found)) return undefined;
  for (let copy = 1; copy <= MOST_NAMES; copy++) {
    const name = besides(key, copy);
    const there = await headIfThere(aside, name, means.halt.signal);
    if (!there) return name;
    if (there.size === found.size && sameChecksum(there.checksums, found.checksums) === true) return undefined;
  }
  throw new XsyncError('limit', `there are ${MOST_NAMES} backups of it already`, { class: 'person', subject: key });
}

/**
 * The key with the first number that is free at both sides. Undefined if an interrupted run has kept the object already,
 * or somebody has, under such a name.
 */
async function numberedName(
  means: Means,
  aside: ObjectStore,
  target: BackupTarget,
  found: ObjectInfo,
): Promise<string | undefined> {
  const { source, halt } = means;
  const { other = '', known = 0 } = target.numbered ?? {};
  for (let n = 1; n <= MOST_NUMBERS; n++) {
    const name = `${target.key}${n}`;
    const there = await headIfThere(aside, name, halt.signal);
    const isFound = there !== undefined && (await haveSameBytes(means, [aside, there], [means.dest, found]));
    if (there && !isFound) continue;
    const beyond = await headIfThere(source, `${other}${n}`, halt.signal);
    if (!there && !beyond) return name;
    if (!there) continue;
    // What one side no longer has, or has changed, is about to go from the other side as well.
    const stays = beyond ? await haveSameBytes(means, [aside, there], [source, beyond]) : n > known;
    if (stays) return undefined;
  }
  throw new XsyncError('limit', `there are ${MOST_NUMBERS} kept objects of it already`, {
    class: 'person',
    subject: target.key,
    remedy: 'Delete those that are not needed.',
  });
}

/** Reads both if nothing else tells. */
async function haveSameBytes(
  { budget, halt }: Means,
  [source, one]: [ObjectStore, ObjectInfo],
  [dest, other]: [ObjectStore, ObjectInfo],
): Promise<boolean> {
  if (one.size !== other.size) return false;
  const context = { source, dest, budget, signal: halt.signal };
  const both = { source: one, dest: other };
  const same = await new LocalReader(context).agree(both);
  return typeof same === 'boolean' ? same : agreeWhenRead(context, both);
}

/** The destination's object has the bytes that the ticket would write: an attempt succeeded, and its answer was lost. */
async function isWrittenAlready(means: Means, ticket: CopyTicket | DeleteTicket, found: ObjectInfo): Promise<boolean> {
  if (ticket.action === 'delete' || ticket.source.size !== found.size) return false;
  const { source, budget, halt } = means;
  const { key, etag, size } = ticket.source;
  const checksums = source.capabilities.local
    ? await checksumsOf({ budget, signal: halt.signal }, source, { key, size, etag })
    : (await headIfThere(source, key, halt.signal))?.checksums;
  return sameChecksum(checksums ?? {}, found.checksums) === true;
}

/** @returns the key of the backup: another one where an older backup keeps a tree from holding the wanted one */
async function copyAside(
  means: Means,
  aside: ObjectStore,
  key: string,
  found: ObjectInfo,
  target: BackupTarget,
): Promise<string> {
  try {
    await copyTo(means, aside, key, found, target);
    return target.key;
  } catch (error) {
    if (!isInTheWay(aside, target.key, error)) throw error;
    for await (const name of namesAround(means, aside, target.key, key.split('/').length)) {
      try {
        await copyTo(means, aside, key, found, { ...target, key: name });
        return name;
      } catch (again) {
        if (!isInTheWay(aside, name, again)) throw again;
      }
    }
    throw error;
  }
}

function isInTheWay(aside: ObjectStore, key: string, error: unknown): boolean {
  return isXsyncError(error) && isRefusedBeside(aside, key, error.code);
}

/**
 * Free names near that of a backup that a tree cannot hold: `a~2/b` where `a` is an object, otherwise `b~2` for `b`.
 * @param below how many components of the key may change, from its end
 */
async function* namesAround(means: Means, aside: ObjectStore, key: string, below: number): AsyncGenerator<string> {
  const parts = key.split('/');
  const isThere = async (name: string) => (await headIfThere(aside, name, means.halt.signal)) !== undefined;
  const upTo = (index: number) => parts.slice(0, index + 1).join('/');
  // The name of a folder marker ends in an empty component.
  const last = parts.length - (key.endsWith('/') ? 2 : 1);
  let at = Math.max(0, parts.length - below);
  while (at < last && !(await isThere(upTo(at)))) at++;
  for (let copy = 2; copy <= MOST_NAMES; copy++) {
    const start = besides(upTo(at), copy);
    const name = [start, ...parts.slice(at + 1)].join('/');
    if (!(await isThere(start)) && (name === start || !(await isThere(name)))) yield name;
  }
}

async function copyTo(
  means: Means,
  aside: ObjectStore,
  key: string,
  found: ObjectInfo,
  target: BackupTarget,
): Promise<void> {
  const { dest } = means;
  if (found.special === 'symlink') return backUpLink(means, aside, found.key, target.key);
  // Other services name their storage classes differently.
  const storageClass = target.place.kind === dest.identity.kind ? found.storageClass : undefined;
  const { partSize: wanted, attempts, tags, acl } = target;
  const carry = { ...USUAL_POLICY, storageClass, tags, acl };
  const { key: sourceKey, etag, size, mtimeMs, checksums } = found;
  const subject = { key, sourceKey, destKey: target.key, etag, size, mtimeMs, md5ofParts: compositeEtag(checksums) };
  const ticket = planCopy(routeOf(dest, aside, { carry, attempts, wanted }), subject);
  const quiet: Means = {
    ...{ ...means, source: dest, dest: aside },
    etags: { source: means.etags.dest, dest: new EtagTrust() },
    refusals: new Map(),
    checkpoints: NO_CHECKPOINTS,
    opened: undefined,
    observe: () => undefined,
  };
  await transfer(quiet, ticket);
}

/** Keeps the code and class, so that the fault is handled as before; but not as if the source were archived. */
function explained(fault: XsyncError, { text }: BackupTarget): XsyncError {
  const { class: kind, subject, remedy, status, serviceCode } = fault;
  const message = `not changed, because it could not be backed up to ${text}: ${fault.message}`;
  const code = fault.code === 'object-archived' ? 'unsupported-object' : fault.code;
  return new XsyncError(code, message, { class: kind, subject, remedy, status, serviceCode, cause: fault });
}
