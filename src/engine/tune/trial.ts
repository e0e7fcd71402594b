/** How long to measure a setting before its goodput is reliable. Pure. Tests: test/engine/tune/tune.test.ts */
import { type Flow, Window } from './window.js';

/** Time that does not count: new connections open and kernel buffers fill. */
const WARM_UP_MS = { early: 1000, steady: 3000 };
/** Time over which goodput is measured: for a large difference, for a lasting one, for the smallest. */
const WINDOW_MS = { early: 2000, steady: 4000, longest: 20_000 };
/** Goodput that is not steady by then counts as it is. */
const LONGEST_MS = 8000;
/**
 * After a sample that brought this many times as much, goodput that has almost stopped falling is that of lossy connections. If
 * it was many times more, the line is down.
 */
const OVERSHOT = { least: 2, most: 20 };
/** The share of the sample before it that such goodput keeps. */
const ALMOST = 0.65;

/** The share of the sample before it that a rate keeps that neither grows nor dips. */
const LEVEL = { least: 0.4, most: 1.1 };
/** The first sample of a setting, in which connections open, has passed. */
const NEWEST_MS = 1500;

/** `fresh`: nothing ran before; `coarse`: for a large step; `fine`: for a small one. */
export type Accuracy = 'fresh' | 'coarse' | 'fine';

export class Trial {
  readonly #whole: boolean;
  #window: Window;
  #early: Window;
  /** Per second, in the latest samples and in the best one. */
  #latest = { rate: 0, before: 0, best: 0 };

  /** @param whole counts requests when they end; else their bytes as they move */
  constructor(whole: boolean) {
    this.#whole = whole;
    this.#window = this.#windowOf('fresh', 0);
    this.#early = this.#earlyOf(0);
  }

  /** @param latencyMs duration of a request, as far as known */
  restart(accuracy: Accuracy, latencyMs: number): void {
    this.#window = this.#windowOf(accuracy, latencyMs);
    this.#early = this.#earlyOf(latencyMs);
    this.#latest = { rate: 0, before: 0, best: 0 };
  }

  add(flow: Flow, ms: number): void {
    this.#window.add(flow, ms);
    this.#early.add(flow, ms);
    const { rate: before, best } = this.#latest;
    const rate = (flow.done / ms) * 1000;
    this.#latest = { rate, before, best: Math.max(best, rate) };
  }

  /** Per second, reliable for large differences; undefined until the window is full. */
  get early(): number | undefined {
    return this.#early.full ? this.#early.rate : undefined;
  }

  /** The same, if the latest second brought as much as the one before it. */
  get settled(): number | undefined {
    return this.#early.steady ? this.early : undefined;
  }

  /** Per second, once connections that began too fast have lost their first packets; undefined if they did not. */
  get fallen(): number | undefined {
    const { rate, before, best } = this.#latest;
    const hasFallen = best >= OVERSHOT.least * rate && best <= OVERSHOT.most * rate;
    return this.#early.full && hasFallen && rate >= ALMOST * before ? rate : undefined;
  }

  /** Per second, in the latest sample, if that brought about as much as the one before it, or less. */
  get level(): number | undefined {
    const { rate, before } = this.#latest;
    return rate > 0 && rate >= LEVEL.least * before && rate <= LEVEL.most * before ? rate : undefined;
  }

  /** Per second, in the latest sample; undefined in the first one. */
  get newest(): number | undefined {
    return this.#window.seenMs >= NEWEST_MS ? this.#latest.rate : undefined;
  }

  /** Per second, over the whole window. */
  get rate(): number | undefined {
    return this.#window.full ? this.#window.rate : undefined;
  }

  /** The same, once it is steady. */
  get steadyRate(): number | undefined {
    return this.#window.steady || this.#window.seenMs >= LONGEST_MS ? this.rate : undefined;
  }

  /** Average requests in flight. */
  get used(): number {
    return this.#window.used;
  }

  /**
   * Small differences need a window as long as a request: requests that start together fill the kernel buffers together,
   * and the bytes are sent later.
   */
  #windowOf(accuracy: Accuracy, latencyMs: number): Window {
    if (this.#whole) return wholeWindow(WINDOW_MS.steady, latencyMs);
    const request = accuracy === 'fine' ? Math.min(latencyMs, WINDOW_MS.longest) : 0;
    const warmUp = accuracy === 'fresh' ? WARM_UP_MS.early : WARM_UP_MS.steady;
    return new Window(warmUp, Math.max(WINDOW_MS.steady, request));
  }

  #earlyOf(latencyMs: number): Window {
    return this.#whole ? wholeWindow(WINDOW_MS.early, latencyMs) : new Window(WARM_UP_MS.early, WINDOW_MS.early);
  }
}

function wholeWindow(ms: number, latencyMs: number): Window {
  return new Window(Math.max(WARM_UP_MS.early, latencyMs), Math.max(ms, 2 * latencyMs));
}
