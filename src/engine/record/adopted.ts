/** The manifest's row of an object that was found equal without a copy. */
import type { ManifestRow } from '../../manifest/port.js';
import type { VerifiedBy } from '../../model/verified.js';
import type { SkipReason } from '../decide/decide.js';
import type { Triple } from '../list/diff.js';

/** What an adopted row was found equal by; a size alone adopts nothing. */
const ADOPTED_BY: Partial<Record<SkipReason, VerifiedBy>> = { 'same-checksum': 'computed', 'same-time': 'size' };

/**
 * Undefined when what was found is not enough for a row.
 * @param ours a run was killed after it wrote it
 */
export function adoptedRow(
  { key, source, dest, row }: Triple,
  reason: SkipReason,
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
  };
}
