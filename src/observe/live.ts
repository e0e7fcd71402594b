/**
 * Which changes are followed. What the source had before the first complete pass began is history: how long ago it was
 * written says nothing about how long it took to cross.
 */
import type { RunEvent } from '../engine/events.js';

export class Live {
  readonly #known: () => number | undefined;
  #sinceMs = Number.POSITIVE_INFINITY;

  /** @param known when the first complete pass began (`liveSinceMs` of the journal); asked when a run begins */
  constructor(known: () => number | undefined) {
    this.#known = known;
  }

  /** Before a complete pass, what is written while runs of this process go on is followed too. */
  hear(event: RunEvent, nowMs: number): void {
    if (event.type === 'start') this.#sinceMs = this.#known() ?? Math.min(this.#sinceMs, nowMs);
  }

  /** How long the change has taken until now, ms; undefined for history. */
  lagMs(sourceMtimeMs: number, nowMs: number): number | undefined {
    return sourceMtimeMs < this.#sinceMs ? undefined : Math.max(0, nowMs - sourceMtimeMs);
  }
}
