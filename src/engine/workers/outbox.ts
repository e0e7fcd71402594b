/**
 * Messages to another thread, sent together: crossing costs more than what is in them. They leave when the event loop has
 * handled what arrived with them.
 * Tests: test/engine/workers/workers.test.ts
 */

/** How long a message waits for others that are urgent, ms. */
const LATEST_MS = 20;

export class Outbox<M> {
  readonly #post: (messages: readonly M[]) => void;
  #messages: M[] = [];
  #turn: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param post sends a batch; it may add messages about itself */
  constructor(post: (messages: readonly M[]) => void) {
    this.#post = post;
  }

  add(message: M): void {
    this.#messages.push(message);
    this.#turn ??= setImmediate(() => this.flush());
  }

  /** Adds a message that goes with the next batch, or a little later. */
  addLater(message: M): void {
    this.#messages.push(message);
    this.#timer ??= setTimeout(() => this.flush(), LATEST_MS);
  }

  flush(): void {
    clearImmediate(this.#turn);
    clearTimeout(this.#timer);
    this.#turn = undefined;
    this.#timer = undefined;
    const batch = this.#messages;
    this.#messages = [];
    if (batch.length > 0) this.#post(batch);
  }
}
