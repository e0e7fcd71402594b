/**
 * How the last objects of a run are cut where each connection carries the same however many there are: with a quick
 * tuner and hundreds of slow connections a part takes a minute, and so does every begun wave of parts, full or not.
 * Larger parts make whole waves of the rest. Pure.
 */
import { MiB } from '../plan/cut.js';

/** Connections of which each is limited by itself. */
export interface Lone {
  /** Part requests in flight, once all are there that are to be. */
  n: number;
  /** Bytes per second over one. */
  each: number;
  /** Bytes of bodies held at once. */
  memory: number;
}

/** What is still to be sent, when no part waits for a slot. */
export interface Rest {
  /** Bytes of each object that has not begun. */
  objects: readonly number[];
  /** Parts under way: bytes, and milliseconds since each began. */
  moving: readonly { size: number; ms: number }[];
}

/** Every rest of a wave or more is a number of whole waves of parts of one to two times the usual size. */
const LARGEST = 2;
/** What is smaller than so many waves gains from being cut anew. */
const WAVES = 6;
/** What larger parts, which are dearer to repeat, must save of the time that is left. */
const WORTH = 0.97;
/** Bisections of that time. */
const STEPS = 20;

/**
 * The size of parts with which the rest is through first: the usual one, or whole mebibytes up to twice that, so that
 * those who guess a cut from an ETag find it.
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

/** Until the last part is through, each begun as soon as there is a slot. */
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

/** Parts are held in memory whole. */
function fits(partSize: number, rest: Rest, { n, memory }: Lone): boolean {
  const { moving } = rest;
  const parts = partsOf(rest, partSize);
  if (parts > n - moving.length) return partSize * n <= memory;
  return moving.reduce((sum, { size }) => sum + size, partSize * parts) <= memory;
}

function partsOf({ objects }: Rest, partSize: number): number {
  return objects.reduce((sum, size) => sum + Math.ceil(size / partSize), 0);
}
