import { Chalk } from 'chalk';
import { expect, test } from 'vitest';
import { FailedTable, type ShownFailure } from '../../../src/cli/render/failed.js';

const failure: ShownFailure = {
  ...{ key: `photos/2023/${'x'.repeat(60)}/img_0001.raw`, size: 1, sourceEtag: '', sourceMtimeMs: 0, arrivedMs: 0 },
  ...{ class: 'permanent', code: 'key-not-representable', message: 'no', attempts: 12_345 },
  ...{ firstMs: 0, lastMs: 0, seenMs: 0, dropped: false, settings: '', nextMs: 11 * 3_600_000 },
};

const rows = (width: number): string[] =>
  new FailedTable(
    { source: 'virginia:photos', destination: 'shanghai:photos' },
    {
      chalk: new Chalk({ level: 0 }),
      width,
      nowMs: 0,
    },
  )
    .lines([failure])
    .map((line) => line.trimEnd());

test.each([79, 100, 119, 139])('no row is wider than %i columns, and the end of the key is there', (width) => {
  for (const row of rows(width)) expect(row.length).toBeLessThanOrEqual(width);
  expect(rows(width).at(-1)).toMatch(/…\S*0001\.raw$/);
});

test('a wide window and a pipe show when', () => {
  expect(rows(139)[1]).toContain('first             last');
  expect(rows(79)[1]).toBe('class      code                   tries  next try       key');
  expect(rows(Number.POSITIVE_INFINITY).at(-1)).toContain(failure.key);
});
