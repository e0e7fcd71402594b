/**
 * What to do with one key: a pure function of the states of the source (S), destination (D) and manifest (M).
 *
 * S and D are each `absent`, `same` (as M), `changed` (since M) or `unknown` (no row in M). D may also be `unlisted`: the
 * destination was not listed and M has no row.
 *
 * `copy` and `sync`, default comparison (`-` any state; the first row that matches applies):
 *
 *   S         D          action   reason
 *   absent    -          none     copy never deletes; for sync see below
 *   -         absent     copy     new (unknown to M) | missing-at-destination (M has a row)
 *   -         unlisted   inspect  unlisted: HEAD at the destination first
 *   same      same       skip     unchanged             if M's row is believed: its times agreed within --modify-window
 *   -         -          skip     same-checksum         both listings have a common checksum, and it agrees
 *   changed   same       copy     source-changed
 *   changed   changed    inspect  times                 sizes agree, nothing else is known: perhaps copied by a run that
 *                                                       was killed before it could record it
 *   -         changed    copy     destination-changed
 *   unknown   unknown    copy     size-differs          | checksum-differs
 *   unknown   unknown    inspect  times                 sizes agree, nothing else is known yet
 *
 * Modifiers, in the order in which they are evaluated:
 *   --ignore-existing  D present (not absent, not unlisted)   skip     exists
 *   --ignore-times     D present                              copy     forced
 *   --size-only        D present                              skip same-size | copy size-differs
 *   --checksum         M's row is believed only if a          as default, but `inspect checksums` instead of `times`,
 *                      checksum proved it and no side is on   and a changed ETag alone proves nothing: inspect
 *                      disk, where an equal size and time
 *                      say nothing about the bytes
 *   --ignore-size      sizes differ                           as if they agreed; the skip's reason is size-ignored
 *   --update           would copy over a present D            inspect  times (skipped when D is newer)
 *   --immutable        would copy over a present D            fail     immutable
 *
 * `sync`, where S is absent:
 *
 *   D         M              action   reason
 *   absent    -              none
 *   unlisted  none           none     no object is known there
 *   same      xsync's own    delete   gone-at-source
 *   same      adopted        keep     not-ours          | --delete-unknown: delete gone-at-source
 *   changed   -              keep     changed-at-destination | --delete-unknown: delete changed-at-destination
 *   unknown   none           keep     unknown           | --delete-unknown: delete unknown
 *
 * `check`:
 *
 *   S         D          action   reason
 *   absent    absent     none
 *   absent    -          report   missing-on-src        | --one-way: none
 *   -         absent     report   missing-on-dst
 *   -         unlisted   inspect  unlisted
 *   -         -          report   differ size           sizes differ
 *   -         -          report   match size            --size-only
 *   -         -          inspect  bytes                 --download
 *   same      same       report   match manifest        M has proof by checksum; not with --checksum
 *   -         -          report   match checksum | differ checksum     both listings have a common checksum
 *   -         -          inspect  checksums
 *
 * `mirror`: see both-ways.ts.
 */
import { bothWays } from './both-ways.js';
import type {
  CheckPolicy,
  CopyReason,
  Decision,
  DestState,
  Evidence,
  Policy,
  SideState,
  SyncPolicy,
  TransferPolicy,
} from './terms.js';

export type * from './terms.js';

export function decide(policy: Policy, s: SideState, d: DestState, evidence: Evidence): Decision {
  if (policy.mode === 'check') return check(policy, s, d, evidence);
  if (policy.mode === 'mirror') return bothWays(s, d, evidence);
  if (s === 'absent') return policy.mode === 'sync' ? goneAtSource(policy, d, evidence) : { action: 'none' };
  if (d === 'absent') return { action: 'copy', reason: s === 'unknown' ? 'new' : 'missing-at-destination' };
  if (d === 'unlisted') return { action: 'inspect', reason: 'unlisted', otherwise: 'new' };
  if (policy.ignoreExisting) return { action: 'skip', reason: 'exists' };
  const decision = compare(policy, s, d, evidence);
  if (decision.action !== 'copy') return decision;
  if (policy.update) return { action: 'inspect', reason: 'times', otherwise: decision.reason };
  return policy.immutable ? { action: 'fail', reason: 'immutable' } : decision;
}

