/**
 * Inspects one key that both listings have: compares the checksums from HEADs, or all bytes.
 * Tests: test/engine/check/check.test.ts
 */
import { isXsyncError, XsyncError } from '../../model/error.js';
import { sameEtag } from '../../model/etag.js';
import type { ObjectEntry } from '../../model/object.js';
import type { ObjectBytes } from '../../store/port.js';
import type { Finding } from '../decide/decide.js';
import { headIfThere } from '../decide/inspect.js';
import { type Both, LocalReader, type ReadingContext } from '../decide/reading.js';
import { MiB } from '../plan/cut.js';

export interface ContentContext extends ReadingContext {
  /** Read both sides if they share no checksum; if false, equal sizes are enough. */
  readUnproven: boolean;
}

/**
 * @returns undefined if neither side has it any more
 * @throws what the stores throw; precondition-failed or source-changed if it keeps changing
 */
export async function inspectContent(
  context: ContentContext,
  both: Both,
  how: 'checksums' | 'bytes',
): Promise<Finding | undefined> {
  try {
    return how === 'bytes' ? await compareBytes(context, both) : await compareChecksums(context, both);
  } catch (error) {
    // The object changed meanwhile: compare the new versions once.
    if (!isXsyncError(error, 'precondition-failed', 'source-changed', 'object-not-found')) throw error;
  }
  const now = await headBoth(context, both);
  if (!now || 'verdict' in now) return now;
  return how === 'bytes' ? compareBytes(context, now) : compareChecksums(context, now);
}

/** What both sides have now; a finding if they cannot be the same. */
async function headBoth({ signal, ...context }: ContentContext, both: Both): Promise<Both | Finding | undefined> {
  const [source, dest] = await Promise.all([
    headIfThere(context.source, both.source.key, signal),
    headIfThere(context.dest, both.dest.key, signal),
  ]);
  if (!source && !dest) return undefined;
  if (!source) return { verdict: 'missing-on-src' };
  if (!dest) return { verdict: 'missing-on-dst' };
  return source.size === dest.size ? { source, dest } : { verdict: 'differ', by: 'size' };
}

/**
 * Listings are trusted if their checksums agree. Only a HEAD shows whether an ETag that looks like an MD5 is one (S3 with
 * SSE-KMS), and has checksums that are not in listings.
 */
async function compareChecksums(context: ContentContext, both: Both): Promise<Finding | undefined> {
  const local = { source: context.source.capabilities.local, dest: context.dest.capabilities.local };
  if (local.source && local.dest) return compareBytes(context, both);
  const reader = new LocalReader(context);
  if ((await reader.agree(both)) === true) return { verdict: 'match', by: 'checksum' };
  const now = await headBoth(context, both);
  if (!now || 'verdict' in now) return now;
  const same = await reader.agree(now);
  if (typeof same === 'boolean') return { verdict: same ? 'match' : 'differ', by: 'checksum' };
  if (same === 'hint-differs') return compareBytes(context, now);
  return context.readUnproven ? compareBytes(context, now) : { verdict: 'match', by: 'size' };
}

/** Bytes of one block of each side. */
const BLOCK = 4 * MiB;
export const BLOCKS_IN_FLIGHT = 4;

/** Reads both pinned versions in parallel until the first difference. */
async function compareBytes(context: ContentContext, { source, dest }: Both): Promise<Finding> {
  const { size } = source;
  if (size !== dest.size) return { verdict: 'differ', by: 'size' };
  let next = 0;
  let differs = false;
  const work = async (): Promise<void> => {
    while (!differs && next < size) {
      const offset = next;
      next += BLOCK;
      if (!(await sameBlock(context, { source, dest }, offset, Math.min(BLOCK, size - offset)))) differs = true;
    }
  };
  await allOf(Array.from({ length: Math.min(BLOCKS_IN_FLIGHT, Math.ceil(size / BLOCK)) }, work));
  return { verdict: differs ? 'differ' : 'match', by: 'bytes' };
}

async function sameBlock(
  context: ContentContext,
  { source, dest }: Both,
  offset: number,
  size: number,
): Promise<boolean> {
  // One lease for both: two inspections that hold one each and wait for another would deadlock.
  const lease = await context.budget.lease(2 * size);
  const [a, b] = [lease.bytes.subarray(0, size), lease.bytes.subarray(size)];
  try {
    await allOf([
      readPinned(context.source, source, a, offset, context.signal),
      readPinned(context.dest, dest, b, offset, context.signal),
    ]);
    return Buffer.compare(a, b) === 0;
  } finally {
    lease.release();
  }
}

async function readPinned(
  store: ObjectBytes,
  { key, etag, size }: ObjectEntry,
  target: Uint8Array,
  offset: number,
  signal: AbortSignal,
): Promise<void> {
  const info = await store.read(key, target, { offset, ifMatch: etag, signal });
  // Detects a store that ignores If-Match.
  if (sameEtag(info.etag, etag) && info.size === size) return;
  throw new XsyncError('source-changed', `changed while it was read (now ${info.size} bytes)`, { subject: key });
}

/** Waits until all have ended, because until then they use their buffers. @throws the first error */
async function allOf(work: Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}
