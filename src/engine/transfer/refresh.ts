/**
 * Attributes of an object whose bytes have not changed: compares those of both sides, and sets what differs without
 * sending the bytes again. Headers, metadata and the storage class can only be set by a copy of the object onto itself.
 * Tests: test/engine/transfer/refresh.test.ts
 */
import { type AttributeName, type Fidelity, needsRewrite, type ObjectLock, type Tags } from '../../model/attributes.js';
import { type CarryPolicy, USUAL_POLICY } from '../../model/carry-policy.js';
import { sameChecksum } from '../../model/checksum.js';
import { isXsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import type { ContentHeaders, ObjectInfo, UserMetadata } from '../../model/object.js';
import { isSameClass } from '../../model/storage-class.js';
import type { CopyTicket } from '../../model/ticket.js';
import type { ObjectStore, PutAttributes } from '../../store/port.js';
import type { Carried } from '../fidelity/carry.js';
import { type Means, mustBeWhole } from './means.js';
import { outgoing } from './outgoing.js';

export type Refreshed =
  | { kind: 'same' }
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
  const changed = await differences(means, ticket.dest.key, policy, carried, there);
  if (changed.length === 0) return { kind: 'same' };
  if (needsRewrite(changed) && !mayCopyOntoItself(dest, there)) return { kind: 'needs-copy' };
  const { fidelity } = carried;
  if (dryRun) return { kind: 'refreshed', destEtag: there.etag, changed, fidelity };
  const destEtag = await set(means, ticket, carried, there, changed);
  return destEtag === undefined ? { kind: 'needs-copy' } : { kind: 'refreshed', destEtag, changed, fidelity };
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
  if (policy.lock && attributes.lock && !holds(there.lock, { ...put.lock, ...later })) changed.push('lock');
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

/** @returns the ETag of the destination's object afterwards; undefined if it cannot be copied onto itself */
async function set(
  means: Means,
  ticket: CopyTicket,
  { put, later }: Carried,
  there: ObjectInfo,
  changed: readonly AttributeName[],
): Promise<string | undefined> {
  const { dest, halt } = means;
  const { key } = ticket.dest;
  const { signal } = halt;
  const copies = needsRewrite(changed);
  const { mtimeMs: _, ...attributes } = put;
  const losesTags = copies && dest.capabilities.attributes.tags?.onlyInPuts;
  const before = losesTags && there.tagCount !== undefined ? await dest.getTags(key, { signal }) : [];
  const etag = copies ? await copyOntoItself(means, key, attributes, there) : there.etag;
  if (etag === undefined) return undefined;
  const tags = changed.includes('tags') ? (put.tags ?? later?.tags ?? []) : before;
  // A copy has the tags that it was given, at most stores.
  const hasTags = copies && !losesTags && put.tags;
  if ((changed.includes('tags') && !hasTags) || before.length > 0) await dest.putTags(key, tags, { signal });
  const acl = put.acl ?? later?.acl ?? dest.capabilities.attributes.acl?.usual;
  if (changed.includes('acl') && !copies && acl !== undefined) await dest.putAcl(key, acl, { signal });
  if (!changed.includes('lock')) return etag;
  const { mode, untilMs } = put.lock ?? {};
  if (mode !== undefined && !copies) await dest.putLock(key, { mode, untilMs }, { signal });
  if ((put.lock?.legalHold && !copies) || later?.legalHold) await dest.putLock(key, { legalHold: true }, { signal });
  return etag;
}

/** The object cannot be copied: by this store, in its present version, or before it is restored. */
const UNCOPYABLE = ['unsupported', 'precondition-failed', 'object-archived', 'object-restoring'] as const;

async function copyOntoItself(
  { dest, halt }: Means,
  key: string,
  put: PutAttributes,
  { etag, storageClass, checksums }: ObjectInfo,
): Promise<string | undefined> {
  try {
    const options = { ...put, storageClass: put.storageClass ?? storageClass, ifMatch: etag, signal: halt.signal };
    const copied = await dest.copy(dest, key, key, options);
    const same = sameChecksum(checksums, copied.checksums);
    return same === true || (same !== false && dest.capabilities.pinsCopies) ? copied.etag : undefined;
  } catch (error) {
    if (!isXsyncError(error, ...UNCOPYABLE)) throw error;
    return undefined;
  }
}

/** An ETag that may be the MD5 of the object. */
function isSingle(etag: string | undefined): boolean {
  return etag?.includes('-') === false;
}
