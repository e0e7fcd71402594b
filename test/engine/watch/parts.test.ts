import { describe, expect, test } from 'vitest';
import { Settling } from '../../../src/engine/decide/settling.js';
import { Claims } from '../../../src/engine/flow/claims.js';
import type { RunPair } from '../../../src/engine/pair.js';
import { Shared } from '../../../src/engine/shared.js';
import { ListCost } from '../../../src/engine/watch/list-cost.js';
import { Schedule } from '../../../src/engine/watch/schedule.js';
import { Troubles } from '../../../src/engine/watch/troubles.js';
import { XsyncError } from '../../../src/model/error.js';
import { bytesOf, contentOf, OPTIONS, Pair } from '../support.js';

describe('settling', () => {
  test('waits until an object is quiet, and no longer than ten times that', () => {
    const settling = new Settling(1000);
    expect(settling.waits('a', 0, 500)).toBe(true);
    expect(settling.waits('a', 0, 1000)).toBe(false);
    for (let now = 2000; now < 12_000; now += 500) expect(settling.waits('b', now, now)).toBe(true);
    expect(settling.waits('b', 12_000, 12_000)).toBe(false);
  });

  test('does not wait for a time that a wrong clock has put into the future', () => {
    expect(new Settling(1000).waits('a', 5000, 0)).toBe(false);
  });

  test('still copies a log that is never quiet after any number of temporary files that vanished', () => {
    const settling = new Settling(1000);
    for (let n = 0; n < 50_000; n++) settling.waits(`tmp ${n}`, 0, 0);
    for (let now = 0; now < 10_000; now += 500) expect(settling.waits('log', now, now)).toBe(true);
    expect(settling.waits('log', 10_000, 10_000)).toBe(false);
  });
});

describe('claims', () => {
  test('an older version that a run beside this one has just copied is not taken for the one that is there', async () => {
    const pair = new Pair();
    const shared = new Shared(pair.open(), OPTIONS, () => undefined);
    const { claims } = shared;
    await pair.source.put('k', bytesOf('old', 5));
    const old = await pair.source.head('k');
    await new Promise((resolve) => setTimeout(resolve, 5));
    await pair.source.put('k', bytesOf('new', 6));
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const beside = claims.hold('k', async () => {
      await released;
      const { etag: destEtag } = await pair.dest.put('k', bytesOf('old', 5));
      const { size, etag: sourceEtag, mtimeMs: sourceMtimeMs } = old;
      const how = { destEtag, verifiedBy: 'md5', ours: true, atMs: Date.now() } as const;
      pair.manifest.commit([{ key: 'k', size, sourceEtag, sourceMtimeMs, ...how }]);
    });
    await pair.copy({}, (event) => event.type === 'plan' && release(), shared);
    await beside;
    expect(Buffer.compare(await contentOf(pair.dest, 'k'), bytesOf('new', 6))).toBe(0);
  });

  test('let two batches of deletes and a copy between them through, whatever their order', async () => {
    const claims = new Claims();
    const done: string[] = [];
    const work = (name: string) => async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      done.push(name);
    };
    await Promise.all([
      claims.holdAll(['b', 'a', 'c'], work('first')),
      claims.holdAll(['c', 'a', 'a'], work('second')),
      claims.hold('a', work('copy')),
    ]);
    expect(done.sort()).toEqual(['copy', 'first', 'second']);
    expect(claims.has('a')).toBe(false);
  });

  test('have what others did written down, and not what oneself did', () => {
    const claims = new Claims();
    const written: string[] = [];
    const [one, two] = ['one', 'two'].map((name) => ({ close: () => void written.push(name) }));
    const leave = claims.join(one as never);
    claims.join(two as never);
    claims.flush(two as never);
    leave();
    claims.flush(two as never);
    expect(written).toEqual(['one']);
  });
});

