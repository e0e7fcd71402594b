import { expect, test } from 'vitest';
import { IN_MEMORY, openManifest } from '../../../src/manifest/sqlite/open.js';

const place = { kind: 'memory', endpoint: 'e', bucket: 'a', prefix: '' };
const SIDES = { source: { etag: '1', size: 1, mtimeMs: 1 }, dest: { etag: '2', size: 2, mtimeMs: 2 } };
const empty = () => openManifest(IN_MEMORY, { source: place, dest: { ...place, bucket: 'b' } }).conflicts;

test('a conflict is open until it is settled, and can come again', () => {
  const conflicts = empty();
  conflicts.note('k', SIDES, 10);
  conflicts.note('k', { ...SIDES, dest: { ...SIDES.dest, etag: '3' } }, 20);
  expect(conflicts.list(9)).toEqual([
    { key: 'k', foundMs: 10, seenMs: 20, sides: { ...SIDES, dest: { ...SIDES.dest, etag: '3' } } },
  ]);
  conflicts.settle('k', { winner: 'destination', keptAs: 'k.conflict1', atMs: 30 });
  conflicts.settle('k', { winner: 'source', atMs: 31 });
  expect(conflicts.open('k')).toBeUndefined();
  conflicts.note('k', SIDES, 40);
  expect(conflicts.countOpen()).toBe(1);
  expect(conflicts.list(9).map(({ foundMs, settledMs, winner }) => [foundMs, settledMs, winner])).toEqual([
    [40, undefined, undefined],
    [10, 30, 'destination'],
  ]);
});

test('what no run finds any more is settled without a winner', () => {
  const conflicts = empty();
  conflicts.note('k', SIDES, 10);
  conflicts.note('l', SIDES, 20);
  conflicts.settleUnseen(20, 25);
  expect(conflicts.list(9).map(({ key, settledMs }) => [key, settledMs])).toEqual([
    ['l', undefined],
    ['k', 25],
  ]);
});
