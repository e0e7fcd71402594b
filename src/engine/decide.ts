/**
 * What to do with one key: a pure function from what the source (S), the destination (D) and the manifest (M) say.
 *
 * S and D are each `absent`, `same` (as M), `changed` (since M), `unknown` (to M), and D may be `unlisted` when the
 * destination was not listed and M knows nothing of the key.
 *
 * `copy`, default comparison (`-` any state; the first row that fits holds):
 *
 *   S         D          action   reason
 *   absent    -          none     never deletes
 *   -         absent     copy     new (unknown to M) | missing-at-destination (M says that it was there)
 *   -         unlisted   inspect  unlisted: ask the destination first
 *   same      same       skip     unchanged
 *   -         -          skip     same-checksum         both listings vouch for one checksum, and it agrees
 *   changed   same       copy     source-changed
 *   -         changed    copy     destination-changed
 *   unknown   unknown    copy     size-differs          | checksum-differs
 *   unknown   unknown    inspect  times                 sizes agree, nothing else is known yet
 *
 * Modifiers, in the order in which they are looked at:
 *   --ignore-existing  D present (not absent, not unlisted)   skip     exists
 *   --ignore-times     D present                              copy     forced
 *   --size-only        D present                              skip same-size | copy size-differs
 *   --checksum         not the same as M on both sides        as default, but `inspect checksums` instead of `times`,
 *                                                             and a changed ETag alone is no proof: inspect
 *   --update           would copy over a present D            inspect  times (skipped when D is newer)
 *   --immutable        would copy over a present D            fail     immutable
 */

export type SideState = 'absent' | 'same' | 'changed' | 'unknown';
export type DestState = SideState | 'unlisted';

export interface Policy {
  compare: 'default' | 'checksum' | 'size-only' | 'ignore-times';
  ignoreExisting: boolean;
  update: boolean;
  immutable: boolean;
  /** Times closer than this are equal, in milliseconds. */
  modifyWindowMs: number;
}

/** Stable names, shown with -vv and in --json. */
export type CopyReason =
  | 'new'
  | 'missing-at-destination'
  | 'source-changed'
  | 'destination-changed'
  | 'size-differs'
  | 'checksum-differs'
  | 'time-differs'
  | 'failed-before'
  | 'forced';

export type SkipReason =
  | 'unchanged'
  | 'same-checksum'
  | 'same-time'
  | 'same-size'
  | 'exists'
  | 'destination-newer'
  | 'filtered'
  | 'unreadable'
  | 'cutoff';

export type InspectReason = 'unlisted' | 'times' | 'checksums';

export type Decision =
  | { action: 'none' }
  | { action: 'copy'; reason: CopyReason }
  | { action: 'skip'; reason: SkipReason }
  | { action: 'inspect'; reason: InspectReason; otherwise: CopyReason }
  | { action: 'fail'; reason: 'immutable' };

/** What the two listings say about the content, computed once for a key that both sides have. */
export interface Evidence {
  sizeSame: boolean;
  /** `unknown` when the listings share no comparable checksum. */
  checksum: 'same' | 'differs' | 'unknown';
}

export function decide(policy: Policy, s: SideState, d: DestState, evidence: Evidence): Decision {
  if (s === 'absent') return { action: 'none' };
  if (d === 'absent') return { action: 'copy', reason: s === 'unknown' ? 'new' : 'missing-at-destination' };
  if (d === 'unlisted') return { action: 'inspect', reason: 'unlisted', otherwise: 'new' };
  if (policy.ignoreExisting) return { action: 'skip', reason: 'exists' };
  const decision = compare(policy, s, d, evidence);
  if (decision.action !== 'copy') return decision;
  if (policy.update) return { action: 'inspect', reason: 'times', otherwise: decision.reason };
  return policy.immutable ? { action: 'fail', reason: 'immutable' } : decision;
}

/** Both sides have the key. */
function compare(policy: Policy, s: SideState, d: SideState, evidence: Evidence): Decision {
  if (policy.compare === 'ignore-times') return { action: 'copy', reason: 'forced' };
  if (policy.compare === 'size-only') {
    return evidence.sizeSame ? { action: 'skip', reason: 'same-size' } : { action: 'copy', reason: 'size-differs' };
  }
  if (s === 'same' && d === 'same') return { action: 'skip', reason: 'unchanged' };
  if (evidence.sizeSame && evidence.checksum === 'same') return { action: 'skip', reason: 'same-checksum' };
  const known = s !== 'unknown' && d !== 'unknown';
  const etagReason: CopyReason = d === 'changed' ? 'destination-changed' : 'source-changed';
  if (!evidence.sizeSame) return { action: 'copy', reason: known ? etagReason : 'size-differs' };
  if (evidence.checksum === 'differs') return { action: 'copy', reason: known ? etagReason : 'checksum-differs' };
  if (policy.compare === 'checksum') return { action: 'inspect', reason: 'checksums', otherwise: 'checksum-differs' };
  if (known) return { action: 'copy', reason: etagReason };
  return { action: 'inspect', reason: 'times', otherwise: 'time-differs' };
}
