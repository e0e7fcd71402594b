import { nothing, type Sum } from './sum.js';

const WINDOW_MS = 10_000;
const SAMPLE_MS = 1000;
/** The first moments of a run would show rates that it never keeps. */
const SHORTEST_MS = 500;

/** Rates over the last ten seconds, from totals that only grow. Times in ms. */
export class Rate {
  #first: Sum & { atMs: number };
  /** After `#first`, at least a second apart. */
  readonly #samples: (Sum & { atMs: number })[] = [];
  #sampledMs: number;

  constructor(nowMs: number) {
    this.#first = { atMs: nowMs, ...nothing() };
    this.#sampledMs = nowMs;
  }

  /** Takes a sample of the totals, at most one per second: may be called for each event. */
  sample(nowMs: number, objects: number, bytes: number): void {
    if (nowMs - this.#sampledMs < SAMPLE_MS) return;
    this.#sampledMs = nowMs;
    this.#samples.push({ atMs: nowMs, objects, bytes });
    this.#forget(nowMs);
  }

  /** By the time that really passed: a sample that came late is not a burst. */
  perSecond(nowMs: number, objects: number, bytes: number): Sum {
    this.#forget(nowMs);
    const { atMs, ...first } = this.#first;
    const seconds = Math.max(nowMs - atMs, SHORTEST_MS) / 1000;
    return { objects: (objects - first.objects) / seconds, bytes: (bytes - first.bytes) / seconds };
  }

  #forget(nowMs: number): void {
    for (let next = this.#samples[0]; next && next.atMs <= nowMs - WINDOW_MS; next = this.#samples[0]) {
      this.#first = next;
      this.#samples.shift();
    }
  }
}
