/**
 * `accelerate: auto`: measures whether the accelerated data endpoint is faster than the plain one from this host.
 * Tests: test/store/s3/open.test.ts
 */
import { performance } from 'node:perf_hooks';
import { isXsyncError } from '../model/error.js';
import type { ObjectBytes } from './port.js';

/** Requests to each endpoint; the fastest counts, because the first one opens the connection. */
const PROBES = 3;

export interface Choice<S> {
  store: S;
  /** What was chosen and why, in words. */
  acceleration: string;
}

/** Whether transfers are accelerated: the choice of `auto` if there is one, otherwise the configured value. */
export function isAccelerated(acceleration: string | undefined, configured: 'auto' | 'on' | 'off'): boolean {
  return acceleration?.startsWith('on') ?? configured === 'on';
}

/** Times a few small reads of a key that need not exist over both data endpoints, and returns the faster store. */
export async function chooseAccelerated<S extends ObjectBytes>(plain: S, accelerated: S): Promise<Choice<S>> {
  const plainMs = await probe(plain);
  const fastMs = await probe(accelerated);
  if (typeof fastMs === 'string') return { store: plain, acceleration: `off: ${fastMs}` };
  if (typeof plainMs === 'string' || fastMs >= plainMs) {
    return { store: plain, acceleration: 'off: it is not faster from here' };
  }
  return { store: accelerated, acceleration: `on: ${Math.round(fastMs)} ms per request vs ${Math.round(plainMs)} ms` };
}

/** Time of the fastest response in milliseconds, or the error message. */
async function probe(store: ObjectBytes): Promise<number | string> {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < PROBES; i++) {
    const start = performance.now();
    try {
      await store.read('.xsync-probe', new Uint8Array(1));
    } catch (error) {
      // The key is missing or empty, but the endpoint responded.
      if (!isXsyncError(error, 'object-not-found', 'access-denied', 'truncated', 'invalid-response')) {
        return error instanceof Error ? error.message : String(error);
      }
    }
    best = Math.min(best, performance.now() - start);
  }
  return best;
}
