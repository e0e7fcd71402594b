/** How far a pass over the keys of a pair is, and what it has seen. Plain counts, that guards decide by. */

/** Objects of the source that the filters let through, and their bytes; and how many were looked at for that. */
export interface Passed {
  looked: number;
  objects: number;
  bytes: number;
}

/** A pass over the keys, which may outlive the run that began it. */
export interface Pass {
  /** When its first page was asked for, ms: what was written before is at the destination when the pass ends. */
  startedMs: number;
  /** Where it goes on; absent at its beginning. */
  after?: string;
  passed: Passed;
  /** The oldest change that was left alone because it is too fresh, ms. */
  unsettledMs?: number;
}

/** What a run has seen of its keys. The pass that lists the keys owns it and alone changes it; reports may read it. */
export interface CensusView {
  /** Objects of the source that were compared, filtered ones included. */
  readonly seen: number;
  /** Of those, the keys that the destination or the manifest has too. */
  readonly common: number;
  /** Objects found gone from the source that are still at the destination. */
  readonly doomed: number;
  /** Objects that did not arrive as the source has them, and that nobody gave up. */
  readonly missing: number;
}

export class Census implements CensusView {
  seen = 0;
  common = 0;
  doomed = 0;
  /** Objects in the source's listing so far. */
  listed = 0;
  #failed = 0;
  #held = 0;
  readonly #heldBefore: number;

  /** @param heldBefore objects that earlier runs of the same pass could not copy and that nobody gave up */
  constructor(heldBefore = 0) {
    this.#heldBefore = heldBefore;
  }

  get missing(): number {
    return this.#failed + this.#held + this.#heldBefore;
  }

  /** @param common the destination or the manifest has the key too */
  see(common: boolean): void {
    this.seen++;
    if (common) this.common++;
  }

  /** An object could not be copied. */
  fail(): void {
    this.#failed++;
  }

  /** An object failed before and is not tried again yet. */
  hold(): void {
    this.#held++;
  }

  /** The keys come once more, from the first one on. */
  restart(): void {
    this.seen = this.common = this.doomed = 0;
    this.#failed = this.#held = 0;
  }
}
