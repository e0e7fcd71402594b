/** How much of an object that fails is certainly at the destination. */
import type { FailureRow, Manifest } from '../../manifest/port.js';
import { synchronisedMs } from './journal.js';
import { progressOfPass } from './progress.js';

/**
 * Everything written of the object before the result is at the destination, ms since 1970. A listing has only the latest
 * version: an earlier one may have been written, and overwritten, since the last complete pass, when the object was equal
 * on both sides. So the time is that of that pass, or the change of the version if that is earlier. Before the first
 * complete pass, versions that were overwritten before it began are nobody's concern; if the object was written after
 * that, nothing is known (0). A version that nobody has seen before any pass began is left to the first pass.
 */
export function arrivedMs(
  manifest: Pick<Manifest, 'getFact' | 'failure'>,
  { key, sourceEtag, sourceMtimeMs }: Pick<FailureRow, 'key' | 'sourceEtag' | 'sourceMtimeMs'>,
  nowMs: number,
): number {
  const changedMs = sourceEtag === '' && sourceMtimeMs === 0 ? Number.MAX_SAFE_INTEGER : sourceMtimeMs;
  const equalMs = synchronisedMs(manifest, nowMs);
  if (equalMs !== undefined) return Math.min(changedMs, equalMs, ...unlistedSince(manifest, key));
  const began = progressOfPass(manifest);
  return began && changedMs >= began.startedMs ? 0 : changedMs;
}

/** The last passes may not have been able to list a folder of the key. */
function unlistedSince(manifest: Pick<Manifest, 'failure'>, key: string): number[] {
  const times: number[] = [];
  for (let end = key.indexOf('/'); end >= 0 && end < key.length - 1; end = key.indexOf('/', end + 1)) {
    const folder = manifest.failure(key.slice(0, end + 1));
    if (folder?.sourceEtag === '') times.push(folder.arrivedMs);
  }
  return times;
}
