/**
 * Symbolic links that are kept as links: where their copies point to, and whether two point to the same.
 * Tests: test/e2e/links.test.ts
 */
import { isXsyncError } from '../../model/error.js';
import { effectiveMtime } from '../../model/object.js';
import type { Link, ObjectCatalog } from '../../store/port.js';
import type { TransferPolicy } from './decide.js';

/** Full keys of an object on both sides, and the key that they have in common. */
export interface LinkKeys {
  key: string;
  sourceKey: string;
  destKey: string;
}

/** Where the copy of a link points to. `outside`: at what is not copied with it, so that the key stays what it was. */
export function targetOfCopy(
  { key, sourceKey, destKey }: LinkKeys,
  target: string,
): { target: string; outside: boolean } {
  const from = sourceKey.slice(0, sourceKey.length - key.length);
  const to = destKey.slice(0, destKey.length - key.length);
  if (key === '' || !`${target}/`.startsWith(from)) return { target, outside: true };
  return { target: to + target.slice(from.length), outside: false };
}

interface Sides {
  source: Pick<ObjectCatalog, 'getLink'>;
  dest: Pick<ObjectCatalog, 'getLink'>;
  signal: AbortSignal;
}

/** What each side has under a key; a link that cannot be copied as one counts as none. Two requests. */
export async function linksAt(
  { source, dest, signal }: Sides,
  { sourceKey, destKey }: LinkKeys,
): Promise<{ source?: Link; dest?: Link }> {
  const there = linkOrNone(dest.getLink?.(destKey, { signal }));
  return { source: await source.getLink?.(sourceKey, { signal }), dest: await there };
}

async function linkOrNone(getting: Promise<Link> | undefined): Promise<Link | undefined> {
  try {
    return await getting;
  } catch (error) {
    if (isXsyncError(error, 'unsupported-object', 'object-not-found')) return undefined;
    throw error;
  }
}

/** Of a key that has a link on one side at least. */
export function compareLinks(
  keys: LinkKeys,
  { source, dest }: { source?: Link; dest?: Link },
  policy: Pick<TransferPolicy, 'update' | 'modifyWindowMs'>,
): 'same' | 'newer' | 'differ' {
  if (!source || !dest) return 'differ';
  if (targetOfCopy(keys, source.target).target === dest.target) return 'same';
  const apart = effectiveMtime(dest.info) - effectiveMtime(source.info);
  return policy.update && apart > policy.modifyWindowMs ? 'newer' : 'differ';
}
