/** Tests: test/observe/metrics.test.ts */
import type { RunEvent } from '../engine/events.js';

/**
 * Decides which changes have a lag. Objects that existed before the first complete pass are history: their age says
 * nothing about replication.
 */
export class Live {
  readonly #known: () => number | undefined;
  #sinceMs = Number.POSITIVE_INFINITY;

  /** @param known start of the first complete pass (`liveSinceMs` of the journal); called when a run starts */
  constructor(known: () => number | undefined) {
    this.#known = known;
  }

  /** Before the first complete pass, changes since the first run of this process have a lag too. */
  hear(event: RunEvent, nowMs: number): void {
    if (event.type === 'start') this.#sinceMs = this.#known() ?? Math.min(this.#sinceMs, nowMs);
  }

  /** Time from the change until now, ms; undefined for history. */
  lagMs(sourceMtimeMs: number, nowMs: number): number | undefined {
    return sourceMtimeMs < this.#sinceMs ? undefined : Math.max(0, nowMs - sourceMtimeMs);
  }
}
