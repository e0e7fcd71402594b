/**
 * Which objects of a listing a run skips: those that the filter excludes, and those that cannot be read.
 * Tests: test/engine/decide/policies.test.ts
 */
import type { ObjectEntry } from '../../model/object.js';
import type { RunOptions } from '../options.js';
import type { RunPair } from '../pair.js';
import type { SkipReason } from './decide.js';

export function exclusionOf(
  { single, dest, links }: Pick<RunPair, 'single' | 'dest' | 'links'>,
  { filter }: Pick<RunOptions, 'filter'>,
  key: string,
  object: ObjectEntry,
): { reason: SkipReason; detail: string } | undefined {
  if (key === '' && !single && (dest.prefix === '' || dest.store.capabilities.local)) {
    return { reason: 'unreadable', detail: "the source folder's own marker, which has no name at the destination" };
  }
  const verdict = filter?.test(key, object.size, object.mtimeMs);
  if (verdict && !verdict.included) return { reason: 'filtered', detail: verdict.reason };
  // What fails is reported as a failure.
  if (!isNoObject(object, links) || object.fault) return undefined;
  return { reason: 'unreadable', detail: object.kind ?? 'symbolic link' };
}

/** A link that is not kept, or something in a tree that is no file: nothing is copied from it, and it is not deleted. */
export function isNoObject({ special }: ObjectEntry, links: RunPair['links']): boolean {
  return special === 'other' || (special === 'symlink' && links !== 'keep');
}
