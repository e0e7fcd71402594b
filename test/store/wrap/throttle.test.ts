import { describe, expect, test } from 'vitest';
import { MemoryStore } from '../../../src/store/memory/store.js';
import { paceBytes, RateLimits, type RateLimitsOptions, throttle } from '../../../src/store/wrap/throttle.js';
import { sleep } from '../../../src/store/wrap/time.js';
import { FakeClock } from './fakes.js';

const KIB = 1024;

function rig(options: RateLimitsOptions) {
  const clock = new FakeClock();
  const limits = new RateLimits({ now: clock.now, sleep: clock.sleep, ...options });
  return { clock, limits, store: throttle(new MemoryStore(), limits) };
}

/** When each of `count` requests in a row was let go, ms. */
async function requestTimes({ clock, limits }: ReturnType<typeof rig>, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    await limits.request();
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
    const { clock, limits, store } = rig({ requestsPerSecond: 2 });
    const other = throttle(new MemoryStore(), limits);
    await store.put('k', Buffer.from('12345'));
    await other.list({});
    await store.head('k');
    await store.read('k', new Uint8Array(5));
    expect(clock.nowMs).toBe(1500);
  });

  test('requests asked for together go one after the other, in order', async () => {
    const { clock, limits } = rig({ requestsPerSecond: 10 });
    const order: string[] = [];
    await Promise.all(
      ['a', 'b', 'c'].map(async (name) => {
        await limits.request();
        order.push(`${name}@${clock.nowMs}`);
      }),
    );
    expect(order).toEqual(['a@0', 'b@100', 'c@200']);
  });

  test('without a limit nothing waits', async () => {
    const { clock, limits } = rig({});
    for (let i = 0; i < 1000; i++) expect(limits.request()).toBeUndefined();
    expect(limits.bytes('up', 1e12)).toBeUndefined();
    expect(clock.slept).toEqual([]);
  });
});

