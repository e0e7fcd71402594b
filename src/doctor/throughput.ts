/** Measures throughput with a bounded number of bytes. Tests: test/doctor/place.test.ts */
import { performance } from 'node:perf_hooks';
import type { XsyncError } from '../model/error.js';
import type { ObjectEntry } from '../model/object.js';
import type { ObjectBytes } from '../store/port.js';
import { attempt, type Finding, faulty, ok, skip } from './finding.js';
import { binarySize, milliseconds, rate } from './text.js';

/** Connections: enough to exceed the rate of a single one, few enough not to disturb others. */
const LANES = 4;
/** Bytes per request. */
export const PIECE = 1024 * 1024;
/** Bytes. Below this, latency dominates throughput. */
const LEAST = 256 * 1024;

export type Measured = { bytes: number; ms: number; lanes: number } | { error: XsyncError } | { why: string };

export function judgeRate(check: 'download' | 'upload', measured: Measured): Finding {
  if ('why' in measured) return skip(check, `not measured: ${measured.why}`);
  if ('error' in measured)
    return faulty(check, measured.error, 'Run doctor again; the network may have changed.', 'warn');
  const { bytes, ms, lanes } = measured;
  const over = `${binarySize(bytes)} in ${milliseconds(ms)} over ${lanes} ${lanes === 1 ? 'connection' : 'connections'}`;
  return ok(check, `${rate(bytes, ms)}: ${over}`, { bytes, ms, bytesPerSecond: (bytes / ms) * 1000 });
}

/** Reads at most `bytes` of the smallest object that is at least as large, or else of the largest object. */
export async function measureDownload(
  store: ObjectBytes,
  entries: readonly ObjectEntry[],
  bytes: number,
  signal?: AbortSignal,
): Promise<Measured> {
  const entry = probeObject(entries, bytes);
  if (entry === undefined) return { why: `no object of ${binarySize(LEAST)} or more here` };
  return measure(Math.min(bytes, entry.size), async (offset, size) => {
    await store.read(entry.key, new Uint8Array(size), { offset, ifMatch: entry.etag, signal });
  });
}

export function probeObject(entries: readonly ObjectEntry[], bytes: number): ObjectEntry | undefined {
  let best: ObjectEntry | undefined;
  for (const entry of entries) {
    if (entry.size < LEAST || entry.special !== undefined) continue;
    const enough = best !== undefined && best.size >= bytes;
    if (best === undefined || (enough ? entry.size >= bytes && entry.size < best.size : entry.size > best.size)) {
      best = entry;
    }
  }
  return best;
}

/** Transfers `bytes` in pieces over a few parallel connections, until all are done or one fails. */
export async function measure(bytes: number, move: (offset: number, size: number) => Promise<void>): Promise<Measured> {
  const lanes = Math.min(LANES, Math.ceil(bytes / PIECE));
  const start = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < bytes) {
      const offset = next;
      next = Math.min(bytes, offset + PIECE);
      await move(offset, next - offset);
    }
  };
  const result = await attempt(async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: lanes }, lane));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  });
  return 'error' in result ? result : { bytes, ms: performance.now() - start, lanes };
}
