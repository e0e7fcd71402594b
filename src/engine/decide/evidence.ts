/** Translates what the three streams have of a key into the terms of `decide`. */
import { commonChecksum } from '../../model/checksum.js';
import { sameEtag } from '../../model/etag.js';
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

/** What two listing entries prove without a request. Composite MD5s that differ prove nothing. */
export function evidenceOf({ source, dest, row }: Triple): Evidence {
  const proven = row !== undefined && row.verifiedBy !== 'size';
  const known = { ours: row?.ours === true, intended: false, proven };
  const sizeSame = source?.size === (dest?.size ?? row?.size);
  const common = commonChecksum(source?.checksums ?? {}, dest?.checksums ?? {});
  if (!common || (!common.same && common.name === 'md5ofParts')) return { sizeSame, checksum: 'unknown', ...known };
  return { sizeSame, checksum: common.same ? 'same' : 'differs', ...known };
}
