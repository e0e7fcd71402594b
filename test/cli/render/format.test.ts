import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatCounts,
  formatDuration,
  formatPercent,
  plural,
} from '../../../src/cli/render/format.js';

describe('numbers as a person reads them', () => {
  it('sizes keep about three digits and never show 1000 or more of a unit', () => {
    const sizes = [0, 999, 1000, 1024, 1535, 10_239, 102_348, 1_023_000, 1024 ** 2, 1.5 * 1024 ** 4, 1024 ** 6];
    expect(sizes.map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '0.98 KiB',
      '1.00 KiB',
      '1.50 KiB',
      '10.0 KiB',
      '99.9 KiB',
      '999 KiB',
      '1.00 MiB',
      '1.50 TiB',
      '1.00 EiB',
    ]);
  });

  it('durations never show 60 of a smaller unit', () => {
    const minute = 60_000;
    expect(
      [0, 400, 59_940, 59_960, 62_000, 59.99 * minute, 125 * minute, 76 * 60 * minute].map(formatDuration),
    ).toEqual(['0.0s', '0.4s', '59.9s', '1m00s', '1m02s', '59m59s', '2h05m', '3d04h']);
  });

  it('100% means that everything is done', () => {
    expect([formatPercent(0, 0), formatPercent(999, 1000), formatPercent(1000, 1000), formatPercent(1, 3)]).toEqual([
      '0%',
      '99%',
      '100%',
      '33%',
    ]);
  });

  it('counts have separators, nouns a plural, and lists start with what there is most of', () => {
    expect([formatCount(1234567), plural(1, 'object'), plural(1200, 'object')]).toEqual([
      '1,234,567',
      '1 object',
      '1,200 objects',
    ]);
    expect(formatCounts({ list: 3, read: 2052, head: 0, put: undefined })).toBe('read 2,052 · list 3');
  });
});
