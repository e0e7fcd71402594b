/** What keeps a watch from its work: each thing is said once, until all is well again. */
import type { XsyncError } from '../../model/error.js';
import type { Reporter } from '../events.js';

/** Looks at the listings, or objects that change events named. */
export type Work = 'looks' | 'events';

/** The same trouble with something else (the next file that finds no room) is told after so long. */
const TOLD_FOR_MS = 60_000;

export class Troubles {
  readonly #report: Reporter;
  readonly #said = new Map<XsyncError['code'], { subject?: string; atMs: number }>();
  readonly #ailing = new Set<Work>();
  #sinceMs = 0;
  /** Failures in a row, of anything. */
  #times = 0;

  constructor(report: Reporter) {
    this.#report = report;
  }

  /** @returns how many times in a row something went wrong, this time included */
  suffer(work: Work, fault: XsyncError, nowMs: number): number {
    if (this.#ailing.size === 0) this.#sinceMs = nowMs;
    this.#ailing.add(work);
    const { code, message, remedy, subject } = fault;
    const before = this.#said.get(code);
    if (!before || (before.subject !== subject && nowMs - before.atMs >= TOLD_FOR_MS)) {
      this.#said.set(code, { subject, atMs: nowMs });
      this.#report({ type: 'trouble', code, message, remedy });
    }
    return ++this.#times;
  }

  /** This work has been done. */
  over(work: Work, nowMs: number): void {
    if (!this.#ailing.delete(work) || this.#ailing.size > 0) return;
    this.#said.clear();
    this.#times = 0;
    this.#report({ type: 'well', afterMs: nowMs - this.#sinceMs });
  }
}
