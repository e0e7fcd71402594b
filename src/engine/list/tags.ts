/** Asks the source about the tags of an object, for a filter. Tests: test/engine/pass/tagged.test.ts */
import { isXsyncError, toXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectEntry } from '../../model/object.js';
import type { RunOptions } from '../options.js';
import type { RunPair, RunSide } from '../pair.js';

type TagFilter = NonNullable<RunOptions['tags']>;

/**
 * Why the filter leaves the object out; undefined if it passes, or is gone, which whoever reads it finds out. One request.
 * @param object its key is relative to the side's prefix
 * @throws access-denied, unsupported: an object whose tags cannot be read must not be copied
 */
export async function readTagExclusion(
  { store, prefix, atMs, namesVersions = false }: Pick<RunSide, 'store' | 'prefix' | 'atMs' | 'namesVersions'>,
  { key, versionId }: Pick<ObjectEntry, 'key' | 'versionId'>,
  filter: TagFilter,
  signal: AbortSignal,
): Promise<string | undefined> {
  const version = atMs === undefined && !namesVersions ? undefined : versionId;
  try {
    return filter.exclusion(await store.getTags(prefix + key, { signal, ...(version && { versionId: version }) }));
  } catch (error) {
    if (isXsyncError(error, 'object-not-found')) return undefined;
    throw unreadable(toXsyncError(error), filter.flag);
  }
}

function unreadable(fault: XsyncError, flag: string): XsyncError {
  const { code, message, class: kind, subject, cause } = fault;
  if (code !== 'access-denied' && code !== 'unsupported') return fault;
  const remedy = code === 'access-denied' ? 'Allow GetObjectTagging at the source.' : `Leave out ${flag}.`;
  const text = `its tags, which ${flag} needs, cannot be read: ${message}`;
  return new XsyncError(code, text, { class: kind, subject, cause, remedy });
}

/** @throws usage: the source has no tags */
export function refuseWithoutTags({ source }: Pick<RunPair, 'source'>, { tags }: Pick<RunOptions, 'tags'>): void {
  if (!tags || source.store.capabilities.attributes.tags) return;
  throw new XsyncError('usage', `${tags.flag}: the objects of ${source.text} have no tags`, {
    subject: tags.flag,
    remedy: `Leave out ${tags.flag}.`,
  });
}
