/**
 * Inspects one key where the listings do not decide: sends HEADs, and with --checksum reads a local side.
 * `inspect` sends the requests; `compareInspected` is pure.
 * Tests: test/engine/decide/policies.test.ts
 */
import { type Agreement, sameChecksum } from '../../model/checksum.js';
import type { Content } from '../../model/content.js';
import { isXsyncError } from '../../model/error.js';
import { effectiveMtime, type ObjectEntry, type ObjectInfo } from '../../model/object.js';
import type { ObjectCatalog } from '../../store/port.js';
import type { CopyReason, Decision, SkipReason, TransferPolicy } from './decide.js';
import { compareLinks, type LinkKeys, linksAt } from './links.js';
import { type Both, LocalReader, type ReadingContext } from './reading.js';

type Inspect = Extract<Decision, { action: 'inspect' }>;
type Verdict = Extract<Decision, { action: 'copy' | 'skip' | 'fail' }>;

export interface Inspected {
  verdict: Verdict;
  /** The destination's object, if it has one. */
  dest?: ObjectInfo;
  /** How far apart the times of both sides are, ms; absent if they were not read. */
  apartMs?: number;
}

export interface InspectContext extends ReadingContext {
  policy: TransferPolicy;
  /** The object may be written although nobody knows what the destination has (`writesUnseen`), or its listing tells. */
  unseen: boolean;
}

/** What is known of a key before it is inspected. */
export interface Known extends LinkKeys {
  /** The source has a symbolic link, which is copied as one. */
  link?: boolean;
  /** An earlier copy failed, so an equal time does not prove equal bytes. */
  doubted?: boolean;
  /** What the listings have. */
  listed?: Both;
  /** Of the bytes that a remote side still has, since they were copied from or to the local one. */
  content?: Content;
}

/**
 * Some credentials may write objects and not read them. What the destination has is unknown then, and is overwritten.
 * @throws what HEAD throws, except object-not-found of the destination
 */
export async function inspect(context: InspectContext, keys: Known, decision: Inspect): Promise<Inspected> {
  const { policy, signal } = context;
  const forced = decision.reason === 'unlisted' && policy.compare === 'ignore-times';
  if (forced && context.unseen) return { verdict: overwrite(policy, 'forced') };
  const reader = new LocalReader(context);
  if (keys.listed && isLinked(keys, keys.listed.dest)) return { verdict: await compareLinked(context, keys) };
  if (decision.reason === 'checksums' && keys.listed) {
    const same = await compareListed(reader, keys.listed, keys.content);
    if (same) return { verdict: { action: 'skip', reason: 'same-checksum' } };
    if (same === false && !policy.update) return { verdict: overwrite(policy, decision.otherwise) };
  }
  const dest = await headIfVisible(context, keys.destKey);
  if (dest === 'hidden') return { verdict: overwrite(policy, decision.otherwise) };
  if (!dest) return { verdict: { action: 'copy', reason: decision.otherwise } };
  if (decision.reason === 'unlisted') {
    if (policy.ignoreExisting) return { verdict: { action: 'skip', reason: 'exists' }, dest };
    if (policy.compare === 'ignore-times' && !policy.update) return { verdict: overwrite(policy, 'forced'), dest };
  }
  if (isLinked(keys, dest)) return { verdict: await compareLinked(context, keys), dest };
  const source = await context.source.head(keys.sourceKey, { signal });
  const checksum = await compareChecksums(reader, policy, { source, dest });
  // With --update the difference may be known already, and only the times are missing.
  const known = decision.reason === 'times' && decision.otherwise !== 'time-differs' ? decision.otherwise : undefined;
  const verdict = compareInspected(policy, source, dest, checksum, known);
  const believed = verdict.action !== 'skip' || !isByTime(verdict.reason) || !keys.doubted;
  const apartMs = Math.abs(effectiveMtime(dest) - effectiveMtime(source));
  return { verdict: believed ? verdict : overwrite(policy, 'failed-before'), dest, apartMs };
}

function isLinked({ link }: Known, dest: ObjectEntry): boolean {
  return link === true || dest.special === 'symlink';
}

