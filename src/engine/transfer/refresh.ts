/**
 * Attributes of an object whose bytes have not changed: compares those of both sides, and sets what differs without
 * sending the bytes again. Headers, metadata and the storage class can only be set by a copy of the object onto itself.
 * Tests: test/engine/transfer/refresh.test.ts
 */
import { type AttributeName, type Fidelity, needsRewrite, type ObjectLock, type Tags } from '../../model/attributes.js';
import { type CarryPolicy, USUAL_POLICY } from '../../model/carry-policy.js';
import { sameChecksum } from '../../model/checksum.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import type { ContentHeaders, ObjectInfo, UserMetadata } from '../../model/object.js';
import { isSameClass } from '../../model/storage-class.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { Capabilities, ObjectStore, WriteResult } from '../../store/port.js';
import type { Carried, Later } from '../fidelity/carry.js';
import { forCopy, type Written, writeLater, writeWith } from './attribute-writes.js';
import { type Means, mustBeWhole } from './means.js';
import { outgoing } from './outgoing.js';

export type Refreshed =
  | { kind: 'same'; fidelity?: Fidelity }
  | { kind: 'refreshed'; destEtag: string; changed: AttributeName[]; fidelity?: Fidelity }
  /** The destination cannot change them without the bytes. */
  | { kind: 'needs-copy' };

/**
 * Two HEADs, and with tags or ACLs as many requests on each side as a copy needs.
 * @param dryRun compares only
 * @throws source-changed, attributes-lost, and what the stores throw
 */
export async function refreshAttributes(means: Means, ticket: CopyTicket, dryRun: boolean): Promise<Refreshed> {
  const { source, dest, halt } = means;
  const { signal } = halt;
  const [info, there] = await Promise.all([
    source.head(ticket.source.key, { signal }),
    dest.head(ticket.dest.key, { signal }),
  ]);
  mustBeWhole(ticket, info);
  if (!sameEtag(there.etag, ticket.dest.replaces)) return { kind: 'needs-copy' };
  const policy = ticket.carry ?? USUAL_POLICY;
  const carried = await outgoing(means, ticket, info);
  const differing = await differences(means, ticket.dest.key, policy, carried, there);
  // A version of a history is written once. Only what is set by requests of its own can be missing.
  const changed = ticket.dest.versionName === undefined ? differing : differing.filter((name) => !needsRewrite([name]));
  const { fidelity } = carried;
  if (changed.length === 0) return { kind: 'same', fidelity };
  if (needsRewrite(changed) && !mayCopyOntoItself(dest, there)) return { kind: 'needs-copy' };
  if (dryRun) return { kind: 'refreshed', destEtag: there.etag, changed, fidelity };
  const set = needsRewrite(changed)
    ? await rewrite(means, ticket, carried, there, changed)
    : { answer: there, carried: await writeLater(means, ticket, onlyThe(changed, carried, dest.capabilities)) };
  if (!set) return { kind: 'needs-copy' };
  return { kind: 'refreshed', destEtag: set.answer.etag, changed, fidelity: set.carried.fidelity };
}

/** What is known before the request. */
function mayCopyOntoItself(dest: ObjectStore, { size, archive, checksums }: ObjectInfo): boolean {
  const { maxCopySize, pinsCopies } = dest.capabilities;
  if (size > maxCopySize || maxCopySize === 0 || !dest.copyableFrom(dest)) return false;
  if (archive === 'frozen' || archive === 'restoring') return false;
  // A store that ignores the condition may copy what somebody writes just now; without a checksum nobody would notice.
  return pinsCopies === true || Boolean(checksums.md5 ?? checksums.crc64ecma) || isSingle(checksums.etagHint);
}

async function differences(
  { dest, halt }: Means,
  key: string,
  policy: CarryPolicy,
  { put, later }: Carried,
  there: ObjectInfo,
): Promise<AttributeName[]> {
  const { signal } = halt;
  const changed: AttributeName[] = [];
  const { attributes } = dest.capabilities;
  if (!sameFields(put.headers ?? {}, there.headers)) changed.push('headers');
  if (!sameFields(put.metadata ?? {}, there.metadata)) changed.push('metadata');
  if (policy.metadata && attributes.redirect && put.redirect !== there.redirect) changed.push('redirect');
  if (policy.storageClass !== undefined && differsInClass(put.storageClass, there, dest)) changed.push('storage-class');
  if (policy.tags && attributes.tags) {
    const has = there.tagCount === undefined ? [] : await dest.getTags(key, { signal });
    if (!sameTags(put.tags ?? later?.tags ?? [], has)) changed.push('tags');
  }
  if (policy.acl && attributes.acl) {
    const wanted = put.acl ?? later?.acl ?? attributes.acl.usual;
    if (wanted !== (await dest.getAcl(key, { signal }))) changed.push('acl');
  }
  if (policy.lock && attributes.lock && !holds(there.lock, { ...put.lock, ...later?.lock })) changed.push('lock');
  return changed;
}

