/** What keeps a watch from its work: each thing is said once, until all is well again. */
import type { XsyncError } from '../../model/error.js';
import type { Reporter } from '../events.js';

/** Looks at the listings, or objects that change events named. */
export type Work = 'polls' | 'events';

/** The same trouble with something else (the next file that finds no room) is told after so long. */
const REPEAT_MS = 60_000;

export class Troubles {
  readonly #report: Reporter;
  readonly #reported = new Map<XsyncError['code'], { subject?: string; atMs: number }>();
  readonly #failing = new Set<Work>();
  #sinceMs = 0;
  /** Failures in a row, of anything. */
  #times = 0;

  constructor(report: Reporter) {
    this.#report = report;
  }

  /** @returns how many times in a row something went wrong, this time included */
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

  /** This work has been done. */
  recovered(work: Work, nowMs: number): void {
    if (!this.#failing.delete(work) || this.#failing.size > 0) return;
    this.#reported.clear();
    this.#times = 0;
    this.#report({ type: 'well', afterMs: nowMs - this.#sinceMs });
  }
}
