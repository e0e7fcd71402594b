/**
 * What a mirror does with one key. Its sides are A (the source) and B (the destination), and both are written to. The
 * manifest's row M is their common ancestor: what both had when they were last equal.
 *
 * States as in decide.ts. A key without a row is `unknown` on the sides that have it. Every combination:
 *
 *   A         B          action    reason
 *   absent    absent     none      the row is forgotten
 *   absent    same       delete b  gone-at-source
 *   absent    changed    copy b→a  changed-and-deleted     the change wins
 *   absent    unknown    copy b→a  new
 *   same      absent     delete a  gone-at-destination
 *   changed   absent     copy a→b  changed-and-deleted     the change wins
 *   unknown   absent     copy a→b  new
 *   same      same       skip      unchanged
 *   changed   same       skip      same-checksum           both listings have a common checksum, and it agrees
 *   changed   same       copy a→b  source-changed
 *   same      changed    skip      same-checksum           likewise
 *   same      changed    copy b→a  destination-changed
 *   changed   changed    skip      same-checksum           likewise
 *   changed   changed    inspect   conflict                HEADs of both; equal content is no conflict
 *   unknown   unknown    skip      same-checksum           likewise
 *   unknown   unknown    inspect   conflict                likewise: a first run, or a lost manifest
 *   -         unlisted   none      nothing is known of the key there
 *
 * The remaining combinations cannot exist: a row makes both sides known. They are inspected, which changes nothing
 * without asking both sides.
 *
 * A conflict that the inspection confirms: `winnerOf`.
 */

import type { ConflictWay } from '../../model/conflict.js';
import { effectiveMtime, type ObjectInfo } from '../../model/object.js';
import type { Decision, DestState, Evidence, SideState } from './terms.js';

export function bothWays(a: SideState, b: DestState, { sizeSame, checksum }: Evidence): Decision {
  if (b === 'unlisted') return { action: 'none' };
  if (a === 'absent') return onlyAtDestination(b);
  if (b === 'absent') return onlyAtSource(a);
  if (a === 'same' && b === 'same') return { action: 'skip', reason: 'unchanged' };
  if (sizeSame && checksum === 'same') return { action: 'skip', reason: 'same-checksum' };
  if (a === 'changed' && b === 'same') return { action: 'copy', reason: 'source-changed' };
  if (a === 'same' && b === 'changed') return { action: 'copy', reason: 'destination-changed', direction: 'b-to-a' };
  return { action: 'inspect', reason: 'conflict', otherwise: 'conflict' };
}

function onlyAtDestination(b: SideState): Decision {
  if (b === 'absent') return { action: 'none' };
  if (b === 'same') return { action: 'delete', reason: 'gone-at-source' };
  return { action: 'copy', reason: b === 'changed' ? 'changed-and-deleted' : 'new', direction: 'b-to-a' };
}

function onlyAtSource(a: SideState): Decision {
  if (a === 'same') return { action: 'delete', reason: 'gone-at-destination', direction: 'b-to-a' };
  return { action: 'copy', reason: a === 'changed' ? 'changed-and-deleted' : 'new' };
}

/** How a conflict ends. */
export interface Settlement {
  winner: 'source' | 'destination';
  /** The loser is kept under another name. */
  keepsLoser: boolean;
}

/**
 * Undefined if nobody wins, and both stay as they are. With `keep-both` the newer one keeps the name. What the chosen way
 * cannot tell apart (equal times, equal sizes) is kept too, under the name that A's object does not have.
 */
export function winnerOf(
  way: ConflictWay,
  { source, dest }: { source: ObjectInfo; dest: ObjectInfo },
): Settlement | undefined {
  if (way === 'fail') return undefined;
  if (way === 'a') return { winner: 'source', keepsLoser: false };
  if (way === 'b') return { winner: 'destination', keepsLoser: false };
  const bySize = way === 'larger' || way === 'smaller';
  const lead = bySize ? source.size - dest.size : effectiveMtime(source) - effectiveMtime(dest);
  const wanted = way === 'older' || way === 'smaller' ? -lead : lead;
  return { winner: wanted >= 0 ? 'source' : 'destination', keepsLoser: way === 'keep-both' || lead === 0 };
}
