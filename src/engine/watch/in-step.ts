/**
 * Polls of pairs that read the same source, at the same times, so that one listing serves them all.
 * Tests: test/engine/watch/in-step.test.ts
 */
import type { SourceReader } from '../fan/source.js';
import type { Timetable } from './watch.js';

/** A cron expression names a second, and timers differ by milliseconds. */
const CLOCK_MS = 1000;
/** How far a schedule strays from its interval, and a bit more. */
const STRAYS = 1.15;
/** Other processes that were started at the same time have other steps. */
const ORIGIN_MS = Math.random() * 3_600_000;

/**
 * Moves polls to the multiples of a step: the shortest interval, doubled as often as the schedule allows. The first poll
 * stays where it is.
 * @param stepMs absent: the times are those of a clock, and the same for all
 * @param originMs where the steps begin; the same for all pairs of a process
 */
export function inStep(
  schedule: Timetable,
  reader: Pick<SourceReader, 'comesAt' | 'joinedMs'>,
  stepMs?: number,
  originMs = ORIGIN_MS,
): Timetable {
  let isFirst = true;
  return {
    next(nowMs) {
      const poll = schedule.next(nowMs);
      const first = isFirst && poll.atMs <= nowMs;
      isFirst = false;
      if (first) return { ...poll, sinceMs: reader.joinedMs };
      const atMs = stepMs === undefined ? poll.atMs : nextStep(nowMs + originMs, poll.atMs - nowMs, stepMs) - originMs;
      reader.comesAt(atMs);
      return { ...poll, atMs, sinceMs: stepMs === undefined ? atMs - CLOCK_MS : atMs };
    },
    changed: (key) => schedule.changed(key),
    polled: (poll, changes, nowMs) => schedule.polled(poll, changes, nowMs),
    cut: (manifest) => schedule.cut(manifest),
  };
}

function nextStep(nowMs: number, gapMs: number, stepMs: number): number {
  let step = stepMs;
  while (2 * step <= gapMs * STRAYS) step *= 2;
  return (Math.floor(nowMs / step) + 1) * step;
}
