/**
 * The pair of a watch: used by several runs at once, closed when none uses it, and opened again.
 * Tests: test/engine/watch/watch.test.ts
 */
export class SharedPair<P extends { close(): Promise<void>; shared?: { close(): void } }> {
  #pair: P | undefined;
  #users = 0;
  #over = false;
  /** Called when the pair is open, or will not be opened again. */
  #waiting: (() => void)[] = [];
  /** Called when nobody uses the pair. */
  #idle: (() => void)[] = [];

  get open(): P | undefined {
    return this.#pair;
  }

  opened(pair: P): void {
    this.#pair = pair;
    this.#wake();
  }

  /** Runs `work` with the pair as soon as it is open; undefined if it will not be opened again. */
  async use<T>(work: (pair: P) => Promise<T>): Promise<T | undefined> {
    while (!this.#pair && !this.#over) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (!this.#pair) return undefined;
    this.#users++;
    try {
      return await work(this.#pair);
    } finally {
      this.#users--;
      if (this.#users === 0) for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  /** Closes the pair once nobody uses it; later users wait for the next one. */
  async close(): Promise<void> {
    const pair = this.#pair;
    if (!pair) return;
    this.#pair = undefined;
    while (this.#users > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    pair.shared?.close();
    await pair.close();
  }

  /** No pair will be opened again. */
  end(): void {
    this.#over = true;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
