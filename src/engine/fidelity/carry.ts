/**
 * Which attributes an object has at the destination, and what is lost on the way. Pure.
 *
 * | attribute | carried | kept | mapped | lost |
 * |---|---|---|---|---|
 * | content headers | always | verbatim | | |
 * | source time | always | as the file's time, or as `mtime` in the metadata | | |
 * | metadata | unless `--no-metadata` | where names, values and size fit | encoded so that reading undoes it | what is still too large; where the store keeps none |
 * | redirect | unless `--no-metadata` | at S3 | | elsewhere |
 * | tags | with `--tags` | where number, lengths and characters fit | | each tag that does not fit |
 * | ACL | with `--acl` | canned ones that both know | | grants; the ACL of the bucket (`default`); others |
 * | lock | with `--lock` | mode, end and legal hold that the destination knows; one that has ended is over | | others |
 * | storage class | with `--storage-class keep` or `map` | of the same name | of the same or a similar kind | where there is none |
 * | link | with `--links keep` | its target, below the prefix of the destination | what it points to is copied instead | a target that is not copied with it |
 * | type | | | an appendable object becomes an ordinary one | |
 *
 * What the source is known to have and nobody asked for is lost too: of tags and locks a GET tells without a request.
 */
import type { Fidelity, ObjectLock, Tag, Tags } from '../../model/attributes.js';
import type { CarryPolicy } from '../../model/carry-policy.js';
import {
  effectiveMtime,
  formatMtime,
  MTIME_METADATA,
  type ObjectInfo,
  ORIGIN_METADATA,
  type UserMetadata,
  VERSION_METADATA,
} from '../../model/object.js';
import { isPlain, spell } from '../../store/attributes/spelling.js';
import type { Capabilities, PutAttributes, TagLimits } from '../../store/port.js';
import { nameList } from './names.js';
import { Report } from './report.js';
import { carryClass } from './storage-class.js';

/** All that is known of an object. What takes a request of its own is there only if it was asked for. */
export interface Attributes extends ObjectInfo {
  tags?: Tags;
  /** A canned ACL in the store's spelling; `grants` for anything else. */
  acl?: string;
}

/** What the two sides can hold. */
export type Keeps = Pick<Capabilities, 'attributes' | 'keepsMetadata' | 'keepsMtime' | 'defaultStorageClass'>;

/** What is set by requests of their own, after the object was written. */
export interface Later {
  tags?: Tags;
  acl?: string;
  lock?: ObjectLock;
}

export interface Carried {
  put: PutAttributes & { mtimeMs?: number };
  later?: Later;
  /** Absent: nothing to tell. */
  fidelity?: Fidelity;
}

/**
 * `serviceCopiesTags`: the tags go along with a copy by the service, whether they are known or not. `version`: a
 * version of a history says in its metadata which one it is, and of what. `link`: it is copied as a link; `outside`: the key of a target
 * that is not copied with it.
 */
export type Carrying = CarryPolicy & {
  serviceCopiesTags?: boolean;
  version?: { name: string; origin: string };
  link?: { outside?: string };
};

/** @param nowMs locks that end before it are over */
export function carry(object: Attributes, from: Keeps, to: Keeps, policy: Carrying, nowMs = Date.now()): Carried {
  const report = new Report();
  const { set } = policy;
  const put: Carried['put'] = {
    headers: set ? { ...object.headers, ...set.headers } : object.headers,
    metadata: metadataFor(object, to, policy, report),
    mtimeMs: to.keepsMtime ? effectiveMtime(object) : undefined,
    storageClass: carryClass(object.storageClass, from, to, policy, report),
  };
  const { redirect, tags, tagCount, acl, lock } = object;
  const later: Later = {};
  if (redirect !== undefined && policy.metadata) report.settle('redirect', putRedirect(put, redirect, to));
  if (tags?.length) report.settle('tags', ...putTags(put, later, tags, to.attributes.tags));
  else if (tagCount !== undefined) reportTags(policy, to, report);
  // Without ACLs everything is as private as the folder.
  const speaks = to.attributes.acl !== undefined || acl !== from.attributes.acl?.usual;
  if (acl !== undefined && speaks) report.settle('acl', putAcl(put, acl, from, to));
  const held = lock && binding(lock, nowMs);
  if (held)
    report.settle('lock', ...(policy.lock ? putLock(put, later, held, to) : ['not requested; --lock copies it']));
  reportType(object, policy, report);
  return { put, later: Object.keys(later).length > 0 ? later : undefined, fidelity: report.result };
}

function reportType({ special }: Attributes, { link }: Carrying, report: Report): void {
  if (special === 'appendable') report.map('type', 'appendable; the copy is an ordinary object');
  if (special !== 'symlink') return;
  if (!link) report.map('link', 'what it points to was copied in its place');
  else report.settle('link', link.outside && `it points to ${nameList([link.outside])}, which is not copied with it`);
}

/** Tags that nobody read. */
function reportTags({ tags, serviceCopiesTags }: Carrying, to: Keeps, report: Report): void {
  if (serviceCopiesTags) report.keep('tags');
  else if (!to.attributes.tags) report.lose('tags', 'the destination keeps none');
  else if (!tags) report.lose('tags', 'not requested; --tags copies them');
}

