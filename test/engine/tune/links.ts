/**
 * Modelled lines on a simulated clock, for the tuner: requests of a known size share a line whose rule says what each
 * gets. A request that has begun goes on until its bytes are through, whatever the setting says meanwhile, and a
 * connection's rate wavers, as that of a real one does.
 */
import type { Filling } from '../../../src/engine/tune/room.js';
import { type Sample, type Settings, Tuner, type TunerLimits } from '../../../src/engine/tune/tune.js';

export const Mbit = 125_000;
export const MiB = 1024 * 1024;

/** What a line does with `n` connections at `seconds`. */
export interface Line {
  /** Bytes per second over all connections, at most. */
  capacity: (n: number, seconds: number) => number;
  /** Bytes per second of one connection alone, on average. */
  each: (n: number, seconds: number) => number;
  /** Requests per second that the server answers with 503. */
  refused?: (n: number) => number;
  broken?: (n: number) => number;
  /** It drops what is too much instead of holding it back, so that round trips never show that it is full. */
  polices?: boolean;
}

/** Capacity is goodput: 96.5 % of the line's rate. */
const PAYLOAD = 0.965;

/** A CUBIC sender at 200 ms and 1 % loss on 200 Mbit/s, as measured: 16 connections carry 6.2 %, 256 95.7 %. */
export function lossy(capacity = 200 * Mbit * PAYLOAD): Line {
  return { capacity: () => capacity, each: () => 0.75 * Mbit };
}

/** No loss, 50 ms: a few connections with windows of a few MiB fill it. */
export function clean(capacity = 500 * Mbit * PAYLOAD): Line {
  return { capacity: () => capacity, each: () => 120 * Mbit };
}

/** A BBR sender: 4 connections carry 80 %; beyond a dozen they are in each other's way, 104 carry half. */
export function bbr(capacity = 200 * Mbit): Line {
  const share = (n: number): number => ((1 - 0.67 ** n) * PAYLOAD) / (1 + (n / 110) ** 2);
  return { capacity: (n) => capacity * share(n), each: () => capacity };
}

/** The service gives each connection so much and no more. */
export function capped(each: number, capacity: number): Line {
  return { capacity: () => capacity, each: () => each };
}

/** Half the capacity between two instants. */
export function halving(line: Line, from: number, until: number): Line {
  return { ...line, capacity: (n, at) => line.capacity(n, at) * (at >= from && at < until ? 0.5 : 1) };
}

/** The server refuses what is beyond `most` requests at once. */
export function throttling(line: Line, most: number): Line {
  return { ...line, refused: (n) => Math.max(0, n - most) };
}

export interface Load {
  /** Bytes of a request; absent: the tuner's part size. */
  size?: number;
  /** Seconds before the first byte of a request moves. */
  delay: number;
  /** Requests that there is work for at once. */
  most?: number;
  kind: 'parts' | 'objects';
  /** Bytes that the sender's kernel takes in advance, per request. */
  buffer?: number;
}

/** Seconds. */
export const STEP = 0.1;
/** How long a connection keeps its luck, in seconds: at 1 % loss and 12 packets a round trip, some rounds. */
const LUCK_LASTS = 2;
const LUCK_SPREAD = 0.5;
/** Seconds. */
const BUFFER_FILLS = 2;
/** Seconds for which small objects open. */
const OPENING = 10;

interface Request {
  left: number;
  /** Bytes that the sender's kernel has taken and not yet sent. */
  buffered: number;
  waits: number;
  /** Of the average rate, wavering. */
  luck: number;
  accepted: (bytes: number) => void;
  ended: () => void;
}

/** The line at work, a step of the clock at a time. */
export class Wire {
  requests: Request[] = [];
  /** Seconds. */
  now = 0;
  /** Packets waited in the last step. */
  isFull = false;
  readonly #line: Line;
  readonly #delay: number;
  readonly #buffer: number;
  readonly #random: () => number;

  constructor(line: Line, { delay, buffer = 0, luck = 1 }: { delay: number; buffer?: number; luck?: number }) {
    this.#line = line;
    this.#delay = delay;
    this.#buffer = buffer;
    this.#random = randomFrom(luck);
  }

