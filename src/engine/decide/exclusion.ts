/** Which objects of a listing a run skips: those that the filter excludes, and those that cannot be read. */
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
  if (object.special === 'symlink' || object.special === 'other') {
    return { reason: 'unreadable', detail: object.special === 'symlink' ? 'symbolic link' : 'not a regular file' };
  }
  const verdict = filter?.test(key, object.size, object.mtimeMs);
  return verdict && !verdict.included ? { reason: 'filtered', detail: verdict.reason } : undefined;
}
