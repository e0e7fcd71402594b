/**
 * The memory of one object's parts: whether a part is held whole, or written while it arrives through a pipe, and for which
 * part there is memory first.
 * Tests: test/engine/transfer/parts-to-services.test.ts
 */
import type { Lease } from '../flow/budget.js';
import type { Means } from './means.js';
import { canPassPartsOn } from './part-in-pieces.js';
import type { PartToRead } from './part-reads.js';
import { leasePipe, PIPE_BYTES } from './pipe.js';

/** A part that needs memory. */
export interface PartToHold extends PartToRead {
  /** Nothing was sent of it before, with which its bytes would have to be compared. */
  isNew: boolean;
}

export interface PartMemoryLease {
  lease: Lease;
  /** The memory is that of a pipe. */
  passedOn: boolean;
}

export class PartMemory {
  readonly #means: Means;
  readonly #allowed: () => boolean;
  #begun = false;
  /** Resolves when the parts that asked have their memory. */
  #granted: Promise<unknown> = Promise.resolve();
  #describe: () => void = () => undefined;
  readonly #described = new Promise<void>((resolve) => {
    this.#describe = resolve;
  });

  /**
   * @param allowed the source has described the object, and its checksum needs nothing of the parts but their own
   * checksums: they may be written while they arrive
   */
  constructor(means: Means, allowed: () => boolean) {
    this.#means = means;
    this.#allowed = allowed;
  }

  /** The source has described the object, or will not: whoever waited for that goes on. */
  described(): void {
    this.#describe();
  }

  /**
   * Memory for a part. Call in the order of the parts: it is granted in that order, so that no part waits for one that has
   * no memory yet.
   */
  take(part: PartToHold): Promise<PartMemoryLease> {
    const isFirst = !this.#begun;
    this.#begun = true;
    const taken = this.#granted.then(() => this.#lease(part, isFirst));
    // The caller hears the error.
    this.#granted = taken.catch(() => undefined);
    return taken;
  }

  /** The destination did not take the part through the pipe. */
  async takeWhole({ lease }: PartMemoryLease, size: number): Promise<PartMemoryLease> {
    lease.release();
    return { lease: await this.#means.budget.lease(size), passedOn: false };
  }

  /** The destination is a service, which may want a checksum before a part. */
  get isForService(): boolean {
    return this.#means.dest.capabilities.hashesParts !== true;
  }

  async #lease(part: PartToHold, isFirst: boolean): Promise<PartMemoryLease> {
    const { budget } = this.#means;
    const { size, spans } = part;
    // The first part is held: its response says what the others may do.
    if (!isFirst && this.isForService && this.#canPass(part)) await this.#described;
    const passes = this.#canPass(part) && this.#allowed();
    // A part that is read by several requests is held, if there is memory.
    const held = passes && spans ? budget.tryLease(size) : undefined;
    if (held || !passes) return { lease: held ?? (await budget.lease(size)), passedOn: false };
    return { lease: await leasePipe(budget), passedOn: true };
  }

  /**
   * Whether a part may be written while it arrives, as far as the stores and the memory go. To a service only while memory
   * is short, and not what a slow source brings in spans: it would get there no sooner.
   */
  #canPass({ size, spans, isNew }: PartToHold): boolean {
    if (!isNew || size <= PIPE_BYTES || !canPassPartsOn(this.#means)) return false;
    if (!this.isForService) return true;
    const { budget, refusals } = this.#means;
    return budget.isShort && !spans && !refusals.has('unchecked-part');
  }
}
