/** Polls of a watch at the times of a cron expression. Tests: test/serve/cron-timetable.test.ts */
import type { Timetable } from '../engine/watch/watch.js';

/**
 * Every poll is a full one. What comes due during a poll is left out.
 * @param next the first time after another one, ms since 1970
 */
export function cronTimetable(next: (afterMs: number) => number, now: () => number = Date.now): Timetable {
  /** Of the last poll, which a timer may have begun a little early. */
  let pastMs = 0;
  let dueMs = 0;
  return {
    next(monotonicMs) {
      dueMs = next(Math.max(now(), pastMs));
      return { atMs: monotonicMs + dueMs - now() };
    },
    polled() {
      pastMs = dueMs;
    },
    changed: () => {},
    cut: () => {},
  };
}
