/** Manifest rows of objects that were found equal without a copy. Tests: test/engine/sync-crash.test.ts */

import type { ManifestRow } from '../../manifest/port.js';
import { sameEtag } from '../../model/etag.js';
import type { VerifiedBy } from '../../model/verified.js';
import type { SkipReason } from '../decide/decide.js';
import type { Triple } from '../list/diff.js';

/** Equal sizes alone are not enough for a row. */
const ADOPTED_BY: Partial<Record<SkipReason, VerifiedBy>> = {
  'same-checksum': 'computed',
  'same-target': 'link',
  'same-time': 'size',
};

/**
 * Undefined when the comparison does not justify a row. The object counts as xsync's own only while it is the version
 * whose write the destination confirmed: equal bytes may be somebody else's.
 * @param apartMs how far apart the times were, if they were what was compared
 */
export function adoptedRow(
  { key, source, dest, row }: Triple,
  reason: SkipReason,
  apartMs?: number,
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
    ours: row?.ours === true && sameEtag(row.destEtag, dest.etag),
    atMs: row?.atMs ?? Date.now(),
    ...(verifiedBy === 'size' && apartMs !== undefined && { apartMs }),
  };
}
