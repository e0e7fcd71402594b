/**
 * What polling costs: estimates the list requests per day from those of the last hour.
 * Tests: test/engine/watch/parts.test.ts
 */
import type { RunPair } from '../pair.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Time between two stored readings, at least. */
const APART_MS = 10_000;

export interface ListRequests {
  source: number;
  destination: number;
}

export class ListCost {
  /** The first is taken after the first poll, which lists both sides and is not representative. */
  readonly #readings: { atMs: number; requests: ListRequests }[] = [];
  #before: ListRequests = { source: 0, destination: 0 };
  #counted: ListRequests = { source: 0, destination: 0 };

  /** A pair was opened, and its counts start at zero. */
  opened(): void {
    this.#before = this.#total;
    this.#counted = { source: 0, destination: 0 };
  }

  /** Call after each poll. */
  polled({ source, dest }: RunPair, nowMs: number): void {
    this.#counted = {
      source: source.traffic().requests.list ?? 0,
      destination: dest.traffic().requests.list ?? 0,
    };
    const reading = { atMs: nowMs, requests: this.#total };
    const previous = this.#readings.at(-2);
    // Keep the latest, and of the others one per interval.
    if (previous && (this.#readings.at(-1)?.atMs ?? 0) - previous.atMs < APART_MS) this.#readings.pop();
    this.#readings.push(reading);
    while (this.#readings.length > 2 && (this.#readings[1]?.atMs ?? nowMs) < nowMs - HOUR_MS) this.#readings.shift();
  }

  /** @param untilMs time of the next poll; used when only one poll has been measured */
  estimate(untilMs: number): { total: ListRequests; perDay: ListRequests } {
    const first = this.#readings[0];
    const last = this.#readings.at(-1);
    const total = this.#total;
    if (!first || !last) return { total, perDay: { source: 0, destination: 0 } };
    if (first === last) {
      return { total, perDay: { source: perDay(total.source, untilMs - first.atMs), destination: 0 } };
    }
    const ms = last.atMs - first.atMs;
    return {
      total,
      perDay: {
        source: perDay(last.requests.source - first.requests.source, ms),
        destination: perDay(last.requests.destination - first.requests.destination, ms),
      },
    };
  }

  get #total(): ListRequests {
    return {
      source: this.#before.source + this.#counted.source,
      destination: this.#before.destination + this.#counted.destination,
    };
  }
}

function perDay(requests: number, ms: number): number {
  return Math.round((requests * DAY_MS) / Math.max(1, ms));
}
