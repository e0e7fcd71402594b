/**
 * Which objects of a listing a run skips: those that the filter excludes, and those that cannot be read.
 * Tests: test/engine/decide/policies.test.ts
 */
import type { ObjectEntry } from '../../model/object.js';
import type { RunOptions } from '../options.js';
import type { RunPair } from '../pair.js';
import type { SkipReason } from './decide.js';

export function exclusionOf(
  { single, dest }: Pick<RunPair, 'single' | 'dest'>,
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
  if (!isNoObject(object) || object.fault) return undefined;
  return { reason: 'unreadable', detail: object.kind ?? 'symbolic link' };
}

/** Something in a directory tree that is not a file: nothing is copied from it, and it is not deleted. */
export function isNoObject({ special }: ObjectEntry): boolean {
  return special === 'symlink' || special === 'other';
}
