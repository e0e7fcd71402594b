/** `accelerate: auto`: whether the accelerated data endpoint is worth its price from here, found out by asking both. */
import { performance } from 'node:perf_hooks';
import { isXsyncError } from '../model/error.js';
import type { ObjectBytes } from './port.js';

/** How many times each endpoint is asked; the fastest answer counts, since the first one opens the connection. */
const PROBES = 3;

export interface Choice<S> {
  store: S;
  /** What was chosen and why, for a person. */
  acceleration: string;
}

/** Whether the bytes go that way: as `auto` chose, else as configured. */
export function isAccelerated(acceleration: string | undefined, configured: 'auto' | 'on' | 'off'): boolean {
  return acceleration?.startsWith('on') ?? configured === 'on';
}

/** Measures a few small reads, of a key that need not exist, over both data endpoints, and takes the faster store. */
export async function chooseAccelerated<S extends ObjectBytes>(plain: S, accelerated: S): Promise<Choice<S>> {
  const plainMs = await probe(plain);
  const fastMs = await probe(accelerated);
  if (typeof fastMs === 'string') return { store: plain, acceleration: `off: ${fastMs}` };
  if (typeof plainMs === 'string' || fastMs >= plainMs) {
    return { store: plain, acceleration: 'off: it is not faster from here' };
  }
  return { store: accelerated, acceleration: `on: ${Math.round(fastMs)} ms a request against ${Math.round(plainMs)}` };
}

/** Milliseconds of the fastest answer over the data endpoint, or why there was none. */
async function probe(store: ObjectBytes): Promise<number | string> {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < PROBES; i++) {
    const start = performance.now();
    try {
      await store.read('.xsync-probe', new Uint8Array(1));
    } catch (error) {
      // No such key, or an empty one: answered all the same.
      if (!isXsyncError(error, 'object-not-found', 'access-denied', 'truncated', 'invalid-response')) {
        return error instanceof Error ? error.message : String(error);
      }
    }
    best = Math.min(best, performance.now() - start);
  }
  return best;
}
