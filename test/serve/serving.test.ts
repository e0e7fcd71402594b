import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { XsyncError } from '../../src/model/error.js';
import { type Served, Serving } from '../../src/serve/serving.js';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const pair = (id: string, fingerprint = '1'): Served => ({ id, fingerprint });

/** Serves pairs that drain in `drainMs`; those in `broken` fail at once. */
function served({ drainMs = 0, broken = new Set<string>() } = {}) {
  const log: string[] = [];
  const serving = new Serving<Served>({
    async serve({ id, fingerprint }, drain) {
      log.push(`+${id}${fingerprint}`);
      if (broken.has(id)) throw new XsyncError('config', `${id} is broken`);
      await new Promise<void>((resolve) => drain.addEventListener('abort', () => setTimeout(resolve, drainMs)));
      log.push(`-${id}${fingerprint}`);
    },
    failed: ({ id }, { message }) => log.push(`!${id} ${message}`),
  });
  return { serving, log };
}

test('what has not changed keeps running; the rest is stopped, started or both', async () => {
  const { serving, log } = served();
  expect(await serving.apply([pair('a'), pair('b'), pair('c')])).toEqual({
    started: 3,
    stopped: 0,
    changed: 0,
    kept: 0,
  });
  log.length = 0;
  const applied = serving.apply([pair('a'), pair('b', '2'), pair('d')]);
  await vi.runAllTimersAsync();
  expect(await applied).toEqual({ started: 1, stopped: 1, changed: 1, kept: 1 });
  expect(log).toEqual(['-b1', '-c1', '+b2', '+d1']);
  expect(serving.pairs.map(({ id }) => id).sort()).toEqual(['a', 'b', 'd']);
});

test('nothing new begins before what is stopped has drained, for it may have the manifest', async () => {
  const { serving, log } = served({ drainMs: 5000 });
  await serving.apply([pair('old')]);
  const applied = serving.apply([pair('new')]);
  await vi.advanceTimersByTimeAsync(4999);
  expect(log).toEqual(['+old1']);
  await vi.advanceTimersByTimeAsync(1);
  await applied;
  expect(log).toEqual(['+old1', '-old1', '+new1']);
});

test('new rules do not wait for hours until a transfer of one that is gone has ended', async () => {
  const log: string[] = [];
  const serving = new Serving<Served>({
    async serve({ id }, _drain, stop) {
      log.push(`+${id}`);
      await new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve()));
      log.push(`-${id}`);
    },
    failed: () => {},
  });
  await serving.apply([pair('slow'), pair('kept')]);
  const applied = serving.apply([pair('kept'), pair('new')]);
  await vi.runAllTimersAsync();
  expect(await applied).toEqual({ started: 1, stopped: 1, changed: 0, kept: 1 });
  expect(log).toEqual(['+slow', '+kept', '-slow', '+new']);
});

test('of two changes of the rules, the second one holds, however long the first one takes', async () => {
  const { serving, log } = served({ drainMs: 5000 });
  await serving.apply([pair('a'), pair('b')]);
  log.length = 0;
  const first = serving.apply([pair('a', '2'), pair('b', '2'), pair('deletes')]);
  const second = serving.apply([pair('a', '3')]);
  await vi.runAllTimersAsync();
  expect(await first).toEqual({ started: 1, stopped: 0, changed: 2, kept: 0 });
  expect(await second).toEqual({ started: 0, stopped: 2, changed: 1, kept: 0 });
  expect(serving.pairs).toEqual([pair('a', '3')]);
  expect(log.at(-1)).toBe('+a3');
});

test('one that fails tries again after a pause that grows, and the others do not notice', async () => {
  const broken = new Set(['b']);
  const { serving, log } = served({ broken });
  await serving.apply([pair('a'), pair('b')]);
  const starts = (): number => log.filter((line) => line === '+b1').length;
  await vi.advanceTimersByTimeAsync(999);
  expect(starts()).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(starts()).toBe(2);
  await vi.advanceTimersByTimeAsync(2000);
  expect(starts()).toBe(3);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(starts()).toBeGreaterThan(60);
  expect(log.filter((line) => line.endsWith('a1'))).toEqual(['+a1']);
  broken.clear();
  await vi.advanceTimersByTimeAsync(60_000);
  const before = starts();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(starts()).toBe(before);
});

test('the end drains all, also those that pause, and nothing begins afterwards', async () => {
  const { serving, log } = served({ drainMs: 100, broken: new Set(['b']) });
  await serving.apply([pair('a'), pair('b')]);
  const end = serving.end();
  await vi.advanceTimersByTimeAsync(100);
  await end;
  expect(log.at(-1)).toBe('-a1');
  const late = serving.apply([pair('late')]);
  await vi.runAllTimersAsync();
  await late;
  expect(log).not.toContain('+late1');
});
