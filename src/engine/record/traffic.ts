/** Reckons with what stores have counted. */
import type { Traffic } from '../events.js';
import type { RunPair } from '../options.js';

type Sides = Record<'source' | 'destination', Traffic>;

/** What the pair has cost since it was opened. */
export function trafficOf({ source, dest }: RunPair): Sides {
  return { source: source.traffic(), destination: dest.traffic() };
}

/** What came to `before`. */
export function trafficSince(before: Sides, now: Sides): Sides {
  return combined(now, before, -1);
}

export function trafficSum(one: Sides, other: Sides): Sides {
  return combined(one, other, 1);
}

function combined(one: Sides, other: Sides, sign: 1 | -1): Sides {
  const side = (a: Traffic, b: Traffic): Traffic => {
    const requests = { ...a.requests };
    for (const [name, count] of Object.entries(b.requests)) {
      const kind = name as keyof Traffic['requests'];
      const sum = (requests[kind] ?? 0) + sign * count;
      if (sum === 0) delete requests[kind];
      else requests[kind] = sum;
    }
    return { requests, bytesIn: a.bytesIn + sign * b.bytesIn, bytesOut: a.bytesOut + sign * b.bytesOut };
  };
  return { source: side(one.source, other.source), destination: side(one.destination, other.destination) };
}
