import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ChangeLines } from '../../../src/cli/render/changes.js';
import { summary } from '../fixtures.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const run = (objects: number, more = {}) => ({
  ...summary,
  elapsedMs: 100,
  copied: { objects, bytes: objects * 1024 },
  deleted: { objects: 0, bytes: 0, left: 0 },
  failed: { objects: 0, byClass: {}, list: [] },
  ...more,
});

test('twenty changes are two lines: the first at once, the others after an interval', () => {
  const lines: string[] = [];
  const changes = new ChangeLines(30_000, (line) => lines.push(line), Date.now);
  changes.add(run(0));
  expect(lines).toEqual([]);
  for (let n = 0; n < 20; n++) changes.add(run(1));
  expect(lines).toEqual(['Changes: copied 1 object, 1.00 KiB; failed 0; 0.1s']);
  vi.advanceTimersByTime(30_000);
  expect(lines).toHaveLength(2);
  expect(lines[1]).toBe('Changes: copied 19 objects, 19.0 KiB; failed 0; 30.0s');
  // A change that follows waits, too.
  changes.add(run(1));
  expect(lines).toHaveLength(2);
  vi.advanceTimersByTime(30_000);
  expect(lines).toHaveLength(3);
  vi.advanceTimersByTime(300_000);
  expect(lines).toHaveLength(3);
  changes.add(run(1, { deleted: { objects: 2, bytes: 9, left: 0 } }));
  expect(lines[3]).toBe('Changes: copied 1 object, 1.00 KiB; deleted 2; failed 0; 0.1s');
});

test('the end loses no change', () => {
  const lines: string[] = [];
  const changes = new ChangeLines(30_000, (line) => lines.push(line), Date.now);
  changes.add(run(1));
  changes.add(run(2));
  changes.close();
  expect(lines[1]).toContain('copied 2 objects');
  vi.advanceTimersByTime(60_000);
  expect(lines).toHaveLength(2);
});
