import { describe, expect, it } from 'vitest';
import { parseRestoring } from '../../src/model/restoring.js';

describe('--restore', () => {
  it.each([
    ['standard', { tier: 'standard', days: 7 }],
    ['Bulk,30', { tier: 'bulk', days: 30 }],
    ['expedited,1', { tier: 'expedited', days: 1 }],
  ])('%s', (text, expected) => {
    expect(parseRestoring(text)).toEqual(expected);
  });

  it.each(['', 'fast', 'bulk,0', 'bulk,366', 'bulk,', 'bulk,1.5', '7', 'bulk 7'])('refuses %j', (text) => {
    expect(() => parseRestoring(text)).toThrow(/--restore/);
  });
});
