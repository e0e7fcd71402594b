/** What is known of a key before anybody is asked. Tests: test/engine/decide/policies.test.ts */
import { parseContent } from '../../model/content.js';
import { isProof } from '../../model/verified.js';
import type { SkipReason } from '../decide/decide.js';
import { destState, sourceState } from '../decide/evidence.js';
import type { Known } from '../decide/inspect.js';
import type { Triple } from '../list/diff.js';
import type { RunPair } from '../pair.js';

/** What the listings and the manifest know of a key. The checksum of a copy counts while its remote side is unchanged. */
export function known(
  triple: Triple,
  { sourceKey, destKey }: Pick<Known, 'sourceKey' | 'destKey'>,
  pair: Pick<RunPair, 'source' | 'dest'>,
): Partial<Known> {
  const { source, dest, row } = triple;
  if (!source || !dest) return {};
  const listed = { source: { ...source, key: sourceKey }, dest: { ...dest, key: destKey } };
  const local = [pair.source.store.capabilities.local, pair.dest.store.capabilities.local];
  const remoteState = local[0] ? destState(triple, true) : sourceState(triple);
  if (local[0] === local[1] || remoteState !== 'same') return { listed };
  return { listed, content: row?.content === undefined ? undefined : parseContent(row.content) };
}

/** The manifest already says as much of these two versions. */
export function isRecorded(triple: Triple, reason: SkipReason): boolean {
  const unchanged = sourceState(triple) === 'same' && destState(triple, true) === 'same';
  return unchanged && reason === 'same-checksum' && triple.row !== undefined && isProof(triple.row.verifiedBy);
}