/** An archived object stays where it is: most likely a rule of the destination has moved it there. */
function differsInClass(
  wanted: string | undefined,
  { storageClass, special }: ObjectInfo,
  { capabilities: { defaultStorageClass } }: ObjectStore,
): boolean {
  if (wanted === undefined || special === 'archived') return false;
  return !isSameClass(wanted, storageClass ?? defaultStorageClass);
}

/** Absent ones on the left may be there on the right only as the defaults of the store: a content type. */
function sameFields(a: ContentHeaders | UserMetadata, b: ContentHeaders | UserMetadata): boolean {
  const left = new Map(Object.entries(a).filter(([, value]) => value !== undefined));
  const right = new Map(
    Object.entries(b).filter(([name, value]) => value !== undefined && (left.has(name) || name !== 'contentType')),
  );
  return left.size === right.size && [...left].every(([name, value]) => right.get(name) === value);
}

function sameTags(a: Tags, b: Tags): boolean {
  const text = (tags: Tags) =>
    tags
      .map(({ key, value }) => JSON.stringify([key, value]))
      .sort()
      .join();
  return text(a) === text(b);
}

/** A lock may be longer than it has to be: it can often not be shortened. */
function holds(there: ObjectLock = {}, wanted: ObjectLock): boolean {
  if (wanted.legalHold && !there.legalHold) return false;
  return wanted.mode === undefined || (there.mode === wanted.mode && (there.untilMs ?? 0) >= (wanted.untilMs ?? 0));
}

/** What has changed, each by a request of its own. */
function onlyThe(changed: readonly AttributeName[], carried: Carried, { attributes }: Capabilities): Carried {
  const { put, later } = carried;
  const set: Later = {};
  if (changed.includes('tags')) set.tags = put.tags ?? later?.tags ?? [];
  if (changed.includes('acl')) set.acl = put.acl ?? later?.acl ?? attributes.acl?.usual;
  if (changed.includes('lock')) set.lock = { ...put.lock, ...later?.lock };
  return { ...carried, later: set };
}

/** The object cannot be copied: by this store, in its present version, or before it is restored. */
const UNCOPYABLE = ['unsupported', 'precondition-failed', 'object-archived', 'object-restoring'] as const;

/** Sets all of them by a copy onto itself, which makes a new object. @returns undefined if it cannot be made */
async function rewrite(
  means: Means,
  ticket: CopyTicket,
  carried: Carried,
  there: ObjectInfo,
  changed: readonly AttributeName[],
): Promise<Written<WriteResult> | undefined> {
  const { dest, halt } = means;
  const { key } = ticket.dest;
  const { tags: limits } = dest.capabilities.attributes;
  const losesTags = limits?.onlyInPuts && there.tagCount !== undefined && !changed.includes('tags');
  const before = losesTags ? await dest.getTags(key, { signal: halt.signal }) : undefined;
  // A copy has the tags of the object, unless it is given others.
  const kept = changed.includes('tags') && !limits?.onlyInPuts && !carried.put.tags ? [] : before;
  try {
    const copied = await writeWith(means, ticket, forCopy(carried, dest.capabilities), (put) =>
      copyOntoItself(means, key, put, there),
    );
    const { later } = copied.carried;
    const all = later || kept ? { ...copied.carried, later: { tags: kept, ...later } } : copied.carried;
    return { answer: copied.answer, carried: await writeLater(means, ticket, all) };
  } catch (error) {
    if (!isXsyncError(error, ...UNCOPYABLE)) throw error;
    return undefined;
  }
}

/** @throws precondition-failed: another version was copied */
async function copyOntoItself(
  { dest, halt }: Means,
  key: string,
  { mtimeMs: _, ...put }: Carried['put'],
  { etag, storageClass, checksums }: ObjectInfo,
): Promise<WriteResult> {
  const options = { ...put, storageClass: put.storageClass ?? storageClass, ifMatch: etag, signal: halt.signal };
  const copied = await dest.copy(dest, key, key, options);
  const same = sameChecksum(checksums, copied.checksums);
  if (same === true || (same !== false && dest.capabilities.pinsCopies)) return copied;
  throw new XsyncError('precondition-failed', 'was written again meanwhile', { subject: key });
}

/** An ETag that may be the MD5 of the object. */
function isSingle(etag: string | undefined): boolean {
  return etag?.includes('-') === false;
}