  /** @param told what the sender hears of it */
  begin(size: number, told: Pick<Request, 'accepted' | 'ended'> = { accepted: nothing, ended: nothing }): void {
    const luck = 1 + LUCK_SPREAD * this.#normal();
    this.requests.push({ left: size, buffered: 0, waits: this.#delay, luck, ...told });
  }

  /** @returns bytes that arrived, bytes that kernels took, and how many requests ended */
  step(): { bytes: number; accepted: number; ended: number } {
    const n = this.requests.length;
    for (const request of this.requests) this.#age(request);
    const moving = this.requests.filter(({ waits }) => waits < 0);
    const each = this.#line.each(n, this.now);
    const wanted = moving.map(({ luck }) => each * Math.max(0.1, luck) * STEP);
    const share = Math.min(1, (this.#line.capacity(n, this.now) * STEP) / wanted.reduce((a, b) => a + b, 0));
    this.isFull = share < 1 && this.#line.polices !== true;
    const sum = { bytes: 0, accepted: 0 };
    for (const [i, request] of moving.entries()) {
      const bytes = Math.min((wanted[i] ?? 0) * share, request.left);
      const before = request.left - request.buffered;
      request.left -= bytes;
      request.buffered = Math.min(request.left, Math.max(0, request.buffered - bytes) + this.#taken(request));
      const accepted = before - (request.left - request.buffered);
      request.accepted(accepted);
      sum.bytes += bytes;
      sum.accepted += accepted;
    }
    this.now += STEP;
    const ended = this.requests.filter(({ left }) => left <= 0);
    this.requests = this.requests.filter(({ left }) => left > 0);
    for (const request of ended) request.ended();
    return { ...sum, ended: ended.length };
  }

  /** A kernel's buffer grows with the window, and fills within seconds. */
  #taken({ buffered }: Request): number {
    return Math.min(this.#buffer - buffered, (this.#buffer * STEP) / BUFFER_FILLS);
  }

  #age(request: Request): void {
    request.waits -= STEP;
    const kept = Math.exp(-STEP / LUCK_LASTS);
    request.luck = 1 + (request.luck - 1) * kept + LUCK_SPREAD * Math.sqrt(1 - kept ** 2) * this.#normal();
  }

  #normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
  }
}

const nothing = (): void => undefined;

export interface Second {
  settings: Settings;
  /** Bytes per second. */
  rate: number;
  throttled: number;
  used: number;
}

export const ROOMY: TunerLimits = { connections: 256, memory: 2048 * MiB, leastPartSize: 5 * MiB };

export class Simulation {
  readonly tuner: Tuner;
  readonly seconds: Second[] = [];
  readonly #line: Line;
  readonly #load: Load;
  readonly #wire: Wire;
  readonly #isLossy: boolean;

  /** @param options `lossy`: the kernel is asked, and connections lose packets all the time */
  constructor(
    line: Line,
    load: Load,
    options: { limits?: TunerLimits; seed?: Partial<Settings>; luck?: number; lossy?: boolean } = {},
  ) {
    this.#isLossy = options.lossy ?? false;
    this.#line = line;
    this.#load = load;
    this.#wire = new Wire(line, { delay: load.delay, buffer: load.buffer, luck: options.luck });
    this.tuner = new Tuner(options.limits ?? ROOMY, options.seed);
  }

  run(seconds: number): this {
    for (const until = this.#wire.now + seconds; this.#wire.now < until - STEP / 2; ) this.#second();
    return this;
  }

  /** Mean bytes per second between two instants. */
  rate(from: number, until: number): number {
    const span = this.seconds.slice(from, until);
    return span.reduce((sum, { rate }) => sum + rate, 0) / span.length;
  }

  /** The instant from which on the mean of every five seconds stays above `least`, until `until`. */
  settledAt(least: number, from = 0, until = this.seconds.length): number {
    let at = until;
    while (at > from && this.rate(Math.max(at - 5, from), at) >= least) at--;
    return at - from;
  }

  #second(): void {
    const { kind } = this.#load;
    const flow = { bytes: 0, accepted: 0, finished: 0, used: 0 };
    const sum = { throttled: 0, broken: 0 };
    let full = 0;
    for (let step = 0; step < 10; step++) {
      this.#step(flow);
      if (this.#wire.isFull) full++;
      const n = this.#wire.requests.length;
      sum.throttled += (this.#line.refused?.(n) ?? 0) * STEP;
      sum.broken += (this.#line.broken?.(n) ?? 0) * STEP;
    }
    const none = { done: 0, used: 0 };
    const moved = { done: kind === 'parts' ? flow.accepted : flow.finished, used: flow.used / 10 };
    const settings = this.tuner.settings;
    this.seconds.push({ settings, rate: flow.bytes, throttled: Math.round(sum.throttled), used: flow.used / 10 });
    const sample: Sample = {
      ms: 1000,
      parts: none,
      objects: none,
      [kind]: moved,
      throttled: Math.round(sum.throttled),
      broken: Math.round(sum.broken),
      filling: this.#isLossy ? fillingOf(full) : undefined,
    };
    this.tuner.sample(sample);
  }

  #step(flow: { bytes: number; accepted: number; finished: number; used: number }): void {
    const { kind, size, most = Number.POSITIVE_INFINITY } = this.#load;
    const { settings } = this.tuner;
    while (this.#wire.requests.length < Math.min(settings[kind], most)) this.#wire.begin(size ?? settings.partSize);
    const inFlight = this.#wire.requests.length;
    flow.used += inFlight;
    const { bytes, accepted, ended } = this.#wire.step();
    const ms = STEP * 1000;
    if (kind === 'objects') this.tuner.open({ ms, done: ended, areaMs: inFlight * ms, busy: 0 });
    if (this.#wire.now > OPENING) this.tuner.endOpening();
    flow.bytes += bytes;
    flow.accepted += accepted;
    flow.finished += ended;
  }
}

/** @param full how many of ten looks found a queue */
function fillingOf(full: number): Filling | undefined {
  if (full > 5) return 'full';
  return full === 0 ? 'lossy' : undefined;
}

export function randomFrom(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
