/** Makes tickets: the only place that decides how an object is copied and cut. */
import type { UploadRow } from '../../manifest/checkpoints.js';
import type { CarryPolicy } from '../../model/carry-policy.js';
import { sameEtag } from '../../model/etag.js';
import { originOf } from '../../model/object.js';
import {
  type BackupTarget,
  type CopyTicket,
  type DeleteTicket,
  type DeleteVersionTicket,
  type MarkerTicket,
  type Place,
  TICKET_VERSION,
} from '../../model/ticket.js';
import type { AttributeLimits, Capabilities, ObjectStore, RequestKind } from '../../store/port.js';
import { cutOf } from './cut.js';

/** What all copies of a run share. */
export interface Route {
  source: Place;
  dest: Place;
  /** Of the destination. */
  limits: Capabilities;
  /** The destination's service makes the copy (server-side copy). */
  byService: boolean;
  carry?: CarryPolicy;
  /** Attempts per version of an object. */
  attempts: number;
  /** --part-size. */
  wanted?: number;
  /** The largest part, bytes. */
  most?: number;
}

/** One version of one object, and its full keys on both sides. */
export interface Subject extends Pick<CopyTicket['source'], 'etag' | 'versionId' | 'size' | 'mtimeMs' | 'md5ofParts'> {
  key: string;
  sourceKey: string;
  destKey: string;
  replaces?: string;
  expects?: string;
  firm?: true;
  backup?: BackupTarget;
  versionName?: string;
  /** As in a ticket. */
  twin?: CopyTicket['dest']['twin'];
  /** A symbolic link: `keep` copies it as one; of `follow`, the bytes of what it points to pass through this program. */
  link?: 'keep' | 'follow';
}

/** What is known only when a copy starts. */
export interface CutHints {
  /** An unfinished upload of the key that has parts. */
  checkpoint?: UploadRow;
  /** The tuner's part size, bytes. */
  tuned?: number;
  /** Part size that the source was uploaded with, bytes, if its store returned it. */
  sourcePartSize?: number;
}

export function routeOf(
  source: ObjectStore,
  dest: ObjectStore,
  options: Pick<Route, 'carry' | 'attempts' | 'wanted' | 'most'>,
): Route {
  const limits = dest.capabilities;
  const places = { source: placeOf(source), dest: placeOf(dest), limits };
  return {
    ...places,
    // It may turn out during the run that the service does not copy.
    get byService() {
      return limits.maxCopySize > 0 && dest.copyableFrom(source);
    },
    ...options,
    carry: options.carry && askable(options.carry, source.capabilities, limits),
  };
}

/**
 * Tags and ACLs are asked for only where the source has some and the destination keeps some. Responses tell how many tags
 * are lost otherwise; of an ACL they tell nothing, so that a strict copy has to ask.
 */
function askable({ tags, acl, ...policy }: CarryPolicy, from: Capabilities, to: Capabilities): CarryPolicy {
  const asksTags = tags && from.attributes.tags && to.attributes.tags;
  const asksAcl = acl && from.attributes.acl && (to.attributes.acl ?? policy.fidelity === 'strict');
  return { ...policy, ...(asksTags && { tags }), ...(asksAcl && { acl }) };
}

/** A ticket that copies the subject. */
export function planCopy(route: Route, subject: Subject, hints: CutHints = {}): CopyTicket {
  const { key, sourceKey, destKey, etag, versionId, size, mtimeMs, md5ofParts } = subject;
  const { replaces, expects, firm, backup, versionName, twin, link } = subject;
  const { limits, wanted, most, carry, attempts } = route;
  const byService = twin !== undefined || (route.byService && link !== 'follow');
  const { checkpoint, tuned, sourcePartSize } = hints;
  const resumes = checkpoint !== undefined && sameEtag(checkpoint.sourceEtag, etag) && checkpoint.size === size;
  return {
    version: TICKET_VERSION,
    action: 'copy',
    key,
    source: {
      place: route.source,
      key: sourceKey,
      etag,
      versionId,
      size,
      mtimeMs,
      md5ofParts,
      partSize: sourcePartSize,
    },
    dest: { place: route.dest, key: destKey, replaces, expects, firm, backup, versionName, twin },
    way: link === 'keep' ? 'link' : byService ? 'server' : 'client',
    cut: cutOf({
      size,
      limits,
      byService,
      wanted,
      tuned,
      most,
      md5ofParts,
      source: sourcePartSize,
      checkpoint: resumes ? checkpoint.partSize : undefined,
    }),
    carry,
    attempts,
  };
}

