/**
 * Finds during a run how many requests to keep in flight, and the part size for objects that have not started. Samples
 * in, settings out; no clock, no timers, no I/O. `docs/tuning.md` explains its decisions.
 */
import { MiB } from '../plan/cut.js';
import type { Lone } from './end.js';
import { Loop } from './loop.js';
import type { OpeningSample } from './opening.js';
import type { Filling } from './room.js';
import { type Flow, fills } from './window.js';

export interface Settings {
  /** Part requests in flight, over all objects. */
  parts: number;
  /** Small objects in flight. */
  objects: number;
  /** Bytes; for objects that have not started. */
  partSize: number;
}

/** What the slots are set to. Sizes in bytes; undefined: not known yet, or no need to divide reads. */
export interface SlotSettings {
  parts: number;
  objects: number;
  partSize: number | undefined;
  readSize?: number | undefined;
  /** Only if each connection has its own rate limit. */
  lone?: Lone | undefined;
}

/** What a run leaves for the next one on its route. */
export interface Found extends Partial<Settings> {
  /** Each connection for parts had its own rate limit. */
  lone?: boolean;
  /** Bytes that one request reads, if connections are too slow for a part: see `Tuner.readSize`. */
  readSize?: number;
}

/** Measurements since the previous sample. */
export interface Sample {
  /** Milliseconds since the previous sample. */
  ms: number;
  /** Parts; `done` in bytes. */
  parts: Flow;
  /** Small objects; `done` in objects. */
  objects: Flow;
  /** Responses that asked to slow down (503, SlowDown, 429). */
  throttled: number;
  /** Timeouts and connections that broke. */
  broken: number;
  /** Bytes of parts that have not started; absent while more objects may come. */
  left?: number;
  /** What is known of the lines; absent: nothing, or neither. */
  filling?: Filling;
}

export interface TunerLimits {
  /** Requests in flight to one server, parts and small objects together. */
  connections: number;
  /** Small objects per second by the services' documented rates; absent if there are none. */
  operations?: number;
  /** Bytes of bodies held at once. */
  memory: number;
  /** Bytes that a part in flight takes while memory is short; absent: it is held whole. */
  partMemory?: number;
  /** Bytes: the smallest part that the destination accepts. */
  leastPartSize: number;
  /** Bytes, if the user has fixed it. */
  partSize?: number;
}

/** Low enough for any server and any host. */
export const START: Settings = { parts: 8, objects: 32, partSize: 8 * MiB };

/**
 * By bytes per second of one connection: large parts save requests, small ones are cheap to repeat, and shorten the wait for
 * the last ones. S3 accepts none below 5 MiB; OSS and a disk do.
 */
const PART_SIZES = [
  { from: 16 * MiB, partSize: 32 * MiB },
  { from: 4 * MiB, partSize: 16 * MiB },
  { from: 1 * MiB, partSize: 8 * MiB },
  { from: 0.25 * MiB, partSize: 5 * MiB },
] as const;
const SMALLEST_PART = 1 * MiB;
/** The smallest size that is chosen for want of memory: smaller ones multiply the requests. */
const USUAL_LEAST = 5 * MiB;
/** One loop leaves the other at least this many connections. */
const LEAST = { parts: 2, objects: 4 };
/** Broken connections are counted over this time: one is normal, a tenth of all is too many. */
const BROKEN_MS = 5000;
const BROKEN_SHARE = 0.1;
/** A limit this close below the setting is only a fluctuation of the rate. */
const WAVERS = 0.85;
/** A loop without work for this time leaves its connections to the other. */
const IDLE_MS = 5000;
/** With fewer waves of parts left, there is too little to measure, and giving up slots costs time. */
const LAST_WAVES = 2;

export class Tuner {
  readonly #limits: TunerLimits;
  readonly #parts: Loop;
  readonly #objects: Loop;
  #partSize: number;
  #readSize: number | undefined;
  #measured: boolean;
  #isFar = false;
  #broken = 0;
  readonly #idleMs = { parts: IDLE_MS, objects: IDLE_MS };

  /** @param seed settings last found for the route, used unless the line has changed */
  constructor(limits: TunerLimits, seed: Found = {}) {
    this.#limits = limits;
    this.#partSize = limits.partSize ?? Math.max(seed.partSize ?? START.partSize, limits.leastPartSize);
    if (limits.partSize === undefined) this.#readSize = seed.readSize;
    this.#measured = seed.partSize !== undefined;
    const loop = (kind: 'parts' | 'objects', most: number): Loop =>
      new Loop(seed[kind] ?? START[kind], {
        least: LEAST[kind],
        most,
        whole: kind === 'objects',
        mostRate: limits.operations,
        known: seed[kind] === undefined ? undefined : { linear: kind === 'parts' && seed.lone === true },
      });
    this.#parts = loop('parts', this.#mostParts());
    this.#objects = loop('objects', limits.connections);
  }

