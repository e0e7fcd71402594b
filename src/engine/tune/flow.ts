/**
 * Measures a run for the tuner: how much moves, and how many requests are in flight.
 * Tests: test/engine/tune/slots.test.ts
 */
import type { Pace } from '../../store/port.js';
import type { Flow } from './window.js';

/** Weight of earlier measurements, per sample. */
const DECAY = 0.95;
/** A side on which parts spend less than this share of their time is near, and moves its bytes in bursts. */
const NEAR = 0.3;

/** Work in progress, averaged over time. */
class Busy {
  readonly #now: () => number;
  #active = 0;
  #sinceMs: number;
  #areaMs = 0;
  #done = 0;
  #taken = { done: 0, areaMs: 0 };

  constructor(now: () => number) {
    this.#now = now;
    this.#sinceMs = now();
  }

  change(by: 1 | -1): void {
    this.#accumulate();
    this.#active += by;
  }

  add(done: number): void {
    this.#done += done;
  }

  /** What was done, and the sum of the milliseconds of all work. */
  get total(): { done: number; areaMs: number } {
    this.#accumulate();
    return { done: this.#done, areaMs: this.#areaMs };
  }

  /** The same since the last call. */
  take(): { done: number; areaMs: number } {
    const before = this.#taken;
    this.#taken = this.total;
    return { done: this.#taken.done - before.done, areaMs: this.#taken.areaMs - before.areaMs };
  }

  #accumulate(): void {
    const now = this.#now();
    this.#areaMs += this.#active * (now - this.#sinceMs);
    this.#sinceMs = now;
  }
}

/** One part on its way. */
export interface Moving {
  read: Pace;
  /** Another connection reads a piece of it; absent where parts are not divided. @returns call it at the end */
  join?(): () => void;
  /** It has been read and is now being written. */
  turn(): void;
  wrote(bytes: number): void;
  /** It arrived or failed. */
  end(): void;
}

/** Which sides are disks or memory on this host. */
export interface Near {
  source: boolean;
  dest: boolean;
}

/**
 * Measures the bytes of parts. Only bytes on the far side, where a part spends its time, show the line's goodput: a near
 * source is read ahead in bursts, and a near destination takes a part at once after a long read. Between two far sides,
 * reads and writes count in proportion to the time they take.
 */
export class PartFlow {
  readonly #reading: Busy;
  readonly #writing: Busy;
  /** For memory. */
  readonly #waiting: Busy;
  #readMs = 0;
  #writeMs = 0;
  readonly #near: Near;
  readonly #now: () => number;
  readonly #moving = new Set<{ size: number; sinceMs: number; connections: number }>();

  constructor(now: () => number, near: Near = { source: false, dest: false }) {
    this.#near = near;
    this.#now = now;
    this.#reading = new Busy(now);
    this.#writing = new Busy(now);
    this.#waiting = new Busy(now);
  }

  /** A part has its slot and waits for memory. More slots bring nothing then, which the tuner is to see. @returns ends it */
  wait(): () => void {
    this.#waiting.change(1);
    return () => this.#waiting.change(-1);
  }

  /** @param size bytes */
  begin(size: number): Moving {
    let phase = this.#reading;
    phase.change(1);
    const part = { size, sinceMs: this.#now(), connections: 1 };
    this.#moving.add(part);
    return {
      read: (bytes) => {
        this.#reading.add(bytes);
        return undefined;
      },
      join: () => {
        part.connections++;
        this.#reading.change(1);
        return () => {
          part.connections--;
          this.#reading.change(-1);
        };
      },
      turn: () => {
        phase.change(-1);
        phase = this.#writing;
        phase.change(1);
      },
      wrote: (bytes) => this.#writing.add(bytes),
      end: () => {
        phase.change(-1);
        this.#moving.delete(part);
      },
    };
  }

  /** What each connection has of the parts in flight, and the milliseconds since the part started. */
  get moving(): { size: number; ms: number }[] {
    const now = this.#now();
    return [...this.#moving].flatMap(({ size, sinceMs, connections }) =>
      Array.from({ length: connections }, () => ({ size: size / connections, ms: now - sinceMs })),
    );
  }

  /** Parts spend a good share of their time on reads from a far source. */
  get readsAreFar(): boolean {
    return this.#readShare() > 0;
  }

  /** @param ms since the last call */
  take(ms: number): Flow {
    const read = this.#reading.take();
    const written = this.#writing.take();
    this.#readMs = this.#readMs * DECAY + read.areaMs;
    this.#writeMs = this.#writeMs * DECAY + written.areaMs;
    const share = this.#readShare();
    const areaMs = read.areaMs + written.areaMs + this.#waiting.take().areaMs;
    return { done: read.done * share + written.done * (1 - share), used: areaMs / ms };
  }

  #readShare(): number {
    if (this.#near.source !== this.#near.dest) return this.#near.source ? 0 : 1;
    const share = this.#readMs / (this.#readMs + this.#writeMs || 1);
    if (share < NEAR) return 0;
    return share > 1 - NEAR ? 1 : share;
  }
}

/** Small objects, counted when they are done. */
export class ObjectFlow {
  readonly #busy: Busy;

  constructor(now: () => number) {
    this.#busy = new Busy(now);
  }

  async during(task: () => Promise<void>): Promise<void> {
    this.#busy.change(1);
    try {
      await task();
    } finally {
      this.#busy.change(-1);
      this.#busy.add(1);
    }
  }

  /** Objects that ended so far, and the sum of the milliseconds of all. */
  get total(): { done: number; areaMs: number } {
    return this.#busy.total;
  }

  /** @param ms since the last call */
  take(ms: number): Flow {
    const { done, areaMs } = this.#busy.take();
    return { done, used: areaMs / ms };
  }
}
