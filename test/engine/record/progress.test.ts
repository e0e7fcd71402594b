import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../../src/engine/events.js';
import { Fold } from '../../../src/engine/record/fold.js';
import { beforeRun, progressOf } from '../../../src/engine/record/progress.js';
import { Pair } from '../support.js';

const PASS = { startedMs: 0, passed: { looked: 0, objects: 0, bytes: 0 } };

function stateAfter(...events: RunEvent[]): ReturnType<typeof progressOf> {
  const fold = new Fold();
  for (const event of events) fold.hear(event);
  return progressOf(fold, beforeRun(new Pair().manifest, PASS));
}

const plan = (key: string, size: number): RunEvent => ({
  ...{ type: 'plan', key, size, reason: 'new', parts: 1, sourceMtimeMs: 0 },
});
const progress = (key: string, bytes: number): RunEvent => ({ type: 'progress', key, bytes });
const begin = (key: string, size: number, resumedBytes = 0): RunEvent => ({
  ...{ type: 'begin', key, size, parts: 1, resumedBytes },
});
const copied = (key: string, size: number): RunEvent => ({
  ...{ type: 'copied', key, size, verifiedBy: 'md5', parts: 1, resumedParts: 0, resumedBytes: 0 },
  ...{ elapsedMs: 1, sourceMtimeMs: 0, replaced: false },
});
const failed = (key: string, size: number, operation?: 'delete'): RunEvent => ({
  ...{ type: 'failed', key, size, class: 'person', code: 'access-denied', message: 'no', attempts: 1, operation },
});

describe('what is pending', () => {
  test('is what is left of each object: what an earlier run sent, and what has gone out, is not', () => {
    const { pending } = stateAfter(
      ...[plan('a', 100), plan('b', 50), begin('a', 100, 30), progress('a', 20)],
      // The source changed: the object starts again.
      ...[plan('c', 40), begin('c', 40), progress('c', 40), begin('c', 40)],
    );
    expect(pending).toEqual({ objects: 3, bytes: 50 + 50 + 40 });
  });

  test('an object that fails without having been planned takes nothing off another one', () => {
    const { pending, source, synced } = stateAfter(
      plan('a', 100),
      failed('never planned', 7),
      failed('gone', 9, 'delete'),
    );
    expect(pending).toEqual({ objects: 1, bytes: 100 });
    expect(source).toEqual({ objects: 2, bytes: 107 });
    expect(synced.objects).toBe(0);
  });

  test('each object ends once, however it ends', () => {
    const state = stateAfter(
      ...[plan('a', 1), plan('b', 2), plan('c', 4), copied('a', 1), failed('b', 2)],
      // Another run of this process was faster.
      { type: 'skip', key: 'c', size: 4, reason: 'unchanged' },
      ...([
        { type: 'skip', key: 'd', size: 8, reason: 'unchanged' },
        { type: 'skip', key: 'e', size: 16, reason: 'settling' },
        { type: 'skip', key: 'f', size: 32, reason: 'cutoff' },
        { type: 'skip', key: 'g', size: 64, reason: 'filtered' },
        { type: 'held', key: 'h', size: 128, class: 'person', code: 'network', why: 'unchanged' },
      ] as const),
    );
    expect(state).toMatchObject({
      pending: { objects: 0, bytes: 0 },
      source: { objects: 7, bytes: 1 + 2 + 4 + 8 + 16 + 32 + 128 },
      synced: { objects: 3, bytes: 1 + 4 + 8 },
      excluded: { objects: 1, bytes: 64 },
    });
  });
});

test('the total is not known while the source is being listed, the second time either', () => {
  const listed = (done: boolean): RunEvent => ({ type: 'listed', side: 'source', objects: 1, done });
  expect(stateAfter(listed(true)).listed).toBe(true);
  expect(stateAfter(listed(true), listed(false)).listed).toBe(false);
});

describe('conflicts of a mirror', () => {
  const conflict = (key: string, winner: 'source' | undefined, keepsLoser = true): RunEvent => ({
    ...{ type: 'conflict', key, size: 1, winner, keepsLoser },
    ...{ source: { size: 1, mtimeMs: 0 }, destination: { size: 2, mtimeMs: 0 } },
  });
  const conflictsAfter = (...events: RunEvent[]) => {
    const fold = new Fold(undefined, true);
    for (const event of events) fold.hear(event);
    return fold.sums.mirror?.conflicts;
  };

  test('are open until the winner has been copied', () => {
    expect(conflictsAfter(conflict('a', 'source'))).toEqual({ objects: 1, kept: 0, open: 1 });
    expect(conflictsAfter(conflict('a', 'source'), copied('a', 1))).toEqual({ objects: 1, kept: 1, open: 0 });
    expect(conflictsAfter(conflict('a', 'source', false), copied('a', 1))).toEqual({ objects: 1, kept: 0, open: 0 });
  });

  test('stay open if that fails, or if nobody wins', () => {
    expect(conflictsAfter(conflict('a', 'source'), failed('a', 1))).toEqual({ objects: 1, kept: 0, open: 1 });
    expect(conflictsAfter(conflict('a', undefined), failed('a', 1))).toEqual({ objects: 1, kept: 0, open: 1 });
  });

  test('that are settled count once if the listings start again', () => {
    const events = [conflict('a', 'source'), copied('a', 1), conflict('b', 'source'), { type: 'again' } as const];
    expect(conflictsAfter(...events)).toEqual({ objects: 1, kept: 1, open: 0 });
    expect(conflictsAfter(...events, conflict('b', 'source'), copied('b', 1))).toEqual({
      objects: 2,
      kept: 2,
      open: 0,
    });
  });
});
