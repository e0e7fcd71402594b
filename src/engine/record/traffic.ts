/** Tests: test/e2e/check.test.ts */
import type { Traffic } from '../events.js';
import { addTraffic } from '../pair.js';

type Sides = Record<'source' | 'destination', Traffic>;

/** Adds up the traffic of two runs over a pair. */
export function trafficSum(one: Sides, other: Sides): Sides {
  return {
    source: addTraffic(one.source, other.source),
    destination: addTraffic(one.destination, other.destination),
  };
}
