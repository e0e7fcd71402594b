import { expect, test } from 'vitest';
import { retryAfterMs } from '../../../src/store/http/retry-after.js';

const NOW = Date.parse('Sun, 29 Nov 2026 12:00:00 GMT');

test.each([
  ['2', 2000],
  [' 2 ', 2000],
  ['0.5', 500],
  ['0', 0],
  ['99999999999', 99_999_999_999_000],
  ['Sun, 29 Nov 2026 12:00:10 GMT', 10_000],
  ['Sunday, 29-Nov-26 12:00:10 GMT', 10_000],
  ['Sun Nov 29 12:00:10 2026 GMT', 10_000],
  ['Sun, 29 Nov 2026 11:00:00 GMT', 0],
  ['-5', undefined],
  ['1e9', undefined],
  ['Infinity', undefined],
  ['soon 9999', undefined],
  ['12 apples', undefined],
  ['Mon, never', undefined],
  ['', undefined],
])('Retry-After: %s', (value, ms) => {
  expect(retryAfterMs({ 'retry-after': value }, NOW)).toBe(ms);
});

test('is absent', () => {
  expect(retryAfterMs({})).toBeUndefined();
});

test('a date counts from the date of the response', () => {
  const headers = { 'retry-after': 'Sun, 29 Nov 2026 12:00:10 GMT', date: 'Sun, 29 Nov 2026 12:00:04 GMT' };
  expect(retryAfterMs(headers, 0)).toBe(6000);
});
