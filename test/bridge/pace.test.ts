import { expect, it } from 'vitest';
import { Bell, backoff, retryPauseMs } from '../../src/bridge/pace.js';

it('waits between half and the whole of a time that doubles, up to a limit', () => {
  expect(backoff(0, 1000, 60_000, () => 0)).toBe(500);
  expect(backoff(3, 1000, 60_000, () => 1)).toBe(8000);
  expect(backoff(1000, 1000, 60_000, () => 1)).toBe(60_000);
});

it('ten attempts last for minutes, or for more than an hour if a person has to mend something', () => {
  const lasts = (waits: boolean, random: number) =>
    Array.from({ length: 9 }, (_, failures) => retryPauseMs(failures, waits, () => random)).reduce((a, b) => a + b) /
    60_000;
  expect([lasts(false, 0), lasts(false, 1)].map(Math.floor)).toEqual([4, 8]);
  expect([lasts(true, 0), lasts(true, 1)].map(Math.floor)).toEqual([60, 121]);
  expect(retryPauseMs(0, true, () => 1)).toBe(1000);
});

it('a ring wakes, also one before the wait', async () => {
  const bell = new Bell();
  bell.ring();
  await bell.wait(3_600_000);
  const waiting = bell.wait(3_600_000);
  bell.ring();
  await waiting;
});