/** Both sides have the key. */
function compare(policy: TransferPolicy, s: SideState, d: SideState, evidence: Evidence): Decision {
  if (policy.compare === 'ignore-times') return { action: 'copy', reason: 'forced' };
  if (policy.compare === 'size-only') {
    return evidence.sizeSame ? { action: 'skip', reason: 'same-size' } : { action: 'copy', reason: 'size-differs' };
  }
  const unchanged = s === 'same' && d === 'same';
  const sizeSame = evidence.sizeSame || policy.ignoreSize === true;
  if (unchanged && isBelieved(policy, evidence)) return { action: 'skip', reason: 'unchanged' };
  if (evidence.sizeSame && evidence.checksum === 'same') return { action: 'skip', reason: 'same-checksum' };
  const known = s !== 'unknown' && d !== 'unknown' && !unchanged;
  const etagReason: CopyReason = d === 'changed' ? 'destination-changed' : 'source-changed';
  if (!sizeSame) return { action: 'copy', reason: known ? etagReason : 'size-differs' };
  if (evidence.checksum === 'differs') return { action: 'copy', reason: known ? etagReason : 'checksum-differs' };
  if (policy.compare === 'checksum') return { action: 'inspect', reason: 'checksums', otherwise: 'checksum-differs' };
  if (s === 'changed' && d === 'changed') return { action: 'inspect', reason: 'times', otherwise: 'time-differs' };
  if (known) return { action: 'copy', reason: etagReason };
  return { action: 'inspect', reason: 'times', otherwise: 'time-differs' };
}

/** Whether the manifest's row proves what this comparison asks for. */
function isBelieved({ compare: how, modifyWindowMs }: TransferPolicy, { proven, apartMs, onDisk }: Evidence): boolean {
  return how === 'checksum' ? proven && !onDisk : apartMs <= modifyWindowMs;
}

function goneAtSource(policy: SyncPolicy, d: DestState, { ours }: Evidence): Decision {
  if (d === 'absent' || d === 'unlisted') return { action: 'none' };
  if (d === 'same' && (ours || policy.deleteUnknown)) return { action: 'delete', reason: 'gone-at-source' };
  if (d === 'same') return { action: 'keep', reason: 'not-ours' };
  const reason = d === 'changed' ? 'changed-at-destination' : 'unknown';
  return policy.deleteUnknown ? { action: 'delete', reason } : { action: 'keep', reason };
}

function check(policy: CheckPolicy, s: SideState, d: DestState, { sizeSame, checksum, proven }: Evidence): Decision {
  if (s === 'absent') {
    const nothing = d === 'absent' || d === 'unlisted' || policy.oneWay;
    return nothing ? { action: 'none' } : { action: 'report', finding: { verdict: 'missing-on-src' } };
  }
  if (d === 'absent') return { action: 'report', finding: { verdict: 'missing-on-dst' } };
  if (d === 'unlisted') return { action: 'inspect', reason: 'unlisted', otherwise: 'new' };
  if (!sizeSame) return { action: 'report', finding: { verdict: 'differ', by: 'size' } };
  if (policy.compare === 'size-only') return { action: 'report', finding: { verdict: 'match', by: 'size' } };
  if (policy.compare === 'download') return { action: 'inspect', reason: 'bytes', otherwise: 'checksum-differs' };
  if (policy.compare !== 'checksum' && proven && s === 'same' && d === 'same') {
    return { action: 'report', finding: { verdict: 'match', by: 'manifest' } };
  }
  if (checksum === 'unknown') return { action: 'inspect', reason: 'checksums', otherwise: 'checksum-differs' };
  return { action: 'report', finding: { verdict: checksum === 'same' ? 'match' : 'differ', by: 'checksum' } };
}
