/** Tests: test/engine/imperfect.test.ts */
type Listener = (message: string) => void;

/**
 * What is found out about a store while it is used. Each message is heard once, if necessary later: another thread may
 * find the same.
 */
export class Findings {
  readonly #listeners = new Set<Listener>();
  readonly #waiting: string[] = [];
  readonly #known = new Set<string>();

  readonly add = (message: string): void => {
    if (this.#known.has(message)) return;
    this.#known.add(message);
    const [first] = this.#listeners;
    if (first) first(message);
    else this.#waiting.push(message);
  };

  /** @returns a function that stops listening */
  hear(listener: Listener): () => void {
    for (const message of this.#waiting.splice(0)) listener(message);
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
