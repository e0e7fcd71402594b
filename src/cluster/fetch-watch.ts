/** Finds out that a worker no longer gets jobs although some wait. */

const PATIENCE_MS = 20_000;

interface Look {
  nowMs: number;
  /** Jobs that no worker has. */
  waiting: number;
  /** Jobs of this worker. */
  active: number;
}

export class FetchWatch {
  readonly #most: number;
  #sinceMs: number | undefined;

  /** @param most jobs that the worker may have */
  constructor(most: number) {
    this.#most = most;
  }

  /** The worker got a job. */
  fetched(): void {
    this.#sinceMs = undefined;
  }

  isStuck({ nowMs, waiting, active }: Look): boolean {
    if (waiting === 0 || active >= this.#most) this.#sinceMs = undefined;
    else this.#sinceMs ??= nowMs;
    if (this.#sinceMs === undefined || nowMs - this.#sinceMs < PATIENCE_MS) return false;
    this.#sinceMs = undefined;
    return true;
  }
}
