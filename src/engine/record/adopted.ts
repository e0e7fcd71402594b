/** Manifest rows of objects that were found equal without a copy. */
import type { ManifestRow } from '../../manifest/port.js';
import type { VerifiedBy } from '../../model/verified.js';
import type { SkipReason } from '../decide/decide.js';
import type { Triple } from '../list/diff.js';

/** Equal sizes alone are not enough for a row. */
const ADOPTED_BY: Partial<Record<SkipReason, VerifiedBy>> = { 'same-checksum': 'computed', 'same-time': 'size' };

/**
 * Undefined when the comparison does not justify a row.
 * @param apartMs how far apart the times were, if they were what was compared
 * @param ours a run of xsync wrote the object and was killed before it wrote the row
 */
export function adoptedRow(
  { key, source, dest, row }: Triple,
  reason: SkipReason,
  apartMs: number | undefined,
  ours = false,
): ManifestRow | undefined {
  const verifiedBy = ADOPTED_BY[reason];
  if (!source || !dest || verifiedBy === undefined) return undefined;
  return {
    key,
    size: source.size,
    sourceEtag: source.etag,
    sourceMtimeMs: source.mtimeMs,
    destEtag: dest.etag,
    verifiedBy,
    ours: row?.ours ?? ours,
    atMs: row?.atMs ?? Date.now(),
    ...(verifiedBy === 'size' && apartMs !== undefined && { apartMs }),
  };
}
