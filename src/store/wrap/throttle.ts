import type { ObjectStore, Pace } from '../port.js';
import { type Direction, InterceptedStore } from './intercept.js';
import { type Sleep, sleep } from './time.js';
import { type Body, TokenBucket } from './token-bucket.js';

/** Bytes per second at a time (ms since 1970) from the --bwlimit timetable; undefined: no limit. */
export type BandwidthSchedule = (nowMs: number) => number | undefined;

export interface RateLimitsOptions {
  /** Requests per second over all stores (--tpslimit); absent: no limit. */
  requestsPerSecond?: number;
  /** Requests that may be sent at once after a pause (--tpslimit-burst). Default 1. */
  burst?: number;
  up?: BandwidthSchedule;
  down?: BandwidthSchedule;
  now?: () => number;
  sleep?: Sleep;
}

/** Seconds' worth of bytes that may be ahead of the rate, so that late timers cost no throughput. */
const BYTES_BURST_SECONDS = 0.1;
/** Of those, what waits for the next piece of the oldest body. */
const BYTES_RESERVE_SECONDS = 0.05;

/** What a store waits for. */
export interface Limits {
  /** What is not limited costs nothing: no wrapper is put around its store. */
  readonly ofRequests: boolean;
  readonly ofBytes: boolean;
  /** Waits until one more request may be sent. @throws aborted */
  request(signal?: AbortSignal): Promise<void> | undefined;
  /** Starts a body of `size` bytes; `end` must follow. */
  body(direction: Direction, size: number): Body | undefined;
  end(direction: Direction, body: Body | undefined): void;
  /** Waits until `bytes` more of `body` fit the limit. @throws aborted */
  bytes(direction: Direction, bytes: number, signal?: AbortSignal, body?: Body): Promise<void> | undefined;
}

/** The limits of one run, shared by its stores. Requests are first come, first served; for bytes see `TokenBucket`. */
export class RateLimits implements Limits {
  readonly ofRequests: boolean;
  readonly ofBytes: boolean;
  readonly #requests: TokenBucket;
  readonly #bytes: Record<Direction, TokenBucket>;

  constructor({ requestsPerSecond, burst = 1, up, down, now = Date.now, sleep: wait = sleep }: RateLimitsOptions) {
    const bytes = (schedule: BandwidthSchedule = () => undefined) =>
      new TokenBucket({
        rate: schedule,
        burst: (rate) => rate * BYTES_BURST_SECONDS,
        reserve: (rate) => rate * BYTES_RESERVE_SECONDS,
        now,
        sleep: wait,
      });
    this.ofRequests = requestsPerSecond !== undefined;
    this.ofBytes = up !== undefined || down !== undefined;
    this.#requests = new TokenBucket({ rate: () => requestsPerSecond, burst: () => burst, now, sleep: wait });
    this.#bytes = { up: bytes(up), down: bytes(down) };
  }

  request(signal?: AbortSignal): Promise<void> | undefined {
    return this.#requests.take(1, signal);
  }

  /** The bytes of bodies that started earlier go first. */
  body(direction: Direction, size: number): Body {
    return this.#bytes[direction].body(size);
  }

  end(direction: Direction, body: Body | undefined): void {
    if (body) this.#bytes[direction].end(body);
  }

  bytes(direction: Direction, bytes: number, signal?: AbortSignal, body?: Body): Promise<void> | undefined {
    return this.#bytes[direction].take(bytes, signal, body);
  }
}

/** A store whose requests and bytes obey the limits. */
export function throttle(store: ObjectStore, limits: Limits): ObjectStore {
  const paced = paceBytes(store, limits);
  if (!limits.ofRequests) return paced;
  return new InterceptedStore(paced, async (call, run) => {
    await limits.request(call.signal);
    return run(call.pace);
  });
}

/** A store whose bytes obey the limits, such as a disk, which gets no requests. */
export function paceBytes(store: ObjectStore, limits: Limits): ObjectStore {
  if (!limits.ofBytes) return store;
  return new InterceptedStore(store, async ({ direction, signal, pace, size = 0 }, run) => {
    if (!direction) return run(undefined);
    const body = limits.body(direction, size);
    try {
      return await run((bytes) => both(pace?.(bytes), limits.bytes(direction, bytes, signal, body)));
    } finally {
      limits.end(direction, body);
    }
  });
}

function both(a: ReturnType<Pace>, b: ReturnType<Pace>): ReturnType<Pace> {
  return a && b ? Promise.all([a, b]).then(() => undefined) : (a ?? b);
}
