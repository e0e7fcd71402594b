import { describe, expect, test } from 'vitest';
import { winnerOf } from '../../../src/engine/decide/both-ways.js';
import {
  type Decision,
  type DestState,
  decide,
  type Evidence,
  type MirrorPolicy,
  type SideState,
} from '../../../src/engine/decide/decide.js';
import { CONFLICT_WAYS, type ConflictWay } from '../../../src/model/conflict.js';
import type { ObjectInfo } from '../../../src/model/object.js';
import { POLICY } from '../support.js';

const MIRROR: MirrorPolicy = { ...POLICY, mode: 'mirror', conflict: 'keep-both', conflictSuffix: '.conflict' };
const UNKNOWN: Evidence = {
  ...{ sizeSame: true, checksum: 'unknown', ours: true, proven: true, apartMs: 0, onDisk: false },
};
const EQUAL: Evidence = { ...UNKNOWN, checksum: 'same' };
const DIFFERENT: Evidence = { ...UNKNOWN, sizeSame: false, checksum: 'differs' };

const NONE: Decision = { action: 'none' };
const THERE = (reason: 'new' | 'changed-and-deleted' | 'source-changed'): Decision => ({ action: 'copy', reason });
const BACK = (reason: 'new' | 'changed-and-deleted' | 'destination-changed'): Decision => ({
  ...{ action: 'copy', reason, direction: 'b-to-a' },
});
const INSPECT: Decision = { action: 'inspect', reason: 'conflict', otherwise: 'conflict' };
const SAME: Decision = { action: 'skip', reason: 'unchanged' };
const DELETE_B: Decision = { action: 'delete', reason: 'gone-at-source' };
const DELETE_A: Decision = { action: 'delete', reason: 'gone-at-destination', direction: 'b-to-a' };

/** Every combination, where the listings have no common checksum. */
const TABLE: [a: SideState, b: DestState, expected: Decision][] = [
  ['absent', 'absent', NONE],
  ['absent', 'same', DELETE_B],
  ['absent', 'changed', BACK('changed-and-deleted')],
  ['absent', 'unknown', BACK('new')],
  ['absent', 'unlisted', NONE],
  ['same', 'absent', DELETE_A],
  ['same', 'same', SAME],
  ['same', 'changed', BACK('destination-changed')],
  ['same', 'unknown', INSPECT],
  ['same', 'unlisted', NONE],
  ['changed', 'absent', THERE('changed-and-deleted')],
  ['changed', 'same', THERE('source-changed')],
  ['changed', 'changed', INSPECT],
  ['changed', 'unknown', INSPECT],
  ['changed', 'unlisted', NONE],
  ['unknown', 'absent', THERE('new')],
  ['unknown', 'same', INSPECT],
  ['unknown', 'changed', INSPECT],
  ['unknown', 'unknown', INSPECT],
  ['unknown', 'unlisted', NONE],
];

describe('a mirror decides', () => {
  test.each(TABLE)('%s on a, %s on b', (a, b, expected) => {
    expect(decide(MIRROR, a, b, UNKNOWN)).toEqual(expected);
    expect(decide(MIRROR, a, b, DIFFERENT)).toEqual(expected);
  });

  test('the table has every combination', () => {
    const combinations = new Set(TABLE.map(([a, b]) => `${a} ${b}`));
    expect(combinations.size).toBe(4 * 5);
  });

  test.each(TABLE)('equal content is copied by nobody: %s on a, %s on b', (a, b, expected) => {
    const both = a !== 'absent' && b !== 'absent' && b !== 'unlisted';
    const skip = { action: 'skip', reason: a === 'same' && b === 'same' ? 'unchanged' : 'same-checksum' };
    expect(decide(MIRROR, a, b, EQUAL)).toEqual(both ? skip : expected);
  });
});

describe('a conflict', () => {
  const object = (size: number, mtimeMs: number): ObjectInfo => ({
    ...{ key: 'k', size, mtimeMs, etag: `${size} ${mtimeMs}`, headers: {}, metadata: {}, checksums: {} },
  });
  const old = object(9, 1000);
  const young = object(5, 2000);
  const ends: Record<ConflictWay, ReturnType<typeof winnerOf>> = {
    'keep-both': { winner: 'destination', keepsLoser: true },
    newer: { winner: 'destination', keepsLoser: false },
    older: { winner: 'source', keepsLoser: false },
    larger: { winner: 'source', keepsLoser: false },
    smaller: { winner: 'destination', keepsLoser: false },
    a: { winner: 'source', keepsLoser: false },
    b: { winner: 'destination', keepsLoser: false },
    fail: undefined,
  };

  test.each(CONFLICT_WAYS)('ends as %s says', (way) => {
    expect(winnerOf(way, { source: old, dest: young })).toEqual(ends[way]);
    const { winner, keepsLoser } = ends[way] ?? {};
    const fixed = way === 'a' || way === 'b' || way === 'fail';
    const other = winner === 'source' ? 'destination' : 'source';
    const swapped = fixed ? ends[way] : { winner: other, keepsLoser };
    expect(winnerOf(way, { source: young, dest: old })).toEqual(swapped);
  });

  test.each(['newer', 'older', 'larger', 'smaller', 'keep-both'] as const)('keeps both where %s cannot tell', (way) => {
    expect(winnerOf(way, { source: old, dest: object(9, 1000) })).toEqual({ winner: 'source', keepsLoser: true });
  });
});
