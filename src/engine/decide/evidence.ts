/**
 * Translates what the three streams have of a key into the terms of `decide`.
 * Tests: test/engine/decide/policies.test.ts
 */
import { sameChecksum } from '../../model/checksum.js';
import { sameEtag } from '../../model/etag.js';
import { isProof } from '../../model/verified.js';
import type { Triple } from '../list/diff.js';
import type { DestState, Evidence, SideState } from './decide.js';

export function sourceState({ source, row }: Triple): SideState {
  if (!source) return 'absent';
  if (!row) return 'unknown';
  return sameEtag(source.etag, row.sourceEtag) && source.size === row.size ? 'same' : 'changed';
}

/** @param traversed whether the destination was listed */
export function destState({ dest, row }: Triple, traversed: boolean): DestState {
  if (!traversed) return row ? 'same' : 'unlisted';
  if (!dest) return 'absent';
  if (!row) return 'unknown';
  return sameEtag(dest.etag, row.destEtag) && dest.size === row.size ? 'same' : 'changed';
}

/**
 * What two listing entries and the manifest's row prove without a request.
 * @param onDisk a side is on local disk
 */
export function evidenceOf({ source, dest, row }: Triple, onDisk = false): Evidence {
  const same = sameChecksum(source?.checksums ?? {}, dest?.checksums ?? {});
  return {
    sizeSame: source?.size === (dest?.size ?? row?.size),
    checksum: same === true ? 'same' : same === false ? 'differs' : 'unknown',
    ours: row?.ours === true,
    proven: row !== undefined && isProof(row.verifiedBy),
    apartMs: row?.apartMs ?? 0,
    onDisk,
  };
}

/** Both sides still have the versions of the row, and a checksum proved them equal: a copy changes nothing. */
export function isProvenEqual({ source, dest, row }: Triple): boolean {
  if (!source || !dest || !row || !isProof(row.verifiedBy)) return false;
  return sameEtag(source.etag, row.sourceEtag) && sameEtag(dest.etag, row.destEtag);
}
