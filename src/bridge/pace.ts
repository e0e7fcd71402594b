/** Waiting. Tests: test/bridge/pace.test.ts */

/** Between half and the whole of a time that doubles with each attempt, so that many do not come at once. */
export function backoff(attempt: number, firstMs: number, longestMs: number, random = Math.random): number {
  const ms = Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 30));
  return ms / 2 + (random() * ms) / 2;
}

const FIRST_MS = 1_000;
const LONGEST_MS = 600_000;
const FIRST_MENDING_MS = 60_000;
const LONGEST_MENDING_MS = 1_800_000;

/**
 * Until a ticket is tried again. A person needs longer than a network: ten attempts last for more than an hour then. Only the
 * second one comes soon, because services take a moment to know new rights.
 * @param failures of the ticket before this one
 * @param waits for a person
 */
export function retryPauseMs(failures: number, waits: boolean, random = Math.random): number {
  if (!waits || failures === 0) return backoff(failures, FIRST_MS, LONGEST_MS, random);
  return backoff(failures - 1, FIRST_MENDING_MS, LONGEST_MENDING_MS, random);
}

/** Wakes one waiter. A ring before the wait counts. */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  async wait(ms: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#rung = false;
    this.#wake = undefined;
  }
}
