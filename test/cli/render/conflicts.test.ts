import { expect, test } from 'vitest';
import { conflictJson, conflictLines } from '../../../src/cli/render/conflicts.js';
import type { ConflictRow } from '../../../src/manifest/port.js';

const NAMES = { source: 'east:a', destination: 'shanghai:b' };
const AT = Date.UTC(2026, 10, 29, 20, 6, 7);
const ROW: ConflictRow = {
  ...{ key: 'plan\u001b.txt', foundMs: AT, seenMs: AT },
  sides: { source: { etag: '1', size: 1, mtimeMs: AT }, dest: { etag: '2', size: 2048, mtimeMs: AT + 1000 } },
};

test.each([
  [ROW, 'open'],
  [{ ...ROW, settledMs: AT }, 'settled: both sides were made equal'],
  [{ ...ROW, settledMs: AT, winner: 'source' as const }, "settled: a keeps the name, b's object is replaced"],
  [
    { ...ROW, settledMs: AT, winner: 'destination' as const, keptAs: 'plan.txt.conflict1' },
    "settled: b keeps the name, a's object is kept as plan.txt.conflict1",
  ],
])('a conflict and its end, without control characters', (row, end) => {
  const [title, first = '', second = ''] = conflictLines(NAMES, [row]);
  expect(title).toBe('a: east:a  b: shanghai:b\n');
  expect(first).toMatch(/^2026-11-29 20:06 {2}plan\S*\.txt: /);
  expect(first).not.toContain('\u001b');
  expect(first.endsWith(`: ${end}\n`)).toBe(true);
  expect(second).toMatch(/^ {2}a has 1 B of 2026-11-29 20:06:07 UTC; b has 2\.00 KiB of 2026-11-29 20:06:08 UTC\n$/);
});

test('JSON has both sides by their roles', () => {
  expect(JSON.parse(conflictJson(NAMES, ROW))).toEqual({
    ...{ ...NAMES, key: ROW.key, state: 'open', foundMs: AT, seenMs: AT },
    sides: { source: ROW.sides.source, destination: ROW.sides.dest },
  });
});
