/** The health of a pair, for a process supervisor. Tests: test/observe/metrics.test.ts */
import type { RunEvent } from '../engine/events.js';
import type { PairStatus } from '../engine/record/status.js';

/** Plain data, times in ISO 8601; `docs/metrics.md` documents it. */
export interface Health {
  status: 'ok' | 'unhealthy';
  /** Why it is unhealthy, as sentences for people. */
  reasons: string[];
  /** Everything written to the source before this is at the destination; null before the first complete pass, and if no time is known. */
  watermark: string | null;
  watermarkAgeMs: number | null;
  rpoMs: number | null;
  /** The latest runs in a row that ended with an error or were refused by a guard. */
  brokenRuns: number;
}

export interface HealthOptions {
  /** Changes must be at the destination within this time, ms. Absent: there is no limit. */
  rpoMs?: number;
  /** This many broken runs in a row are unhealthy. By default 3. */
  unhealthy?: number;
}

const UNHEALTHY = 3;
/** Shorter trouble is not unhealthy. */
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
    // 0: no time is known.
    const known = synchronised?.untilMs ? synchronised : undefined;
    const ageMs = known && Math.max(0, nowMs - known.untilMs);
    const reasons: string[] = [];
    if (synchronised && rpoMs !== undefined && (ageMs === undefined || ageMs > rpoMs)) {
      reasons.push(lateness(ageMs, rpoMs, synchronised.behind));
    }
    if (this.#brokenRuns >= unhealthy) reasons.push(`the last ${this.#brokenRuns} runs failed: ${this.#lastError}`);
    const { sinceMs, message } = this.#trouble ?? { sinceMs: nowMs, message: '' };
    if (nowMs - sinceMs >= TROUBLE_MS) reasons.push(`no progress for ${seconds(nowMs - sinceMs)}: ${message}`);
    return {
      status: reasons.length === 0 ? 'ok' : 'unhealthy',
      reasons,
      watermark: known ? new Date(known.untilMs).toISOString() : null,
      watermarkAgeMs: ageMs ?? null,
      rpoMs: rpoMs ?? null,
      brokenRuns: this.#brokenRuns,
    };
  }
}

function lateness(ageMs: number | undefined, rpoMs: number, behind: number): string {
  const held = behind === 0 ? '' : `, held back by ${behind} failed object${behind === 1 ? '' : 's'}`;
  if (ageMs === undefined) return `it is unknown how far the destination is behind${held}`;
  return `the destination is ${seconds(ageMs)} behind, more than the ${seconds(rpoMs)} of --rpo${held}`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
