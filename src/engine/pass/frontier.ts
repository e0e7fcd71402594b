/**
 * How far a pass over the keys has come without a gap: every key up to there has been decided and, where it had to be,
 * copied. Objects finish in any order; a batch of keys is passed when the last of its objects is done.
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

  /** Of a key whose work goes on after it was taken; to be called when that is over. */
  hold(): () => void {
    this.open++;
    return () => this.release();
  }

  count(): void {
    this.passed.looked++;
  }

  /** Of what was looked at. */
  add(size: number): void {
    this.passed.objects++;
    this.passed.bytes += size;
  }

  /** Once for the batch itself, when all its keys have been taken, and once for each hold. */
  release(): void {
    this.open--;
    if (this.open === 0) this.#frontier.advance();
  }
}

export class Frontier {
  readonly passed: Passed;
  /** The last key of what has been passed. */
  key: string | undefined;
  readonly #batches: Batch[] = [];
  readonly #stopped: () => boolean;
  readonly #advanced: () => void;

  /**
   * @param stopped true from when on objects may be left unfinished: nothing is passed any more
   * @param advanced called each time that more has been passed
   * @param start what an earlier run, which this one goes on with, had passed
   */
  constructor(stopped: () => boolean, advanced: () => void, start: { key?: string; passed: Passed }) {
    this.#stopped = stopped;
    this.#advanced = advanced;
    this.key = start.key;
    this.passed = { ...start.passed };
  }

  /** Keys up to `last` come next. */
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