  get settings(): Settings {
    return { parts: this.#parts.n, objects: this.#objects.n, partSize: this.#partSize };
  }

  /** Bytes; undefined until measured, in this run or before, or a server is known to be far: parts then have the default size. */
  get partSize(): number | undefined {
    return this.#measured || this.#isFar ? this.#partSize : undefined;
  }

  /**
   * A server is far, and nothing is known of the line yet: small parts until it is measured. On a lossy line all parts may
   * be in flight at once, and those that are larger than the others are the last to arrive.
   */
  startsFar(): void {
    if (this.#measured || this.#isFar || this.#limits.partSize !== undefined) return;
    this.#isFar = true;
    this.#partSize = Math.max(USUAL_LEAST, this.#limits.leastPartSize);
  }

  /**
   * Bytes of a part that one request should read; undefined: all. A destination may not accept parts as small as slow
   * connections need, and a source's ETag may prove only larger ones.
   */
  get readSize(): number | undefined {
    return this.#readSize;
  }

  /** The settings found, for the next run on this route; without those never measured. */
  get found(): Found {
    const parts = this.#parts.best;
    const { linear } = this.#parts;
    return {
      parts: parts?.n,
      lone: parts && linear,
      objects: this.#objects.best?.n,
      partSize: parts && this.#partSize,
      readSize: parts && this.#readSize,
    };
  }

  /** True while small objects have not found a setting and `open` should be called often. */
  get opening(): boolean {
    return this.#objects.opening;
  }

  open(sample: OpeningSample): void {
    this.#objects.open(sample);
  }

  endOpening(): void {
    this.#objects.endOpening();
  }

  /** The connections for parts, if each has its own rate limit; else undefined. */
  get lone(): Lone | undefined {
    const n = this.#parts.reach;
    const level = this.#parts.best;
    const memory = this.#limits.partMemory === undefined ? this.#limits.memory : Number.POSITIVE_INFINITY;
    return level && n !== undefined ? { n, each: level.rate / level.n, memory } : undefined;
  }

  /** True while every loop that has work holds its setting. */
  get resting(): boolean {
    const rests = (loop: Loop, idleMs: number): boolean => loop.resting || idleMs > 0;
    return rests(this.#parts, this.#idleMs.parts) && rests(this.#objects, this.#idleMs.objects);
  }

  /** The settings and the reasons for them, to display. */
  describe(): string {
    const { parts, objects, partSize } = this.settings;
    const texts: string[] = [];
    if (this.#parts.best) texts.push(`${parts} parts of ${partSize / MiB} MiB in flight (${this.#parts.why})`);
    if (this.#objects.best) texts.push(`${objects} small objects in flight (${this.#objects.why})`);
    return texts.join(', ');
  }

  sample(sample: Sample): void {
    const { ms, parts, objects, throttled, broken, left = Number.POSITIVE_INFINITY, filling } = sample;
    this.#note('parts', parts, ms);
    this.#note('objects', objects, ms);
    const decay = Math.exp(-ms / BROKEN_MS);
    this.#broken = this.#broken * decay + broken;
    if (throttled > 0) this.#pushBack('the server asked to slow down');
    else if (this.#broken > Math.max(1, (parts.used + objects.used) * BROKEN_SHARE)) {
      this.#broken = 0;
      this.#pushBack('timeouts and broken connections');
    }
    this.#parts.ending = left < LAST_WAVES * this.#parts.n * this.#partSize;
    if (parts.used > 0) this.#parts.sample(parts, ms, filling);
    if (objects.used > 0) this.#objects.sample(objects, ms, filling);
    this.#measured ||= this.#parts.best !== undefined;
    this.#choosePartSize(parts);
    this.#parts.limit(Math.min(this.#leftBy(this.#objects, this.#idleMs.objects), this.#mostParts()), this.#partSize);
    this.#objects.limit(Math.min(this.#leftBy(this.#parts, this.#idleMs.parts), this.#mostByRate()), 1);
  }

  #note(kind: 'parts' | 'objects', { used }: Flow, ms: number): void {
    this.#idleMs[kind] = used > 0 ? 0 : this.#idleMs[kind] + ms;
  }

  #pushBack(why: string): void {
    if (this.#idleMs.parts === 0) this.#parts.pushBack(why);
    if (this.#idleMs.objects === 0) this.#objects.pushBack(why);
  }

  /** What the other loop leaves while it has work, but at least half of the connections. */
  #leftBy(other: Loop, idleMs: number): number {
    const { connections } = this.#limits;
    return idleMs >= IDLE_MS ? connections : Math.max(connections - other.n, Math.floor(connections / 2));
  }

  /** The number of small objects that reaches the documented request rate; ignores small fluctuations. */
  #mostByRate(): number {
    const { operations } = this.#limits;
    const level = this.#objects.best;
    if (operations === undefined || !level) return Number.POSITIVE_INFINITY;
    const { n } = this.#objects;
    const most = Math.ceil((level.n * operations) / level.rate);
    return most < n && most > n * WAVERS ? n : most;
  }

  #mostParts(): number {
    const { connections, memory, partMemory } = this.#limits;
    const whole = Math.floor(memory / this.#partSize);
    if (partMemory === undefined) return Math.min(connections, whole);
    // Half of the memory holds whole parts, and the rest all but the one that is being read.
    const small = Math.floor((memory / 2 - this.#partSize) / partMemory);
    return Math.min(connections, Math.max(whole, Math.floor(whole / 2) + small));
  }

  #choosePartSize({ used }: Flow): void {
    const level = this.#parts.best;
    if (!level || !fills(used, this.#parts.n) || this.#limits.partSize !== undefined) return;
    const each = level.rate / level.n;
    const wanted = PART_SIZES.find(({ from }) => each >= from)?.partSize ?? SMALLEST_PART;
    this.#readSize = wanted < START.partSize ? wanted : undefined;
    const affordable = PART_SIZES.map(({ partSize }) => partSize).find(
      (size) => size * level.n <= this.#limits.memory / 2,
    );
    this.#partSize = Math.max(Math.min(wanted, affordable ?? USUAL_LEAST), this.#limits.leastPartSize);
  }
}