/** With the source's time under rclone's name, if the destination has no times of its own. */
function metadataFor(object: Attributes, to: Keeps, policy: Carrying, report: Report): UserMetadata {
  const { metadata, set, version } = policy;
  const { [MTIME_METADATA]: mtime = formatMtime(object.mtimeMs), ...others } = object.metadata;
  const own = { ...(metadata && others), ...set?.metadata };
  const carried: UserMetadata = to.keepsMtime ? { ...own } : { [MTIME_METADATA]: mtime, ...own };
  if (version) Object.assign(carried, { [VERSION_METADATA]: version.name, [ORIGIN_METADATA]: version.origin });
  const has = Object.keys(own).length > 0;
  if (!to.keepsMetadata) {
    if (has) report.lose('metadata', 'the destination keeps none');
    return {};
  }
  const limits = to.attributes.metadata;
  if (!limits || isPlain(carried, limits)) {
    if (has) report.keep('metadata');
    return carried;
  }
  const { encoded, left } = spell(carried, limits);
  if (left.length > 0 && !to.keepsMtime) {
    // What the user wrote matters more.
    const { [MTIME_METADATA]: _, ...timeless } = carried;
    if (spell(timeless, limits).left.length === 0) {
      report.lose('metadata', `the time of the source exceeded the ${limits.maxBytes} bytes that fit`);
      return timeless;
    }
  }
  if (left.length > 0) report.lose('metadata', `${nameList(left)} exceeded the ${limits.maxBytes} bytes that fit`);
  else if (encoded.length > 0) report.map('metadata', `${nameList(encoded)} encoded`);
  else report.keep('metadata');
  const lost = new Set(left);
  return Object.fromEntries(Object.entries(carried).filter(([name]) => !lost.has(name.toLowerCase())));
}

/** The functions below return why the attribute, or a part of it, is lost. */
function putRedirect(put: PutAttributes, redirect: string, to: Keeps): string | undefined {
  if (!to.attributes.redirect) return 'the destination keeps none';
  put.redirect = redirect;
  return undefined;
}

function putTags(put: PutAttributes, later: Later, tags: Tags, limits: TagLimits | undefined): string[] {
  if (!limits) return ['the destination keeps none'];
  const reasons = tags.map((tag, index) => misfit(tag, index, limits));
  const fitting = tags.filter((_, index) => reasons[index] === undefined);
  if (headerLength(fitting) > limits.maxHeader) later.tags = fitting;
  else if (fitting.length > 0) put.tags = fitting;
  return tags.flatMap(({ key }, index) => (reasons[index] ? [`${nameList([key])} ${reasons[index]}`] : []));
}

/** Why the destination cannot hold the tag. */
function misfit({ key, value }: Tag, index: number, limits: TagLimits): string | undefined {
  if (index >= limits.count) return `is beyond the ${limits.count} tags of an object`;
  if (key.length > limits.key || value.length > limits.value) return 'is too long';
  if (limits.reserved?.test(key)) return 'is reserved';
  const fits = limits.characters.test(key) && limits.characters.test(value);
  return fits ? undefined : `has characters other than ${limits.allowed}`;
}

function headerLength(tags: Tags): number {
  return tags.reduce((sum, { key, value }) => sum + encodeURIComponent(key + value).length + 2, 0);
}

function putAcl(put: PutAttributes, acl: string, from: Keeps, to: Keeps): string | undefined {
  const limits = to.attributes.acl;
  if (!limits) return 'the destination has none';
  if (acl === 'grants') return 'grants to single accounts are not copied';
  if (!limits.canned.includes(acl)) {
    const inherited = acl === from.attributes.acl?.inherits;
    return inherited ? "it is the bucket's, which is not copied" : `the destination has no ${acl}`;
  }
  if (limits.explicit || acl !== limits.usual) put.acl = acl;
  return undefined;
}

/** What of the lock still binds. */
function binding({ mode, untilMs = 0, legalHold }: ObjectLock, nowMs: number): ObjectLock | undefined {
  const retained = mode !== undefined && untilMs > nowMs;
  if (retained) return { mode, untilMs, legalHold };
  return legalHold ? { legalHold } : undefined;
}

function putLock(put: PutAttributes, later: Later, { mode, untilMs, legalHold }: ObjectLock, to: Keeps): string[] {
  const limits = to.attributes.lock;
  if (!limits) return ['the destination has none'];
  const reasons: string[] = [];
  const lock: ObjectLock = {};
  const knowsMode = mode !== undefined && limits.modes.includes(mode);
  if (knowsMode) Object.assign(lock, { mode, untilMs });
  else if (mode !== undefined) reasons.push(`the destination has no ${mode} mode`);
  if (legalHold && limits.hold === 'write') lock.legalHold = true;
  else if (legalHold && limits.hold === 'request') later.lock = { legalHold };
  else if (legalHold) reasons.push('the destination has no legal holds');
  if (knowsMode || lock.legalHold) put.lock = lock;
  return reasons;
}
