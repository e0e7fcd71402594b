/**
 * One process, several runs over one pair: no key is worked on by two of them at once, and what one of them has done
 * the others know.
 */

/** What a run has done and not written down yet. */
export interface Unwritten {
  /** Writes it down; never throws. May be called again. */
  close(): void;
}

export class Claims {
  readonly #held = new Map<string, Promise<void>>();
  readonly #books = new Set<Unwritten>();

  has(key: string): boolean {
    return this.#held.has(key);
  }

  /** A run begins; the result ends it. */
  join(book: Unwritten): () => void {
    this.#books.add(book);
    return () => this.#books.delete(book);
  }

  /** From now on the manifest knows what all runs but `own` have done. */
  settle(own?: Unwritten): void {
    for (const book of this.#books) if (book !== own) book.close();
  }

  /** Waits until nobody else works on the key. */
  async hold<T>(key: string, work: () => Promise<T>): Promise<T> {
    for (let other = this.#held.get(key); other; other = this.#held.get(key)) await other;
    let release = (): void => undefined;
    this.#held.set(key, new Promise<void>((resolve) => (release = resolve)));
    try {
      return await work();
    } finally {
      this.#held.delete(key);
      release();
    }
  }

  /** Waits until nobody else works on any of the keys. They are taken in order, so that two such calls never wait for each other. */
  async holdAll<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const ordered = [...new Set(keys)].sort();
    const next = (index: number): Promise<T> => {
      const key = ordered[index];
      return key === undefined ? work() : this.hold(key, () => next(index + 1));
    };
    return next(0);
  }
}
