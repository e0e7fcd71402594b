/**
 * How far a pass has come without a gap: every key up to there has been decided and copied if needed. Objects finish in
 * any order; a batch of keys has passed when its last object is done.
 * Tests: test/engine/pass/pass.test.ts
 */

import type { Passed } from '../census.js';

export class Batch {
  open = 1;
  readonly passed: Passed = { looked: 0, objects: 0, bytes: 0 };
  readonly #frontier: Frontier;

  constructor(
    frontier: Frontier,
    readonly last: string,
  ) {
    this.#frontier = frontier;
  }

  /** Keeps the batch open for a key whose work continues. Call the returned function when it is done. */
  hold(key: string): () => void {
    this.open++;
    const drop = this.#frontier.held?.(key);
    return () => {
      drop?.();
      this.release();
    };
  }

  count(): void {
    this.passed.looked++;
  }

  /** Counts an object that the filters include; `size` in bytes. */
  add(size: number): void {
    this.passed.objects++;
    this.passed.bytes += size;
  }

  /** Call once for the batch, when all its keys have been taken, and once for each hold. */
  release(): void {
    this.open--;
    if (this.open === 0) this.#frontier.advance();
  }
}

export class Frontier {
  readonly passed: Passed;
  /** The last key passed. */
  key: string | undefined;
  readonly #batches: Batch[] = [];
  readonly #stopped: () => boolean;
  readonly #advanced: () => void;
  /** Called with each key whose work continues; what it returns, when that is done. */
  readonly held: ((key: string) => () => void) | undefined;

  /**
   * @param stopped true once objects may be left unfinished: the frontier then no longer moves
   * @param advanced called whenever the frontier has moved
   * @param start how far the earlier run came that this one continues
   */
  constructor(
    stopped: () => boolean,
    advanced: () => void,
    start: { key?: string; passed: Passed },
    held?: (key: string) => () => void,
  ) {
    this.held = held;
    this.#stopped = stopped;
    this.#advanced = advanced;
    this.key = start.key;
    this.passed = { ...start.passed };
  }

  /** Begins the next batch, whose last key is `last`. */
  begin(last: string): Batch {
    const batch = new Batch(this, last);
    this.#batches.push(batch);
    return batch;
  }

  advance(): void {
    if (this.#stopped()) return;
    let moved = false;
    for (let first = this.#batches[0]; first?.open === 0; first = this.#batches[0]) {
      this.#batches.shift();
      this.key = first.last;
      this.passed.looked += first.passed.looked;
      this.passed.objects += first.passed.objects;
      this.passed.bytes += first.passed.bytes;
      moved = true;
    }
    if (moved) this.#advanced();
  }
}
