/**
 * How to cut the last objects of a run if each connection has its own rate limit. With hundreds of slow connections a
 * part takes a minute, and so does each wave of parts, full or not. Larger parts turn the rest into full waves. Pure.
 */
import { MiB } from '../plan/cut.js';

/** Connections that each have their own rate limit. */
export interface Lone {
  /** Part requests in flight, once all have started. */
  n: number;
  /** Bytes per second of one connection. */
  each: number;
  /** Bytes of bodies held at once. */
  memory: number;
}

/** What remains to be sent, when no part waits for a slot. */
export interface Rest {
  /** Bytes of each object that has not started. */
  objects: readonly number[];
  /** Parts in flight: bytes, and milliseconds since each started. */
  moving: readonly { size: number; ms: number }[];
}

/** Parts of one to two times the usual size can divide any rest of at least a wave into full waves. */
const LARGEST = 2;
/** Only a rest of fewer waves gains from another cut. */
const WAVES = 6;
/** Larger parts cost more to repeat, so the time must shrink at least to this share. */
const WORTH = 0.97;
/** Bisection steps for that time. */
const STEPS = 20;

/**
 * The part size with which the rest finishes first: the usual one, or more whole MiB up to twice that, so that the cut
 * can be guessed from an ETag.
 * @param usual bytes
 */
export function partSizeAtEnd(rest: Rest, lone: Lone, usual: number): number {
  const bytes = rest.objects.reduce((sum, size) => sum + size, 0);
  if (bytes > WAVES * lone.n * usual) return usual;
  const free = freeAt(rest, lone);
  let best = { partSize: usual, seconds: secondsWith(usual, rest, lone, free) * WORTH };
  for (let partSize = usual + MiB; partSize <= LARGEST * usual; partSize += MiB) {
    if (!fits(partSize, rest, lone)) continue;
    const seconds = secondsWith(partSize, rest, lone, free);
    if (seconds < best.seconds) best = { partSize, seconds };
  }
  return best.partSize;
}

/** When each slot is free, in seconds from now. */
function freeAt({ moving }: Rest, { n, each }: Lone): number[] {
  const busy = moving.map(({ size, ms }) => Math.max(0, size / each - ms / 1000)).sort((a, b) => b - a);
  return Array.from({ length: n }, (_, slot) => busy[slot] ?? 0);
}

/** Seconds until the last part is done, if each starts as soon as a slot is free. */
function secondsWith(partSize: number, rest: Rest, { n, each }: Lone, free: readonly number[]): number {
  const parts = partsOf(rest, partSize);
  const took = partSize / each;
  const through = (by: number): number =>
    free.reduce((sum, at) => sum + Math.max(0, Math.floor((by - at) / took + 1e-9)), 0);
  let least = 0;
  let most = Math.max(...free) + Math.ceil(parts / n) * took;
  for (let step = 0; step < STEPS; step++) {
    const middle = (least + most) / 2;
    if (through(middle) >= parts) most = middle;
    else least = middle;
  }
  return Math.max(most, ...free);
}

/** Whether the parts, which are held in memory whole, fit. */
function fits(partSize: number, rest: Rest, { n, memory }: Lone): boolean {
  const { moving } = rest;
  const parts = partsOf(rest, partSize);
  if (parts > n - moving.length) return partSize * n <= memory;
  return moving.reduce((sum, { size }) => sum + size, partSize * parts) <= memory;
}

function partsOf({ objects }: Rest, partSize: number): number {
  return objects.reduce((sum, size) => sum + Math.ceil(size / partSize), 0);
}
