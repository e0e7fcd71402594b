/**
 * Serves pairs until it is told to end: starts what is new, stops what is gone, and restarts what has changed, while
 * everything else keeps running. A pair that fails waits by itself and tries again.
 * Tests: test/serve/serving.test.ts
 */
import { toXsyncError, type XsyncError } from '../model/error.js';

/** A pair of a rule. */
export interface Served {
  /** Of the rule and the destination. */
  id: string;
  /** Equal as long as nothing about the pair has changed. */
  fingerprint: string;
}

export interface ServingOptions<P extends Served> {
  /**
   * Works until drained.
   * @param stop aborted when it takes so long to drain that what is in flight should be checkpointed
   * @throws a fault, after which it is called again
   */
  serve(pair: P, drain: AbortSignal, stop: AbortSignal): Promise<void>;
  /** Reports a fault of a pair, before the pause. */
  failed(pair: P, fault: XsyncError): void;
}

export interface Applied {
  started: number;
  stopped: number;
  changed: number;
  kept: number;
}

interface Running<P> {
  pair: P;
  drain: AbortController;
  stop: AbortController;
  ended: Promise<void>;
}

/** From `drain` to `stop`: new rules must not wait for the last bytes of a large object. */
const DRAIN_MS = 20_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

export class Serving<P extends Served> {
  readonly #options: ServingOptions<P>;
  readonly #running = new Map<string, Running<P>>();
  /** What was asked for last. */
  #applying: Promise<unknown> = Promise.resolve();
  #ended = false;

  constructor(options: ServingOptions<P>) {
    this.#options = options;
  }

  /** What is served now. */
  get pairs(): readonly P[] {
    return [...this.#running.values()].map(({ pair }) => pair);
  }

  /**
   * Serves exactly these pairs from now on, as soon as what was asked for before is so. Resolves when those that are not
   * among them have ended.
   */
  apply(pairs: readonly P[]): Promise<Applied> {
    const applied = this.#applying.then(() => this.#apply(pairs));
    this.#applying = applied.catch(() => undefined);
    return applied;
  }

  async #apply(pairs: readonly P[]): Promise<Applied> {
    const wanted = new Map(pairs.map((pair) => [pair.id, pair]));
    const stale = [...this.#running.values()].filter(
      ({ pair }) => wanted.get(pair.id)?.fingerprint !== pair.fingerprint,
    );
    await Promise.all(stale.map((running) => this.#stop(running)));
    const fresh = pairs.filter(({ id }) => !this.#running.has(id));
    // What was stopped may have had the manifest that one of these takes.
    if (!this.#ended) for (const pair of fresh) this.#start(pair);
    const changed = stale.filter(({ pair }) => wanted.has(pair.id)).length;
    return {
      changed,
      started: fresh.length - changed,
      stopped: stale.length - changed,
      kept: pairs.length - fresh.length,
    };
  }

  /** Drains all of them. */
  async end(): Promise<void> {
    this.#ended = true;
    await Promise.all([...this.#running.values()].map((running) => this.#stop(running)));
  }

  #start(pair: P): void {
    const [drain, stop] = [new AbortController(), new AbortController()];
    this.#running.set(pair.id, { pair, drain, stop, ended: this.#serve(pair, drain.signal, stop.signal) });
  }

  async #stop({ pair, drain, stop, ended }: Running<P>): Promise<void> {
    drain.abort();
    const timer = setTimeout(() => stop.abort(), DRAIN_MS);
    await ended;
    clearTimeout(timer);
    this.#running.delete(pair.id);
  }

  async #serve(pair: P, drain: AbortSignal, stop: AbortSignal): Promise<void> {
    for (let times = 0; !drain.aborted; times++) {
      try {
        await this.#options.serve(pair, drain, stop);
        return;
      } catch (error) {
        if (drain.aborted) return;
        this.#options.failed(pair, toXsyncError(error));
      }
      await pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** times), drain);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
  });
}
