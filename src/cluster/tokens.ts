/** A rate of requests that all workers share: a count in Redis, from which each takes a little in advance. */

import type { ObjectStore } from '../store/port.js';
import { InterceptedStore } from '../store/wrap/intercept.js';
import { keys } from './keys.js';

/** The count of the current second. */
export interface RateCount {
  /** Adds, and returns the sum and how long the second still lasts, ms. */
  add(name: string, requests: number): Promise<{ sum: number; leftMs: number }>;
}

/** How often a worker that is alone asks in a second. */
const ASKS = 20;

export class Tokens {
  readonly #count: RateCount;
  readonly #name: string;
  readonly #perSecond: number;
  readonly #now: () => number;
  readonly #wait: (ms: number) => Promise<void>;
  #left = 0;
  #untilMs = 0;
  #asking: Promise<void> | undefined;

  /** @param perSecond at least one */
  constructor(
    count: RateCount,
    { store, perSecond }: { store: string; perSecond: number },
    now: () => number = () => performance.now(),
    wait: (ms: number) => Promise<void> = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  ) {
    this.#count = count;
    this.#name = keys.rate(store);
    this.#perSecond = perSecond;
    this.#now = now;
    this.#wait = wait;
  }

  /** Waits until one more request may be sent. */
  async take(): Promise<void> {
    while (this.#left < 1 || this.#now() >= this.#untilMs) {
      this.#asking ??= this.#ask().finally(() => {
        this.#asking = undefined;
      });
      await this.#asking;
    }
    this.#left--;
  }

  async #ask(): Promise<void> {
    const rate = Math.max(1, Math.floor(this.#perSecond));
    const wanted = Math.max(1, Math.floor(rate / ASKS));
    const { sum, leftMs } = await this.#count.add(this.#name, wanted);
    const granted = Math.min(wanted, rate - (sum - wanted));
    if (granted <= 0) {
      await this.#wait(Math.max(1, leftMs));
      return;
    }
    this.#left = granted;
    this.#untilMs = this.#now() + Math.max(1, leftMs);
  }
}

/** A store whose requests wait for tokens. */
export function paced(store: ObjectStore, tokens: Tokens): ObjectStore {
  return new InterceptedStore(store, async (call, run) => {
    await tokens.take();
    return run(call.pace, call.onRequest);
  });
}
