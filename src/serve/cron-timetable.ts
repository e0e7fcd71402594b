/** Polls of a watch at the times of a cron expression. Tests: test/serve/cron-timetable.test.ts */
import type { Timetable } from '../engine/watch/watch.js';

/** A timer is early by less. */
const EARLY_MS = 1000;

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
      const nowMs = now();
      // Of a clock that was set back, the last poll says nothing.
      dueMs = next(pastMs - nowMs < EARLY_MS ? Math.max(nowMs, pastMs) : nowMs);
      return { atMs: monotonicMs + dueMs - nowMs };
    },
    polled() {
      pastMs = dueMs;
    },
    changed: () => {},
    cut: () => {},
  };
}
