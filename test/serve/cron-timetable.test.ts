import { expect, test } from 'vitest';
import { cronTimetable } from '../../src/serve/cron-timetable.js';

const MINUTE = 60_000;
const everyMinute = (afterMs: number): number => (Math.floor(afterMs / MINUTE) + 1) * MINUTE;

test('polls when it is time, in full, once each', () => {
  let nowMs = 90_000;
  const timetable = cronTimetable(everyMinute, () => nowMs);
  const poll = timetable.next(5000);
  expect(poll).toEqual({ atMs: 35_000 });
  // A timer that is a little early, and a pass that takes no time.
  nowMs = 119_999;
  timetable.polled(poll, 0, 34_999);
  expect(timetable.next(34_999)).toEqual({ atMs: 34_999 + 1 + MINUTE });
});

test('what came due during a poll is left out', () => {
  let nowMs = 0;
  const timetable = cronTimetable(everyMinute, () => nowMs);
  const poll = timetable.next(0);
  nowMs = 10 * MINUTE + 1;
  timetable.polled(poll, 5, nowMs);
  expect(timetable.next(nowMs)).toEqual({ atMs: 11 * MINUTE });
});

test('a clock that is set back does not put off the polls until then', () => {
  let nowMs = 1000 * MINUTE;
  const timetable = cronTimetable(everyMinute, () => nowMs);
  const poll = timetable.next(0);
  timetable.polled(poll, 0, MINUTE);
  nowMs = 10 * MINUTE;
  expect(timetable.next(MINUTE)).toEqual({ atMs: 2 * MINUTE });
});
