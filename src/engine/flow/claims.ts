/**
 * For several runs of one process over one pair: no two work on the same key at once, and each knows what the others
 * have done.
 * Tests: test/engine/watch/parts.test.ts
 */

/** What a run has done but not yet written to the manifest. */
export interface Unwritten {
  /** Writes it to the manifest; never throws. May be called again. */
  close(): void;
}

export class Claims {
  readonly #held = new Map<string, Promise<void>>();
  readonly #books = new Set<Unwritten>();

  has(key: string): boolean {
    return this.#held.has(key);
  }

  /** A run begins. Call the returned function at its end. */
  join(book: Unwritten): () => void {
    this.#books.add(book);
    return () => this.#books.delete(book);
  }

  /** Writes what all runs except `own` have done to the manifest. */
  flush(own?: Unwritten): void {
    for (const book of this.#books) if (book !== own) book.close();
  }

  /** Runs `work` once no other run holds the key. */
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

  /** As `hold`, for all of the keys. They are taken in order, so that two such calls cannot deadlock. */
  async holdAll<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const ordered = [...new Set(keys)].sort();
    const next = (index: number): Promise<T> => {
      const key = ordered[index];
      return key === undefined ? work() : this.hold(key, () => next(index + 1));
    };
    return next(0);
  }
}