describe('the schedule', () => {
  const OPTIONS = { intervalMs: 1000, shortestMs: 250, longestMs: 2000, fullMs: 10_000 };
  const manifest = (objects: number) => ({
    count: () => objects,
    quantile: (after: string | undefined, rows: number) => {
      const next = (after === undefined ? 0 : Number(after)) + rows;
      const name = (n: number) => String(n).padStart(9, '0');
      return next < objects ? { last: name(next), next: name(next + 1) } : undefined;
    },
  });

  test('comes closer while changes flow, and further apart while nothing happens, within its bounds', () => {
    const schedule = new Schedule(OPTIONS, () => 0.5);
    const intervals = [3, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0].map((changes, n) => {
      schedule.polled({ atMs: n }, changes, 0);
      return schedule.next(0).atMs;
    });
    expect(intervals.slice(0, 5)).toEqual([500, 250, 250, 250, 312.5]);
    expect(intervals.at(-1)).toBe(2000);
  });

  test('looks at the ranges in which something happens, and at everything now and then', () => {
    const schedule = new Schedule(OPTIONS, () => 0.5);
    schedule.polled({ atMs: 0 }, 0, 0);
    schedule.cut(manifest(100_000));
    expect(schedule.next(0)).toEqual({ atMs: 10_000 });
    schedule.changed('000025000');
    const poll = schedule.next(0);
    expect(poll.sections).toEqual([{ after: '000020000', until: '000030000' }]);
    for (let n = 0; n < 10; n++) schedule.polled(poll, 0, 500 * n);
    expect(schedule.next(5000)).toEqual({ atMs: 10_000 });
  });

  test('does not sleep for a year when its times are far apart by mistake', () => {
    const schedule = new Schedule(OPTIONS, () => 0.5);
    schedule.polled({ atMs: 1e12 }, 0, 1e12);
    expect(schedule.next(0).atMs).toBeLessThanOrEqual(2000);
  });
});

describe('what looking costs', () => {
  const pair = (lists: { source: number; dest: number }) =>
    ({
      source: { traffic: () => ({ requests: { list: lists.source } }) },
      dest: { traffic: () => ({ requests: { list: lists.dest } }) },
    }) as unknown as RunPair;

  test('is told from the first look on without counting its listing of the destination as if it came each time', () => {
    const cost = new ListCost();
    cost.opened();
    cost.polled(pair({ source: 10, dest: 10 }), 0);
    expect(cost.estimate(60_000)).toEqual({
      total: { source: 10, destination: 10 },
      perDay: { source: 14_400, destination: 0 },
    });
    cost.polled(pair({ source: 20, dest: 10 }), 60_000);
    expect(cost.estimate(120_000).perDay).toEqual({ source: 14_400, destination: 0 });
  });

  test('goes on over a pair that was opened anew', () => {
    const cost = new ListCost();
    cost.opened();
    cost.polled(pair({ source: 10, dest: 1 }), 0);
    cost.opened();
    cost.polled(pair({ source: 5, dest: 1 }), 86_400_000);
    expect(cost.estimate(0)).toMatchObject({ total: { source: 15 }, perDay: { source: 5, destination: 1 } });
  });
});

describe('troubles', () => {
  test('are said once each, until all is well again', () => {
    const told: string[] = [];
    const troubles = new Troubles((event) => told.push(event.type));
    const fault = (subject: string, message: string) => new XsyncError('network', message, { subject });
    expect(troubles.failed('polls', fault('a', 'request 1'), 0)).toBe(1);
    expect(troubles.failed('polls', fault('a', 'request 2'), 1)).toBe(2);
    troubles.failed('events', fault('b', 'request 3'), 59_999);
    expect(told).toEqual(['trouble']);
    troubles.failed('events', fault('b', 'request 4'), 60_000);
    troubles.recovered('polls', 3);
    expect(told).toEqual(['trouble', 'trouble']);
    troubles.recovered('events', 4);
    troubles.recovered('events', 5);
    expect(told).toEqual(['trouble', 'trouble', 'well']);
  });
});
