/**
 * Reports failures of a watch: each error code once, until all work succeeds again.
 * Tests: test/engine/watch/parts.test.ts
 */
import type { XsyncError } from '../../model/error.js';
import type { Reporter } from '../events.js';

/** Polls, or runs over keys of change events. */
export type Work = 'polls' | 'events';

/** After this time the same code is reported again if its subject differs (the next file on a full disk). */
const REPEAT_MS = 60_000;

export class Troubles {
  readonly #report: Reporter;
  readonly #reported = new Map<XsyncError['code'], { subject?: string; atMs: number }>();
  readonly #failing = new Set<Work>();
  #sinceMs = 0;
  /** Consecutive failures, of any work. */
  #times = 0;

  constructor(report: Reporter) {
    this.#report = report;
  }

  /** @returns the number of consecutive failures, including this one */
  failed(work: Work, fault: XsyncError, nowMs: number): number {
    if (this.#failing.size === 0) this.#sinceMs = nowMs;
    this.#failing.add(work);
    const { code, message, remedy, subject } = fault;
    const before = this.#reported.get(code);
    if (!before || (before.subject !== subject && nowMs - before.atMs >= REPEAT_MS)) {
      this.#reported.set(code, { subject, atMs: nowMs });
      this.#report({ type: 'trouble', code, message, remedy });
    }
    return ++this.#times;
  }

  /** This work has succeeded. */
  recovered(work: Work, nowMs: number): void {
    if (!this.#failing.delete(work) || this.#failing.size > 0) return;
    this.#reported.clear();
    this.#times = 0;
    this.#report({ type: 'well', afterMs: nowMs - this.#sinceMs });
  }
}
