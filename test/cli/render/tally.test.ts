import { describe, expect, it } from 'vitest';
import { Tally } from '../../../src/cli/render/tally.js';
import type { RunEvent } from '../../../src/engine/events.js';
import { Clock, events } from '../fixtures.js';

const MIB = 1024 ** 2;

function copied(key: string, size: number): RunEvent {
  return {
    type: 'copied',
    key,
    size,
    verifiedBy: 'md5',
    parts: 1,
    resumedParts: 0,
    resumedBytes: 0,
    sourceMtimeMs: 0,
    replaced: false,
    elapsedMs: 1,
  };
}

function tallied(list: readonly RunEvent[], clock = new Clock()): Tally {
  const tally = new Tally(clock.now);
  for (const event of list) tally.hear(event);
  return tally;
}

const plan = (key: string, size: number): RunEvent => ({
  type: 'plan',
  key,
  size,
  reason: 'new',
  parts: 1,
  sourceMtimeMs: 0,
});
const begin = (key: string, size: number, resumedBytes = 0): RunEvent => ({
  type: 'begin',
  key,
  size,
  parts: 1,
  resumedBytes,
});

describe('where a run stands', () => {
  it('done bytes end at the planned bytes, whatever came by progress events, resumption or neither', () => {
    const status = tallied([
      plan('a', 100),
      plan('b', 50),
      plan('c', 10),
      begin('a', 100, 30),
      { type: 'progress', key: 'a', bytes: 70 },
      copied('a', 100),
      begin('b', 50),
      copied('b', 50),
      copied('c', 10),
    ]).status();
    expect(status.doneBytes).toBe(160);
    expect(status.planned).toEqual({ objects: 3, bytes: 160 });
    expect(status.copied).toEqual({ objects: 3, bytes: 160 });
  });

  it('an object that starts again or fails takes its bytes back', () => {
    const half: RunEvent = { type: 'progress', key: 'a', bytes: 50 };
    const again = tallied([plan('a', 100), begin('a', 100), half, { type: 'restart', key: 'a', message: '' }, half]);
    expect(again.status().doneBytes).toBe(50);
    expect(tallied([plan('a', 100), begin('a', 100), half, begin('a', 100)]).status().doneBytes).toBe(0);
    const failed: RunEvent = {
      type: 'failed',
      key: 'a',
      size: 100,
      class: 'person',
      code: 'access-denied',
      message: '',
      attempts: 1,
    };
    const status = tallied([plan('a', 100), plan('b', 7), begin('a', 100), half, failed]).status();
    expect(status).toMatchObject({ doneBytes: 0, planned: { objects: 1, bytes: 7 }, failed: 1 });
  });

  it('what is planned twice, or done by another run, does not keep the total from being reached', () => {
    const status = tallied([
      ...[plan('a', 100), plan('b', 7), copied('a', 100), { type: 'again' } as const, plan('b', 7), plan('c', 9)],
      ...[copied('b', 7), { type: 'skip', key: 'c', size: 9, reason: 'unchanged' } as const],
    ]).status();
    expect(status.planned).toEqual(status.copied);
    expect(status.doneBytes).toBe(107);
  });

  it('the speed is that of the last seconds, and what an earlier run sent is not in it', () => {
    const clock = new Clock();
    const tally = tallied([plan('a', 400 * MIB), begin('a', 400 * MIB, 100 * MIB)], clock);
    for (let second = 0; second < 20; second++) {
      clock.ms += 1000;
      tally.hear({ type: 'progress', key: 'a', bytes: 10 * MIB });
    }
    const { bytesPerSecond, etaMs } = tally.status();
    expect(bytesPerSecond / MIB).toBeGreaterThan(9);
    expect(bytesPerSecond / MIB).toBeLessThan(12);
    expect((etaMs ?? 0) / 1000).toBeCloseTo((100 * MIB) / bytesPerSecond, 3);
    clock.ms += 60_000;
    expect(tally.status()).toMatchObject({ bytesPerSecond: 0 });
    expect(tally.status().etaMs).toBeUndefined();
  });

  it('names the largest objects in flight and forgets those that have landed', () => {
    const tally = tallied([begin('s', 1), begin('l', 9), begin('m', 5), copied('l', 9)]);
    expect(tally.inFlight(4).map(({ key }) => key)).toEqual(['m', 's']);
    expect(tally.inFlight(1)).toEqual([{ key: 'm', size: 5, bytes: 0 }]);
  });

  it('knows when the listing is complete', () => {
    expect(tallied(events.slice(0, 4)).status()).toMatchObject({ sourceListed: false, listed: { source: 1000 } });
    expect(tallied(events).status()).toMatchObject({ sourceListed: true, listed: { source: 1500 }, skipped: 2 });
  });
});
