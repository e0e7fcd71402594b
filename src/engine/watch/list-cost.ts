/** What looking costs: the list requests of the last hour say how many a day will bring. */
import type { RunPair } from '../pair.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Between two readings that are kept. */
const APART_MS = 10_000;

export interface ListRequests {
  source: number;
  destination: number;
}

export class ListCost {
  /** The first one is taken after the first look, which lists both sides and is no measure of those to come. */
  readonly #readings: { atMs: number; requests: ListRequests }[] = [];
  #before: ListRequests = { source: 0, destination: 0 };
  #counted: ListRequests = { source: 0, destination: 0 };

  /** The counts of a pair begin at nothing. */
  opened(): void {
    this.#before = this.#total;
    this.#counted = { source: 0, destination: 0 };
  }

  /** After a look. */
  polled({ source, dest }: RunPair, nowMs: number): void {
    this.#counted = {
      source: source.traffic().requests.list ?? 0,
      destination: dest.traffic().requests.list ?? 0,
    };
    const reading = { atMs: nowMs, requests: this.#total };
    const previous = this.#readings.at(-2);
    // The latest always stands; of the others, one now and then.
    if (previous && (this.#readings.at(-1)?.atMs ?? 0) - previous.atMs < APART_MS) this.#readings.pop();
    this.#readings.push(reading);
    while (this.#readings.length > 2 && (this.#readings[1]?.atMs ?? nowMs) < nowMs - HOUR_MS) this.#readings.shift();
  }

  /** @param untilMs when the next look comes: before there is a second one, the first tells what a look costs */
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
