/**
 * Inspects one key where the listings do not decide: sends HEADs, and with --checksum reads a local side.
 * `inspect` sends the requests; `compareInspected` is pure.
 */

import { combineCrc64ecma } from '../../hash/combine.js';
import { crc64ecma, Md5Stream } from '../../hash/index.js';
import { type Checksums, commonChecksum } from '../../model/checksum.js';
import { isXsyncError } from '../../model/error.js';
import { effectiveMtime, type ObjectInfo } from '../../model/object.js';
import type { ObjectBytes, ObjectCatalog, ObjectStore } from '../../store/port.js';
import type { MemoryBudget } from '../flow/budget.js';
import type { CopyReason, Decision, TransferPolicy } from './decide.js';

type Inspect = Extract<Decision, { action: 'inspect' }>;
type Verdict = Extract<Decision, { action: 'copy' | 'skip' | 'fail' }>;

export interface Inspected {
  verdict: Verdict;
  /** The destination's object, if it has one. */
  dest?: ObjectInfo;
}

export interface InspectContext {
  source: ObjectStore;
  dest: ObjectStore;
  budget: MemoryBudget;
  policy: TransferPolicy;
  signal: AbortSignal;
  /** The object may be written although nobody knows what the destination has (`writesUnseen`), or its listing tells. */
  unseen: boolean;
}

/**
 * Some credentials may write objects and not read them. What the destination has is unknown then, and is overwritten.
 * @param doubted an earlier copy failed, so an equal time does not prove equal bytes
 * @throws what HEAD throws, except object-not-found of the destination
 */
export async function inspect(
  context: InspectContext,
  keys: { sourceKey: string; destKey: string },
  decision: Inspect,
  doubted: boolean,
): Promise<Inspected> {
  const { signal, policy } = context;
  const forced = decision.reason === 'unlisted' && policy.compare === 'ignore-times';
  if (forced && context.unseen) return { verdict: overwrite(policy, 'forced') };
  const dest = await headIfVisible(context, keys.destKey);
  if (dest === 'hidden') return { verdict: overwrite(policy, decision.otherwise) };
  if (!dest) return { verdict: { action: 'copy', reason: decision.otherwise } };
  if (decision.reason === 'unlisted') {
    if (policy.ignoreExisting) return { verdict: { action: 'skip', reason: 'exists' }, dest };
    if (policy.compare === 'ignore-times' && !policy.update) return { verdict: overwrite(policy, 'forced'), dest };
  }
  const source = await context.source.head(keys.sourceKey, { signal });
  const common = commonChecksum(source.checksums, dest.checksums);
  let checksum = common && (common.same || common.name !== 'md5ofParts') ? common.same : undefined;
  if (checksum === undefined && policy.compare === 'checksum' && source.size === dest.size) {
    checksum = await compareByReading(context, source, dest);
  }
  // With --update the difference may be known already, and only the times are missing.
  const known = decision.reason === 'times' && decision.otherwise !== 'time-differs' ? decision.otherwise : undefined;
  const verdict = compareInspected(policy, source, dest, checksum, known);
  const believed = verdict.action !== 'skip' || verdict.reason !== 'same-time' || !doubted;
  return { verdict: believed ? verdict : overwrite(policy, 'failed-before'), dest };
}

async function headIfVisible(
  { dest, signal, unseen }: InspectContext,
  key: string,
): Promise<ObjectInfo | 'hidden' | undefined> {
  try {
    return await headIfThere(dest, key, signal);
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
  if (!sizeSame) return overwrite(policy, 'size-differs');
  if (policy.compare === 'size-only') return { action: 'skip', reason: 'same-size' };
  if (checksum !== undefined) {
    return checksum ? { action: 'skip', reason: 'same-checksum' } : overwrite(policy, 'checksum-differs');
  }
  // rclone's rule: --checksum without a common checksum falls back to the size.
  if (policy.compare === 'checksum') return { action: 'skip', reason: 'same-size' };
  return timeSame ? { action: 'skip', reason: 'same-time' } : overwrite(policy, 'time-differs');
}

function overwrite(policy: TransferPolicy, reason: CopyReason): Verdict {
  return policy.immutable ? { action: 'fail', reason: 'immutable' } : { action: 'copy', reason };
}

/** Reads the local sides, which costs no request, to compute the checksum that the other side has. */
async function compareByReading(
  context: InspectContext,
  source: ObjectInfo,
  dest: ObjectInfo,
): Promise<boolean | undefined> {
  const a = context.source.capabilities.local ? await checksumsOf(context, context.source, source) : source.checksums;
  const b = context.dest.capabilities.local ? await checksumsOf(context, context.dest, dest) : dest.checksums;
  const common = commonChecksum(a, b);
  return common && (common.same || common.name !== 'md5ofParts') ? common.same : undefined;
}

const READ_SIZE = 8 * 1024 * 1024;

/** Reads the object in blocks and computes its MD5 and CRC-64. */
export async function checksumsOf(
  context: Pick<InspectContext, 'budget' | 'signal'>,
  store: ObjectBytes,
  info: Pick<ObjectInfo, 'key' | 'size' | 'etag'>,
): Promise<Checksums> {
  const md5 = new Md5Stream();
  let crc = '0';
  for (let offset = 0; offset < info.size; offset += READ_SIZE) {
    const lease = await context.budget.lease(Math.min(READ_SIZE, info.size - offset));
    try {
      await store.read(info.key, lease.bytes, { offset, ifMatch: info.etag, signal: context.signal });
      md5.update(lease.bytes);
      crc = combineCrc64ecma(crc, crc64ecma(lease.bytes), lease.bytes.byteLength);
    } finally {
      lease.release();
    }
  }
  return { md5: md5.digest(), crc64ecma: crc };
}
