/**
 * Where a run stands, folded from its events: what progress bars, statistics lines and JSON statistics show. Memory
 * is bounded by the number of objects in flight.
 */
import type { RunEvent } from '../../engine/events.js';

/** An object that is being transferred. */
export interface InFlight {
  key: string;
  /** Bytes. */
  size: number;
  /** Bytes at the destination, an earlier run's included. */
  bytes: number;
}

export interface Status {
  dryRun: boolean;
  listed: { source: number; destination: number };
  /** The source has been listed whole, so the totals are final. */
  sourceListed: boolean;
  /** Objects and bytes that are to be copied, as far as they are known. */
  planned: { objects: number; bytes: number };
  copied: { objects: number; bytes: number };
  /** Bytes of the planned that are at the destination, objects in flight included. */
  doneBytes: number;
  skipped: number;
  failed: number;
  retries: number;
  /** Over the last seconds, on the wire. */
  bytesPerSecond: number;
  objectsPerSecond: number;
  /** Milliseconds; undefined while nothing moves. A lower bound until `sourceListed`. */
  etaMs?: number;
  elapsedMs: number;
}

export class Tally {
  readonly #now: () => number;
  readonly #startedMs: number;
  readonly #flying = new Map<string, InFlight>();
  readonly #bytes: Rate;
  readonly #objects: Rate;
  readonly #listed = { source: 0, destination: 0 };
  readonly #planned = { objects: 0, bytes: 0 };
  readonly #copied = { objects: 0, bytes: 0 };
  #dryRun = false;
  #sourceListed = false;
  #doneBytes = 0;
  #skipped = 0;
  #failed = 0;
  #retries = 0;

  /** `now` gives milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#startedMs = now();
    this.#bytes = new Rate(this.#startedMs);
    this.#objects = new Rate(this.#startedMs);
  }

  apply(event: RunEvent): void {
    switch (event.type) {
      case 'start':
        this.#dryRun = event.dryRun;
        break;
      case 'listed':
        this.#listed[event.side] = event.objects;
        if (event.side === 'source' && event.done) this.#sourceListed = true;
        break;
      case 'plan':
        this.#planned.objects++;
        this.#planned.bytes += event.size;
        break;
      case 'begin':
        this.#land(event.key);
        this.#flying.set(event.key, { key: event.key, size: event.size, bytes: event.resumedBytes });
        this.#doneBytes += event.resumedBytes;
        break;
      case 'progress':
        this.#advance(event.key, event.bytes);
        break;
      case 'restart':
        this.#rewind(event.key);
        break;
      case 'copied':
        this.#arrive(event.key, event.size);
        break;
      case 'failed':
        this.#failed++;
        // It is no longer among what will be done. A key that failed before it was planned never was.
        if (this.#land(event.key)) {
          this.#planned.objects--;
          this.#planned.bytes -= event.size;
        }
        break;
      case 'skip':
        this.#skipped++;
        break;
      case 'retry':
        this.#retries++;
        break;
    }
  }

  status(): Status {
    const now = this.#now();
    const bytesPerSecond = this.#bytes.perSecond(now);
    const remaining = Math.max(0, this.#planned.bytes - this.#doneBytes);
    return {
      dryRun: this.#dryRun,
      listed: { ...this.#listed },
      sourceListed: this.#sourceListed,
      planned: { ...this.#planned },
      copied: { ...this.#copied },
      doneBytes: this.#doneBytes,
      skipped: this.#skipped,
      failed: this.#failed,
      retries: this.#retries,
      bytesPerSecond,
      objectsPerSecond: this.#objects.perSecond(now),
      ...(bytesPerSecond > 0 ? { etaMs: (remaining / bytesPerSecond) * 1000 } : {}),
      elapsedMs: now - this.#startedMs,
    };
  }

  /** The largest objects in flight, at most `limit`. */
  inFlight(limit: number): InFlight[] {
    return [...this.#flying.values()].sort((a, b) => b.size - a.size).slice(0, limit);
  }

  #advance(key: string, bytes: number): void {
    const object = this.#flying.get(key);
    if (object !== undefined) object.bytes += bytes;
    this.#doneBytes += bytes;
    this.#bytes.add(bytes, this.#now());
  }

  #arrive(key: string, size: number): void {
    const now = this.#now();
    // Whatever its progress events did not say: all of it for a server-side copy.
    const rest = size - (this.#flying.get(key)?.bytes ?? 0);
    this.#flying.delete(key);
    this.#doneBytes += rest;
    if (rest > 0) this.#bytes.add(rest, now);
    this.#objects.add(1, now);
    this.#copied.objects++;
    this.#copied.bytes += size;
  }

  #rewind(key: string): void {
    const object = this.#flying.get(key);
    if (object === undefined) return;
    this.#doneBytes -= object.bytes;
    object.bytes = 0;
  }

  /** Forgets an object in flight and what it had sent; true when there was one. */
  #land(key: string): boolean {
    this.#rewind(key);
    return this.#flying.delete(key);
  }
}

const WINDOW_SECONDS = 10;

/** Events a second over the last ten seconds, in constant memory: one bucket a second. */
class Rate {
  readonly #buckets = new Float64Array(WINDOW_SECONDS);
  readonly #startedMs: number;
  #second: number;

  constructor(nowMs: number) {
    this.#startedMs = nowMs;
    this.#second = Math.floor(nowMs / 1000);
  }

  add(amount: number, nowMs: number): void {
    this.#turn(nowMs);
    const bucket = this.#second % WINDOW_SECONDS;
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + amount;
  }

  perSecond(nowMs: number): number {
    this.#turn(nowMs);
    let sum = 0;
    for (const amount of this.#buckets) sum += amount;
    const covered = WINDOW_SECONDS - 1 + (nowMs % 1000) / 1000;
    const seconds = Math.min(covered, (nowMs - this.#startedMs) / 1000);
    return sum / Math.max(seconds, 0.5);
  }

  #turn(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    const steps = Math.min(second - this.#second, WINDOW_SECONDS);
    for (let i = 1; i <= steps; i++) this.#buckets[(this.#second + i) % WINDOW_SECONDS] = 0;
    if (second > this.#second) this.#second = second;
  }
}
