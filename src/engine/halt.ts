/**
 * How a run stops early. Softly: no new work, what is in flight finishes. Hard: calls in flight are aborted, their
 * checkpoints stay. A soft stop turns hard after a grace period.
 */
import { setMaxListeners } from 'node:events';
import type { StopReason } from './events.js';

export class Halt {
  readonly #hard = new AbortController();
  readonly #graceMs: number;
  #reason: StopReason | undefined;
  #fatal: { error: unknown } | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param graceMs how long calls in flight may go on after a soft stop */
  constructor(graceMs: number) {
    this.#graceMs = graceMs;
    // Every call in flight listens; Node's warning at 11 listeners is about leaks, which these are not.
    setMaxListeners(0, this.#hard.signal);
  }

  /** Aborts calls in flight when the stop is hard. */
  get signal(): AbortSignal {
    return this.#hard.signal;
  }

  /** True once no new work may start. */
  get stopping(): boolean {
    return this.#reason !== undefined || this.#fatal !== undefined;
  }

  get reason(): StopReason | undefined {
    return this.#reason;
  }

  get fatal(): { error: unknown } | undefined {
    return this.#fatal;
  }

  /** Lets what is in flight finish for the grace period (for ever when `patient`). The first reason stays. */
  stop(reason: StopReason, options: { patient?: boolean; now?: boolean } = {}): void {
    this.#reason ??= reason;
    if (options.now) this.#hard.abort();
    else if (!options.patient) this.#timer ??= setTimeout(() => this.#hard.abort(), this.#graceMs).unref();
  }

  /** A fault that every further object would meet: the run ends with it. The first one stays. */
  fail(error: unknown): void {
    this.#fatal ??= { error };
    this.#hard.abort();
  }

  dispose(): void {
    clearTimeout(this.#timer);
  }
}
