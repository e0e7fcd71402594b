/** Tests: test/e2e/check.test.ts */
import type { Traffic } from '../events.js';

type Sides = Record<'source' | 'destination', Traffic>;

/** Adds up the traffic of two runs over a pair. */
export function trafficSum(one: Sides, other: Sides): Sides {
  const side = (a: Traffic, b: Traffic): Traffic => {
    const requests = { ...a.requests };
    for (const [name, count] of Object.entries(b.requests)) {
      const kind = name as keyof Traffic['requests'];
      requests[kind] = (requests[kind] ?? 0) + count;
    }
    return { requests, bytesIn: a.bytesIn + b.bytesIn, bytesOut: a.bytesOut + b.bytesOut };
  };
  return { source: side(one.source, other.source), destination: side(one.destination, other.destination) };
}
