/**
 * The progress of a pass over the keys of a pair, and its counts, which the guards decide by.
 * Tests: test/engine/pass/deletes.test.ts
 */

/** Objects of the source that the filters include, and their bytes; `looked` counts the filtered ones too. */
export interface Passed {
  looked: number;
  objects: number;
  bytes: number;
}

/** A pass over the keys. A later run may continue it. */
export interface Pass {
  /** When its first page was requested, ms: everything written before is at the destination when the pass ends. */
  startedMs: number;
  /** The key after which it continues; absent at its beginning. */
  after?: string;
  passed: Passed;
  /** The oldest change that was skipped as `settling`, ms. */
  unsettledMs?: number;
  /** The first sign that a listing of the pass is wrong, as a clause. Nothing is deleted then. */
  oddity?: string;
}

/** What a run has seen of its keys. Only the pass that lists the keys changes it; reports read it. */
export interface CensusView {
  /** Objects of the source that were compared, filtered ones included. */
  readonly seen: number;
  /** Objects in the source's listing so far, which runs ahead of the comparison. */
  readonly listed: number;
  /** Objects of which only a failure is known: their HEAD failed, or they are folders that could not be listed. */
  readonly unseen: number;
  /** Of the seen, the keys that are also at the destination or in the manifest. */
  readonly common: number;
  /** Of those, the keys that the filters include: what the source still has of the destination's objects. */
  readonly staying: number;
  /** Objects found gone from the source that are still at the destination. */
  readonly doomed: number;
  /** Objects that were not copied although they should have been; dropped ones are not counted. */
  readonly missing: number;
}

export class Census implements CensusView {
  seen = 0;
  common = 0;
  staying = 0;
  doomed = 0;
  unseen = 0;
  listed = 0;
  /** The last key that the source has, so far. */
  last: string | undefined;
  /** Keys of the manifest after `last`. */
  beyond = 0;
  #failed = 0;
  #held = 0;
  readonly #heldBefore: number;

  /** @param heldBefore objects that earlier runs of the same pass could not copy, without dropped ones */
  constructor(heldBefore = 0) {
    this.#heldBefore = heldBefore;
  }

  get missing(): number {
    return this.#failed + this.#held + this.#heldBefore;
  }

  /** @param common the key is also at the destination or in the manifest */
  see(common: boolean, key?: string): void {
    this.seen++;
    if (common) {
      this.common++;
      this.staying++;
    }
    this.last = key ?? this.last;
    this.beyond = 0;
  }

  /** The filters exclude a key that was seen. @param common as for `see` */
  exclude(common: boolean): void {
    if (common) this.staying--;
  }

  /** The source does not have a key. */
  miss({ known }: { known: boolean }): void {
    if (known) this.beyond++;
  }

  /** An object could not be copied. */
  fail(): void {
    this.#failed++;
  }

  /** An object failed before and is not retried yet. */
  hold(): void {
    this.#held++;
  }

  /** The keys are listed again from the first one. */
  restart(): void {
    this.listed = 0;
    this.seen = this.common = this.staying = this.doomed = this.unseen = this.beyond = 0;
    this.last = undefined;
    this.#failed = this.#held = 0;
  }
}

/** Of both directions of a mirror: keys that either side has are counted once. */
export class MirrorCensus implements CensusView {
  /** Keys that were compared, deletes aside. */
  seen = 0;
  readonly #sides: readonly CensusView[];

  constructor(...sides: readonly CensusView[]) {
    this.#sides = sides;
  }

  restart(): void {
    this.seen = 0;
  }

  get listed(): number {
    return Math.max(...this.#sides.map(({ listed }) => listed));
  }

  get unseen(): number {
    return this.#sum('unseen');
  }

  get common(): number {
    return this.#sum('common');
  }

  get staying(): number {
    return this.#sum('staying');
  }

  get doomed(): number {
    return this.#sum('doomed');
  }

  get missing(): number {
    return this.#sum('missing');
  }

  #sum(name: 'unseen' | 'common' | 'staying' | 'doomed' | 'missing'): number {
    return this.#sides.reduce((sum, side) => sum + side[name], 0);
  }
}
