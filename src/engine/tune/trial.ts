/** How long to look at one setting before its goodput is believed. Pure. */
import { type Flow, Window } from './window.js';

/** A setting and what it brought. */
export interface Level {
  n: number;
  /** Per second. */
  rate: number;
}

/** Time that does not count: connections open, and what kernels take in advance for new ones is taken. */
const WARM_UP_MS = { early: 1000, steady: 3000 };
/** Goodput is taken over so long: enough for a large difference, for one that lasts, for the smallest. */
const WINDOW_MS = { early: 2000, steady: 4000, longest: 20_000 };
/** What is not steady until then will not become so. */
const LONGEST_MS = 8000;

/** `fresh`: nothing ran before; `coarse`: for a large step; `fine`: for a small one. */
export type Accuracy = 'fresh' | 'coarse' | 'fine';

export class Trial {
  readonly #whole: boolean;
  #window: Window;
  #early: Window;

  /** @param whole requests are counted when they are through; else their bytes as they go */
  constructor(whole: boolean) {
    this.#whole = whole;
    this.#window = this.#windowOf('fresh', 0);
    this.#early = this.#earlyOf(0);
  }

  /** @param latencyMs how long a request takes, as far as is known */
  restart(accuracy: Accuracy, latencyMs: number): void {
    this.#window = this.#windowOf(accuracy, latencyMs);
    this.#early = this.#earlyOf(latencyMs);
  }

  add(flow: Flow, ms: number): void {
    this.#window.add(flow, ms);
    this.#early.add(flow, ms);
  }

  /** Per second, good for large differences; undefined until there is one. */
  get early(): number | undefined {
    return this.#early.full ? this.#early.rate : undefined;
  }

  /** Per second, over the whole window. */
  get rate(): number | undefined {
    return this.#window.full ? this.#window.rate : undefined;
  }

  /** The same, once it no longer moves. */
  get steadyRate(): number | undefined {
    return this.#window.steady || this.#window.seenMs >= LONGEST_MS ? this.rate : undefined;
  }

  /** Requests in flight meanwhile. */
  get used(): number {
    return this.#window.used;
  }

  /**
   * Small differences need a window as long as a request: those that began together are taken by the kernels together,
   * and sent later.
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
