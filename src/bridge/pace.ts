/** Waiting. Tests: test/bridge/pace.test.ts */

/** Between half and the whole of a time that doubles with each attempt, so that many do not come at once. */
export function backoff(attempt: number, firstMs: number, longestMs: number, random = Math.random): number {
  const ms = Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 30));
  return ms / 2 + (random() * ms) / 2;
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