describe('--bwlimit', () => {
  test('bytes go at the rate from the first piece to the last, or the office line would be full', async () => {
    const { clock, limits } = rig({ up: () => 100 * KIB });
    for (let i = 0; i < 100; i++) await limits.bytes('up', 64 * KIB);
    // 6,400 KiB at 100 KiB/s, of which the first tenth of a second goes ahead of the clock.
    expect(clock.nowMs).toBeGreaterThanOrEqual(63_900);
    expect(clock.nowMs).toBeLessThanOrEqual(64_100);
  });

  test('up and down are limited apart, over both stores', async () => {
    const { clock, limits, store } = rig({ up: () => KIB });
    const other = throttle(new MemoryStore(), limits);
    await store.put('k', Buffer.alloc(2 * KIB));
    await store.read('k', new Uint8Array(2 * KIB));
    const readDone = clock.nowMs;
    await other.put('k', Buffer.alloc(2 * KIB));
    expect(readDone).toBe(1900);
    expect(clock.nowMs).toBe(3900);
  });

  test('a disk has no requests to limit, only bytes', async () => {
    const { clock, limits } = rig({ up: () => KIB, requestsPerSecond: 0.001 });
    const disk = paceBytes(new MemoryStore(), limits);
    await disk.put('k', Buffer.alloc(2 * KIB));
    await disk.head('k');
    await disk.read('k', new Uint8Array(2 * KIB));
    expect(clock.nowMs).toBe(1900);
  });

  test('a waiting transfer follows the timetable within a second, also out of a full stop', async () => {
    const nine = 9 * 3600_000;
    const { clock, limits } = rig({ down: (nowMs) => (nowMs < nine ? 0 : undefined) });
    clock.nowMs = nine - 5500;
    await limits.bytes('down', 64 * KIB);
    expect(clock.nowMs).toBe(nine + 500);
    expect(limits.bytes('down', 1e9)).toBeUndefined();
  });

  test('when a limit begins, what went before it is not charged', async () => {
    let rate: number | undefined = 1000;
    const { clock, limits } = rig({ up: () => rate });
    limits.bytes('up', 1);
    rate = undefined;
    limits.bytes('up', 1e12);
    rate = 1000;
    await limits.bytes('up', 1000);
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

describe('under --bwlimit', () => {
  const MIB = 1024 * KIB;
  const PIECE = 64 * KIB;

  /** Sends `size` bytes as the transport does, piece by piece; resolves to the time at which the last one went. */
  async function send(
    { clock, limits }: Pick<ReturnType<typeof rig>, 'clock' | 'limits'>,
    size: number,
    longest = { waitMs: 0 },
    direction: 'up' | 'down' = 'up',
  ) {
    const body = limits.body(direction, size);
    for (let left = size; left > 0; left -= PIECE) {
      const askedMs = clock.nowMs;
      await limits.bytes(direction, Math.min(left, PIECE), undefined, body);
      // As from a socket: the next piece comes later.
      await clock.sleep(1);
      longest.waitMs = Math.max(longest.waitMs, clock.nowMs - askedMs);
    }
    limits.end(direction, body);
    return clock.nowMs;
  }

  test('parts are finished one after the other, so that a run that is stopped soon has finished some', async () => {
    const limits = rig({ up: () => MIB });
    const ends = await Promise.all(Array.from({ length: 8 }, () => send(limits, 8 * MIB)));
    expect(ends).toEqual([...ends].sort((a, b) => a - b));
    // 64 s all in all; in equal shares the first would end after 57 s.
    expect(ends[0]).toBeLessThan(12_000);
    expect(ends.filter((ms) => ms < 32_000).length).toBeGreaterThanOrEqual(3);
    expect(ends.at(-1)).toBeLessThanOrEqual(64_100);
  });

  test('no part waits so long that the service closes its connection', async () => {
    const limits = rig({ up: () => 200 * KIB });
    const longest = { waitMs: 0 };
    await Promise.all(Array.from({ length: 8 }, () => send(limits, 4 * MIB, longest)));
    expect(longest.waitMs).toBeLessThan(15_000);
  });

  test('a small object does not stand behind the large ones that began before it', async () => {
    const limits = rig({ up: () => MIB });
    const large = Array.from({ length: 8 }, () => send(limits, 8 * MIB));
    while (limits.clock.nowMs < 20_000) await new Promise(setImmediate);
    const begun = limits.clock.nowMs;
    const small = await Promise.all(Array.from({ length: 4 }, () => send(limits, 4 * KIB)));
    expect(Math.max(...small) - begun).toBeLessThan(1000);
    await Promise.all(large);
  });

  test('a part that was read is sent while the next ones are read: one large object uses both ways', async () => {
    const limits = rig({ up: () => MIB, down: () => MIB });
    const part = async (): Promise<void> => {
      await send(limits, 8 * MIB, undefined, 'down');
      await send(limits, 8 * MIB);
    };
    let left = 24;
    const worker = async (): Promise<void> => {
      while (left-- > 0) await part();
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    // 24 parts of 8 s, and the first one must be read before anything can be sent.
    expect(limits.clock.nowMs).toBeGreaterThanOrEqual(199_000);
    expect(limits.clock.nowMs).toBeLessThanOrEqual(202_000);
  });

  test('late timers cost no bytes, and never let more pass than the limit allows since the start', async () => {
    const clock = new FakeClock();
    const sleepLate = (ms: number) => clock.sleep(ms + 700);
    const limits = new RateLimits({ up: () => MIB, now: clock.now, sleep: sleepLate });
    const body = limits.body('up', 64 * MIB);
    for (let sent = PIECE; sent <= 64 * MIB; sent += PIECE) {
      await limits.bytes('up', PIECE, undefined, body);
      expect(sent).toBeLessThanOrEqual(MIB * 0.1 + (MIB * clock.nowMs) / 1000);
    }
    expect(clock.nowMs).toBeLessThanOrEqual(64_700);
  });

  test('a stream of small objects leaves large ones half of the line', async () => {
    const limits = rig({ up: () => MIB });
    const large = send(limits, 8 * MIB);
    let done = false;
    const stream = async (): Promise<void> => {
      while (!done) await send(limits, 64 * KIB);
    };
    const streams = Array.from({ length: 16 }, stream);
    expect(await large).toBeLessThan(17_000);
    done = true;
    await Promise.all(streams);
  });
});

test('aborting ends a wait at once', async () => {
  const controller = new AbortController();
  const limits = new RateLimits({ requestsPerSecond: 0.001, up: () => 1, sleep });
  const store = throttle(new MemoryStore(), limits);
  await limits.request();
  const put = store.put('k', Buffer.from('12345'), { signal: controller.signal });
  setImmediate(() => controller.abort());
  await expect(put).rejects.toMatchObject({ code: 'aborted' });
  await expect(limits.bytes('up', 1000, controller.signal)).rejects.toMatchObject({ code: 'aborted' });
});

test('a transfer that is aborted gives its place and its bytes to those behind it', async () => {
  const { clock, limits } = rig({ up: () => KIB });
  const controller = new AbortController();
  const aborted = limits.bytes('up', 3600 * KIB, controller.signal);
  const behind = limits.bytes('up', 2 * KIB);
  controller.abort();
  await expect(aborted).rejects.toMatchObject({ code: 'aborted' });
  await behind;
  expect(clock.nowMs).toBeLessThanOrEqual(2000);
});
