/** How a run stops early. Tests: test/engine/limits.test.ts */
import { setMaxListeners } from 'node:events';
import type { ErrorCode, XsyncError } from '../../model/error.js';
import type { StopReason } from '../events.js';

/**
 * How hard to stop, from mildest to hardest:
 * - `plans`: plan nothing more, copy what is queued (--max-transfer);
 * - `objects`: start no queued object, finish those in progress (--max-duration);
 * - `parts`: stop multipart objects after the parts in flight and checkpoint them (Ctrl-C); abort calls that are still
 *   in flight after a grace period;
 * - `calls`: abort calls in flight at once; checkpoints stay.
 */
export type StopLevel = 'plans' | 'objects' | 'parts' | 'calls';

const LEVELS: readonly StopLevel[] = ['plans', 'objects', 'parts', 'calls'];

/** Faults that every other object would meet too. */
const FATAL: readonly ErrorCode[] = [
  'bucket-not-found',
  'bad-credentials',
  'expired-credentials',
  'wrong-region',
  'wrong-endpoint',
  'tls',
  'disk-full',
  'acceleration-disabled',
  'config',
  'usage',
  'internal',
];

/** Whether the fault ends the run, because every other object would meet it too. */
export function endsRun(fault: XsyncError): boolean {
  return FATAL.includes(fault.code);
}

export class Halt {
  readonly #calls = new AbortController();
  readonly #listings = new AbortController();
  readonly #graceMs: number;
  #level = -1;
  #reason: StopReason | undefined;
  #fatal: { error: unknown } | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #listeners = new Set<(level: StopLevel) => void>();

  /** @param graceMs how long calls in flight may continue after a stop of level `parts` */
  constructor(graceMs: number) {
    this.#graceMs = graceMs;
    // Every call in flight adds a listener; Node would warn of a leak at 11.
    setMaxListeners(0, this.#calls.signal, this.#listings.signal);
  }

  /** Aborts calls in flight, at level `calls`. */
  get signal(): AbortSignal {
    return this.#calls.signal;
  }

  /** Aborts listings: at the first stop of any level, because nothing more is planned, and at the end of the run. */
  get listings(): AbortSignal {
    return this.#listings.signal;
  }

  /** The hardest level so far; undefined before any stop. */
  get level(): StopLevel | undefined {
    return LEVELS[this.#level];
  }

  /** Calls the listener at each stop with its level, until the returned function is called. */
  hear(listener: (level: StopLevel) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** True once work of this level may no longer start. */
  stops(level: StopLevel): boolean {
    return this.#level >= LEVELS.indexOf(level);
  }

  /** Why the run was stopped; undefined if it was not, or if only a fault ended it. */
  get reason(): StopReason | undefined {
    return this.#reason;
  }

  get fatal(): { error: unknown } | undefined {
    return this.#fatal;
  }

  /** The first reason stays; a harder level replaces a milder one. */
  stop(reason: StopReason, level: StopLevel): void {
    this.#reason ??= reason;
    this.#raise(level);
    if (level === 'parts') this.#timer ??= setTimeout(() => this.#raise('calls'), this.#graceMs).unref();
  }

  /** Ends the run with this fault. The first one stays. */
  fail(error: unknown): void {
    this.#fatal ??= { error };
    this.#raise('calls');
  }

  #raise(level: StopLevel): void {
    this.#level = Math.max(this.#level, LEVELS.indexOf(level));
    this.#listings.abort();
    if (level === 'calls') this.#calls.abort();
    for (const listener of this.#listeners) listener(level);
  }

  dispose(): void {
    this.#listings.abort();
    clearTimeout(this.#timer);
  }
}