/** The ticket of a copy that the service turned out not to make. */
export function byClient(ticket: CopyTicket, limits: Capabilities): CopyTicket {
  const { size, md5ofParts } = ticket.source;
  return { ...ticket, way: 'client', cut: cutOf({ size, md5ofParts, limits, byService: false }) };
}

/** A ticket that deletes an object at the route's destination. */
export function planDelete(route: Route, key: string, dest: Omit<DeleteTicket['dest'], 'place'>): DeleteTicket {
  return { version: TICKET_VERSION, action: 'delete', key, dest: { place: route.dest, ...dest } };
}

/** A ticket that adds a delete marker at the route's destination. */
export function planMarker(route: Route, key: string, destKey: string): MarkerTicket {
  return { version: TICKET_VERSION, action: 'mark', key, dest: { place: route.dest, key: destKey } };
}

/** A ticket that deletes a version at the route's destination for good. */
export function planVersionDelete(
  route: Pick<Route, 'dest'>,
  key: string,
  dest: Omit<DeleteVersionTicket['dest'], 'place'>,
): DeleteVersionTicket {
  return { version: TICKET_VERSION, action: 'delete-version', key, dest: { place: route.dest, ...dest } };
}

/** Tells the object of a store from all others. */
export function originIn(store: Pick<ObjectStore, 'originOf' | 'identity'>, key: string): string {
  return store.originOf?.(key) ?? originOf(store.identity, key);
}

/** The place that a store's objects are at. */
export function placeOf({ identity: { kind, endpoint, bucket } }: ObjectStore): Place {
  return { kind, endpoint, bucket };
}

type Requests = Partial<Record<RequestKind, number>>;

/**
 * Requests per side that a copy needs if nothing fails. Listings do not tell which objects have tags, an ACL or a lock: all
 * of them, here.
 * @param keeps of the destination
 */
export function requestsOf(ticket: CopyTicket, keeps: AttributeLimits): { source: Requests; destination: Requests } {
  const { source, destination } = requestsOfBytes(ticket);
  const { tags, acl } = ticket.carry ?? {};
  // A single copy by the service has the tags of its source, which is not a twin's.
  const copiesTags = ticket.way === 'server' && ticket.cut.parts === 1 && !ticket.dest.twin;
  if (tags && !copiesTags) source.getTags = 1;
  if (acl) source.getAcl = 1;
  return { source, destination: { ...destination, ...requestsAfter(ticket, keeps) } };
}

/** What the write itself cannot set (engine/transfer/attribute-writes.ts). */
function requestsAfter({ carry, way, cut: { parts } }: CopyTicket, { tags, acl, lock }: AttributeLimits): Requests {
  if (!carry || way === 'link') return {};
  const isPut = way === 'client' && parts === 1;
  const after: Requests = {};
  if (carry.tags && tags && (tags.maxHeader === 0 || (tags.onlyInPuts && !isPut))) after.putTags = 1;
  if (carry.acl && acl?.notInUploads && parts > 1) after.putAcl = 1;
  if (!carry.lock || !lock) return after;
  const retention = lock.onlyInPuts && !isPut;
  const hold = lock.hold === 'request' || (lock.hold === 'write' && retention);
  if (retention || hold) after.putLock = Number(retention ?? false) + Number(hold);
  return after;
}

function requestsOfBytes({ cut: { parts }, way, source }: CopyTicket): { source: Requests; destination: Requests } {
  if (way === 'link') return { source: { getLink: 1 }, destination: { putLink: 1, getLink: 1 } };
  if (way === 'server') {
    const copies = parts === 1 ? { copy: 1 } : { createUpload: 1, uploadPartCopy: parts, completeUpload: 1 };
    return { source: { head: 1 }, destination: copies };
  }
  const writes = parts === 1 ? { put: 1 } : { createUpload: 1, uploadPart: parts, completeUpload: 1 };
  const reads: Requests = { read: parts };
  if (parts > 1 && source.md5ofParts !== undefined) reads.head = 1;
  return { source: reads, destination: writes };
}
