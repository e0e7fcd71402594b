import { expect, it } from 'vitest';
import { Bell, backoff } from '../../src/bridge/pace.js';

it('waits between half and the whole of a time that doubles, up to a limit', () => {
  expect(backoff(0, 1000, 60_000, () => 0)).toBe(500);
  expect(backoff(3, 1000, 60_000, () => 1)).toBe(8000);
  expect(backoff(1000, 1000, 60_000, () => 1)).toBe(60_000);
});

it('a ring wakes, also one before the wait', async () => {
  const bell = new Bell();
  bell.ring();
  await bell.wait(3_600_000);
  const waiting = bell.wait(3_600_000);
  bell.ring();
  await waiting;
});
