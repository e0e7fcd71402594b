import { expect, test } from 'vitest';
import { FetchWatch } from '../../src/cluster/fetch-watch.js';

const waits = { waiting: 3, active: 1 };

test('a worker that gets no job for 20 s although some wait is stuck, once', () => {
  const watch = new FetchWatch(2);
  expect(watch.isStuck({ nowMs: 0, ...waits })).toBe(false);
  expect(watch.isStuck({ nowMs: 19_999, ...waits })).toBe(false);
  expect(watch.isStuck({ nowMs: 20_000, ...waits })).toBe(true);
  expect(watch.isStuck({ nowMs: 20_001, ...waits })).toBe(false);
});

test.each([
  ['got a job', (watch: FetchWatch) => watch.fetched()],
  ['has as many as it takes', (watch: FetchWatch) => watch.isStuck({ nowMs: 10_000, waiting: 3, active: 2 })],
  ['found none waiting', (watch: FetchWatch) => watch.isStuck({ nowMs: 10_000, waiting: 0, active: 0 })],
])('one that %s is not', (_, meanwhile) => {
  const watch = new FetchWatch(2);
  watch.isStuck({ nowMs: 0, ...waits });
  meanwhile(watch);
  expect(watch.isStuck({ nowMs: 20_000, ...waits })).toBe(false);
});
