import { describe, expect, test } from 'vitest';
import { MemoryStore } from '../../../src/store/memory/store.js';
import { Limiter, type LimiterOptions, throttle } from '../../../src/store/wrap/throttle.js';
import { sleep } from '../../../src/store/wrap/time.js';
import { FakeClock } from './fakes.js';

const KIB = 1024;

function rig(options: LimiterOptions) {
  const clock = new FakeClock();
  const limiter = new Limiter({ now: clock.now, sleep: clock.sleep, ...options });
  return { clock, limiter, store: throttle(new MemoryStore(), limiter) };
}

/** When each of `count` requests in a row was let go, ms. */
async function requestTimes({ clock, limiter }: ReturnType<typeof rig>, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    await limiter.request();
    times.push(clock.nowMs);
  }
  return times;
}

describe('--tpslimit', () => {
  test('requests go at the rate, or the account would be throttled as a whole', async () => {
    expect(await requestTimes(rig({ requestsPerSecond: 4 }), 4)).toEqual([0, 250, 500, 750]);
  });

  test('a burst goes at once, a pause refills it, and never beyond it', async () => {
    const limits = rig({ requestsPerSecond: 10, burst: 3 });
    expect(await requestTimes(limits, 4)).toEqual([0, 0, 0, 100]);
    limits.clock.nowMs = 60_000;
    expect(await requestTimes(limits, 5)).toEqual([60_000, 60_000, 60_000, 60_100, 60_200]);
  });

  test('every kind of request counts, and both stores share the limit', async () => {
    const { clock, limiter, store } = rig({ requestsPerSecond: 2 });
    const other = throttle(new MemoryStore(), limiter);
    await store.put('k', Buffer.from('12345'));
    await other.list({});
    await store.head('k');
    await store.read('k', new Uint8Array(5));
    expect(clock.nowMs).toBe(1500);
  });

  test('requests asked for together go one after the other, in order', async () => {
    const { clock, limiter } = rig({ requestsPerSecond: 10 });
    const order: string[] = [];
    await Promise.all(
      ['a', 'b', 'c'].map(async (name) => {
        await limiter.request();
        order.push(`${name}@${clock.nowMs}`);
      }),
    );
    expect(order).toEqual(['a@0', 'b@100', 'c@200']);
  });

  test('without a limit nothing waits', async () => {
    const { clock, limiter } = rig({});
    for (let i = 0; i < 1000; i++) expect(limiter.request()).toBeUndefined();
    expect(limiter.bytes('up', 1e12)).toBeUndefined();
    expect(clock.slept).toEqual([]);
  });
});

describe('--bwlimit', () => {
  test('bytes go at the rate from the first piece to the last, or the office line would be full', async () => {
    const { clock, limiter } = rig({ up: () => 100 * KIB });
    for (let i = 0; i < 100; i++) await limiter.bytes('up', 64 * KIB);
    // 6,400 KiB at 100 KiB/s, of which the first tenth of a second goes ahead of the clock.
    expect(clock.nowMs).toBeGreaterThanOrEqual(63_900);
    expect(clock.nowMs).toBeLessThanOrEqual(64_100);
  });

  test('up and down are limited apart, over both stores', async () => {
    const { clock, limiter, store } = rig({ up: () => KIB });
    const other = throttle(new MemoryStore(), limiter);
    await store.put('k', Buffer.alloc(2 * KIB));
    await store.read('k', new Uint8Array(2 * KIB));
    const readDone = clock.nowMs;
    await other.put('k', Buffer.alloc(2 * KIB));
    expect(readDone).toBe(1900);
    expect(clock.nowMs).toBe(3900);
  });

  test('a waiting transfer follows the timetable within a second, also out of a full stop', async () => {
    const nine = 9 * 3600_000;
    const { clock, limiter } = rig({ down: (nowMs) => (nowMs < nine ? 0 : undefined) });
    clock.nowMs = nine - 5500;
    await limiter.bytes('down', 64 * KIB);
    expect(clock.nowMs).toBe(nine + 500);
    expect(limiter.bytes('down', 1e9)).toBeUndefined();
  });

  test('when a limit begins, what went before it is not charged', async () => {
    let rate: number | undefined = 1000;
    const { clock, limiter } = rig({ up: () => rate });
    limiter.bytes('up', 1);
    rate = undefined;
    limiter.bytes('up', 1e12);
    rate = 1000;
    await limiter.bytes('up', 1000);
    expect(clock.nowMs).toBeLessThanOrEqual(1000);
  });

  test("the caller's pace and the limit both hold a transfer", async () => {
    const { clock, store } = rig({ up: () => KIB });
    let held = false;
    await store.put('k', Buffer.alloc(2 * KIB), {
      pace: async () => {
        await clock.sleep(100);
        held = true;
      },
    });
    expect([held, clock.nowMs]).toEqual([true, 1900]);
    await store.put('k', Buffer.alloc(KIB), { pace: () => clock.sleep(5000) });
    expect(clock.nowMs).toBe(6900);
  });
});

test('aborting ends a wait at once', async () => {
  const controller = new AbortController();
  const limiter = new Limiter({ requestsPerSecond: 0.001, up: () => 1, sleep });
  const store = throttle(new MemoryStore(), limiter);
  await limiter.request();
  const put = store.put('k', Buffer.from('12345'), { signal: controller.signal });
  setImmediate(() => controller.abort());
  await expect(put).rejects.toMatchObject({ code: 'aborted' });
  await expect(limiter.bytes('up', 1000, controller.signal)).rejects.toMatchObject({ code: 'aborted' });
});
