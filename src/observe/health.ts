/** Whether a pair is well, for whoever watches over the process. */
import type { RunEvent } from '../engine/events.js';
import type { PairStatus } from '../engine/record/status.js';

/** Plain data, times in ISO 8601; `docs/metrics.md` documents it. */
export interface Health {
  status: 'ok' | 'unhealthy';
  /** Why it is unhealthy, for people. */
  reasons: string[];
  /** Everything written to the source before this is at the destination; null before the first complete pass. */
  watermark: string | null;
  watermarkAgeMs: number | null;
  rpoMs: number | null;
  /** Runs in a row, up to now, that broke off or were refused by a guard. */
  brokenRuns: number;
}

export interface HealthOptions {
  /** Changes are to be at the destination after so long, ms. Absent: no promise was made. */
  rpoMs?: number;
  /** That many broken runs in a row are too many; 3 when absent. */
  unhealthy?: number;
}

const UNHEALTHY = 3;
/** A line that is down for a moment makes nobody ill. */
const TROUBLE_MS = 60_000;

export class HealthBook {
  readonly #options: HealthOptions;
  #brokenRuns = 0;
  #lastError = '';
  #trouble: { sinceMs: number; message: string } | undefined;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  hear(event: RunEvent, nowMs: number): void {
    if (event.type === 'trouble') {
      this.#trouble = { sinceMs: this.#trouble?.sinceMs ?? nowMs, message: event.message };
    }
    if (event.type === 'well') this.#trouble = undefined;
    if (event.type !== 'end') return;
    const broken = event.outcome === 'broken' || event.outcome === 'guarded';
    this.#brokenRuns = broken ? this.#brokenRuns + 1 : 0;
    this.#lastError = event.error?.message ?? '';
  }

  read(synchronised: PairStatus['synchronised'], nowMs: number): Health {
    const { rpoMs, unhealthy = UNHEALTHY } = this.#options;
    const ageMs = synchronised && Math.max(0, nowMs - synchronised.untilMs);
    const reasons: string[] = [];
    if (synchronised && ageMs !== undefined && rpoMs !== undefined && ageMs > rpoMs) {
      reasons.push(lateness(ageMs, rpoMs, synchronised.behind));
    }
    if (this.#brokenRuns >= unhealthy) reasons.push(`the last ${this.#brokenRuns} runs broke off: ${this.#lastError}`);
    const { sinceMs, message } = this.#trouble ?? { sinceMs: nowMs, message: '' };
    if (nowMs - sinceMs >= TROUBLE_MS)
      reasons.push(`nothing can be done since ${seconds(nowMs - sinceMs)}: ${message}`);
    return {
      status: reasons.length === 0 ? 'ok' : 'unhealthy',
      reasons,
      watermark: synchronised ? new Date(synchronised.untilMs).toISOString() : null,
      watermarkAgeMs: ageMs ?? null,
      rpoMs: rpoMs ?? null,
      brokenRuns: this.#brokenRuns,
    };
  }
}

function lateness(ageMs: number, rpoMs: number, behind: number): string {
  const held = behind === 0 ? '' : `, held back by ${behind} failed object${behind === 1 ? '' : 's'}`;
  return `the destination is ${seconds(ageMs)} behind, more than the ${seconds(rpoMs)} of --rpo${held}`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
