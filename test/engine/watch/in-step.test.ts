import { beforeEach, expect, test } from 'vitest';
import { inStep } from '../../../src/engine/watch/in-step.js';
import { Schedule } from '../../../src/engine/watch/schedule.js';

const TIMES = { intervalMs: 4000, shortestMs: 1000, longestMs: 8000, fullMs: 40_000 };

let coming: number[];

beforeEach(() => {
  coming = [];
});

function pair(random: () => number, joinedMs = 0) {
  return inStep(new Schedule(TIMES, random), { joinedMs, comesAt: (ms) => coming.push(ms) }, TIMES.shortestMs, 0);
}

test('pairs that were polled at different times are polled together the next time', () => {
  const [early, late] = [pair(() => 0), pair(() => 1)];
  const first = early.next(50);
  expect(first).toMatchObject({ atMs: 50, sinceMs: 0 });
  early.polled(first, 0, 100);
  late.polled(late.next(60), 0, 400);
  const [a, b] = [early.next(110), late.next(410)];
  expect(a.atMs).toBe(b.atMs);
  expect(a.atMs).toBeGreaterThan(410);
  expect(coming).toEqual([a.atMs, b.atMs]);
});

test('a pair that is polled more often is polled at the times of the others, too', () => {
  const [often, rarely] = [pair(() => 0.5), pair(() => 0.5)];
  often.polled(often.next(0), 1, 10);
  rarely.polled(rarely.next(0), 0, 10);
  const at = rarely.next(20).atMs;
  let nowMs = 20;
  const times: number[] = [];
  while (nowMs < at) {
    const poll = often.next(nowMs);
    times.push(poll.atMs);
    nowMs = poll.atMs;
    often.polled(poll, 1, nowMs);
  }
  expect(times).toContain(at);
});

test('after a failure it waits for the next step', () => {
  const failing = pair(() => 0.5);
  failing.next(0);
  const again = failing.next(100);
  expect(again.atMs).toBeGreaterThan(100);
  expect(again.atMs).toBeLessThanOrEqual(1100);
  expect(again.sinceMs).toBe(again.atMs);
});

test('the times of a clock stay as they are', () => {
  const clock = { next: () => ({ atMs: 5000 }), polled: () => {}, changed: () => {}, cut: () => {} };
  const timetable = inStep(clock, { joinedMs: 0, comesAt: () => {} });
  expect(timetable.next(100)).toEqual({ atMs: 5000, sinceMs: 4000 });
});
