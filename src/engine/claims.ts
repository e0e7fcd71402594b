/** One process, several runs over one pair: no key is worked on by two of them at once. */
export class Claims {
  readonly #held = new Map<string, { over: Promise<void>; waiting: number }>();

  has(key: string): boolean {
    return this.#held.has(key);
  }

  /** True while somebody else waits for a key that is held: what was done is to be written down at once. */
  isWanted(key: string): boolean {
    return (this.#held.get(key)?.waiting ?? 0) > 0;
  }

  /** Waits until nobody else works on the key. */
  async hold<T>(key: string, work: () => Promise<T>): Promise<T> {
    for (let other = this.#held.get(key); other; other = this.#held.get(key)) {
      other.waiting++;
      await other.over;
    }
    let release = (): void => undefined;
    const over = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#held.set(key, { over, waiting: 0 });
    try {
      return await work();
    } finally {
      this.#held.delete(key);
      release();
    }
  }
}
