import { expect, test } from 'vitest';
import { cronOf } from '../../src/rules/cron.js';

const at = (text: string): number => Date.parse(text);

test('the next time is after the given one, in the given time zone', async () => {
  const next = await cronOf({ expression: '30 2 * * *', timezone: 'Asia/Shanghai' });
  expect(next(at('2026-01-01T00:00:00Z'))).toBe(at('2026-01-01T18:30:00Z'));
  expect(next(at('2026-01-01T18:30:00Z'))).toBe(at('2026-01-02T18:30:00Z'));
});

test('a time that a change of clocks leaves out is not left out', async () => {
  const next = await cronOf({ expression: '30 2 * * *', timezone: 'Europe/Berlin' });
  const first = next(at('2026-03-28T12:00:00Z'));
  // 02:30 does not exist on that day.
  expect(first).toBeGreaterThan(at('2026-03-29T00:00:00Z'));
  expect(first).toBeLessThan(at('2026-03-29T03:00:00Z'));
  expect(next(first)).toBe(at('2026-03-30T00:30:00Z'));
});