/** Of a key that has a link on one side at least: by what it points to. */
async function compareLinked(context: InspectContext, keys: Known): Promise<Verdict> {
  const { policy } = context;
  if (policy.compare === 'ignore-times') return overwrite(policy, 'forced');
  const found = keys.link ? await linksAt(context, keys) : {};
  const how = compareLinks(keys, found, policy);
  if (how === 'same') return { action: 'skip', reason: 'same-target' };
  return how === 'newer' ? { action: 'skip', reason: 'destination-newer' } : overwrite(policy, 'target-differs');
}

function isByTime(reason: SkipReason): boolean {
  return reason === 'same-time' || reason === 'size-ignored';
}

/** Without a request, by the checksum of the last copy or a listed one. A listed one that differs may not be one. */
async function compareListed(
  reader: LocalReader,
  listed: Both,
  content: Content | undefined,
): Promise<boolean | undefined> {
  if (content) return reader.hasContent(listed, content);
  return (await reader.agree(listed)) === true || undefined;
}

/** Whether a common checksum agrees; undefined if there is none. With --checksum, local sides are read for it. */
async function compareChecksums(
  reader: LocalReader,
  { compare }: TransferPolicy,
  both: { source: ObjectInfo; dest: ObjectInfo },
): Promise<boolean | undefined> {
  const { source, dest } = both;
  if (compare !== 'checksum') return certain(sameChecksum(source.checksums, dest.checksums));
  if (source.size !== dest.size) return false;
  const same = await reader.agree(both);
  // Copied once, the object has a row that proves it.
  return same !== 'hint-differs' && same;
}

function certain(same: Agreement): boolean | undefined {
  return same === 'hint-differs' ? undefined : same;
}

async function headIfVisible(
  { dest, signal, unseen }: InspectContext,
  key: string,
): Promise<ObjectInfo | 'hidden' | undefined> {
  try {
    return await headAtDestination(dest, key, signal);
  } catch (error) {
    if (unseen && isXsyncError(error, 'access-denied')) return 'hidden';
    throw error;
  }
}

export async function headIfThere(
  store: ObjectCatalog,
  key: string,
  signal: AbortSignal,
): Promise<ObjectInfo | undefined> {
  try {
    return await store.head(key, { signal });
  } catch (error) {
    if (isXsyncError(error, 'object-not-found')) return undefined;
    throw error;
  }
}

/** Like `headIfThere`; a local folder that does not exist yet has no objects. The first copy creates it. */
export async function headAtDestination(
  store: ObjectCatalog,
  key: string,
  signal: AbortSignal,
): Promise<ObjectInfo | undefined> {
  try {
    return await headIfThere(store, key, signal);
  } catch (error) {
    if (store.capabilities.local && isXsyncError(error, 'bucket-not-found')) return undefined;
    throw error;
  }
}

/**
 * @param checksum whether a common checksum agrees; undefined when there is none
 * @param known why the destination must be overwritten unless it is newer
 */
export function compareInspected(
  policy: TransferPolicy,
  source: ObjectInfo,
  dest: ObjectInfo,
  checksum: boolean | undefined,
  known?: CopyReason,
): Verdict {
  const sizeSame = source.size === dest.size;
  const apart = effectiveMtime(dest) - effectiveMtime(source);
  const timeSame = Math.abs(apart) <= policy.modifyWindowMs;
  if (policy.update && apart > policy.modifyWindowMs) return { action: 'skip', reason: 'destination-newer' };
  if (known !== undefined) return overwrite(policy, known);
  if (policy.compare === 'ignore-times') return overwrite(policy, 'forced');
  if (!sizeSame && !policy.ignoreSize) return overwrite(policy, 'size-differs');
  if (policy.compare === 'size-only') return { action: 'skip', reason: 'same-size' };
  if (checksum !== undefined) {
    return checksum ? { action: 'skip', reason: 'same-checksum' } : overwrite(policy, 'checksum-differs');
  }
  // rclone's rule: --checksum without a common checksum falls back to the size.
  if (policy.compare === 'checksum') {
    return sizeSame ? { action: 'skip', reason: 'same-size' } : overwrite(policy, 'size-differs');
  }
  if (!timeSame) return overwrite(policy, 'time-differs');
  return { action: 'skip', reason: sizeSame ? 'same-time' : 'size-ignored' };
}

function overwrite(policy: TransferPolicy, reason: CopyReason): Verdict {
  return policy.immutable ? { action: 'fail', reason: 'immutable' } : { action: 'copy', reason };
}
