/** How a run stops early, from the mildest to the hardest way; see `StopLevel`. */
import { setMaxListeners } from 'node:events';
import type { ErrorCode, XsyncError } from '../../model/error.js';
import type { StopReason } from '../events.js';

/**
 * What may no longer start:
 * - `plans`: nothing more is planned, what is queued is done (--max-transfer);
 * - `objects`: no queued object is begun, those begun are finished (--max-duration);
 * - `parts`: objects in parts stop after the parts in flight, and are checkpointed (Ctrl-C); what is still in flight
 *   after a grace period is aborted;
 * - `calls`: calls in flight are aborted at once; checkpoints stay.
 */
export type StopLevel = 'plans' | 'objects' | 'parts' | 'calls';

const LEVELS: readonly StopLevel[] = ['plans', 'objects', 'parts', 'calls'];

/** Faults that every further object would meet too. */
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
  'internal',
];

/** The run cannot go on after this. */
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

  /** @param graceMs how long calls in flight may go on after a stop of `parts` */
  constructor(graceMs: number) {
    this.#graceMs = graceMs;
    // Every call in flight listens; Node's warning at 11 listeners is about leaks, which these are not.
    setMaxListeners(0, this.#calls.signal, this.#listings.signal);
  }

  /** Aborts calls in flight when the stop is at its hardest. */
  get signal(): AbortSignal {
    return this.#calls.signal;
  }

  /** Aborts listings: with the first stop of any level, since nothing more will be planned, and at the end of the run. */
  get listings(): AbortSignal {
    return this.#listings.signal;
  }

  /** True once work of this level may no longer start. */
  stops(level: StopLevel): boolean {
    return this.#level >= LEVELS.indexOf(level);
  }

  /** Why the run ends early, if it does and is not broken. */
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

  /** A fault that every further object would meet: the run ends with it. The first one stays. */
  fail(error: unknown): void {
    this.#fatal ??= { error };
    this.#raise('calls');
  }

  #raise(level: StopLevel): void {
    this.#level = Math.max(this.#level, LEVELS.indexOf(level));
    this.#listings.abort();
    if (level === 'calls') this.#calls.abort();
  }

  dispose(): void {
    this.#listings.abort();
    clearTimeout(this.#timer);
  }
}
