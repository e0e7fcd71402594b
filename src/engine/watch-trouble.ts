/** What keeps a watch from its work: each thing is said once, until all is well again. */
import type { XsyncError } from '../model/error.js';
import type { Reporter } from './events.js';

/** Looks at the listings, or objects that change events named. */
export type Work = 'looks' | 'events';

/** Of one trouble that says something else each time, more is not told. */
const MOST_SAID = 20;

export class Troubles {
  readonly #report: Reporter;
  readonly #said = new Set<string>();
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
    const what = `${code} ${subject ?? ''}`;
    if (!this.#said.has(what) && this.#said.size < MOST_SAID) {
      this.#said.add(what);
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
