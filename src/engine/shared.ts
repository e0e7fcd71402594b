/** What concurrent runs of one process over one open pair share. */
import type { Reporter, RunEvent } from './events.js';
import { Ledger, SharedCount } from './flow/account.js';
import { MemoryBudget } from './flow/budget.js';
import { Claims } from './flow/claims.js';
import type { Member } from './flow/fair.js';
import type { RunOptions } from './options.js';
import type { RunPair } from './pair.js';
import type { Means } from './transfer/means.js';
import { canPassPartsOn } from './transfer/part-in-pieces.js';
import { PIPE_BYTES } from './transfer/pipe.js';
import { AGAIN_BYTES, canReadAgain } from './transfer/read-again.js';
import { Slots } from './transfer/slots.js';
import { type Pilot, pilotFor } from './tune/pilot.js';

/** Passes over other pairs that are likely to keep idle memory at the same time. */
const PASSES = 16;

/** What one pair has of the slots and the memory of the whole process. */
export interface Share {
  parts: Member;
  objects: Member;
  memory: Member;
}

/** Bytes that a part in flight takes while memory is short; undefined: it is held whole, or none is. */
function partMemoryOf(means: Pick<Means, 'source' | 'dest' | 'unverified'>): number | undefined {
  if (canReadAgain(means)) return AGAIN_BYTES;
  return canPassPartsOn(means) && !means.dest.capabilities.hashesParts ? PIPE_BYTES : undefined;
}

export class Shared {
  readonly claims = new Claims();
  readonly budget: MemoryBudget;
  /** Of the budget. */
  readonly ledger: Ledger;
  /** The ledger's count, which workers share; absent if there are none. */
  readonly count: SharedCount | undefined;
  readonly slots: Slots;
  readonly #pilot: Pilot | undefined;
  readonly #share: Share | undefined;
  #running = 0;

  /**
   * @param report receives the tuner's settings
   * @param share of what all pairs of the process have; threads of the pair have their own
   */
  constructor(pair: RunPair, options: RunOptions, report: Reporter, share?: (options: RunOptions) => Share) {
    const near = { source: pair.source.store.capabilities.local, dest: pair.dest.store.capabilities.local };
    this.count = pair.workers && new SharedCount();
    this.ledger = new Ledger(options.maxMemory, this.count);
    this.#share = pair.workers || pair.fleet ? undefined : share?.(options);
    const { memory } = this.#share ?? {};
    const threads = memory ? PASSES : 1 + (pair.workers?.most ?? 0);
    this.budget = new MemoryBudget(memory?.most ?? options.maxMemory, { account: memory ?? this.ledger, threads });
    // The workers of a queue have slots of their own.
    const slots = pair.fleet ? { transfers: pair.fleet.objects, partConcurrency: 1 } : options;
    this.slots = new Slots(slots, near, undefined, this.#share);
    // What shares its memory with other pairs never has half of it.
    const unverified = options.ignoreChecksum === true ? true : undefined;
    const means = { source: pair.source.store, dest: pair.dest.store, unverified } as const;
    this.#pilot = pilotFor(pair, options, this.slots, report, this.#share ? undefined : partMemoryOf(means));
  }

  /** A run begins. The tuner runs from the start of the first one to the end of the last one. */
  enter(): void {
    this.#running++;
    if (this.#running === 1) this.#pilot?.start();
  }

  leave(): void {
    this.#running--;
    if (this.#running > 0) return;
    this.#pilot?.land();
    if (this.#share) this.budget.trim();
  }

  /** No more runs begin: gives up its share. */
  close(): void {
    for (const member of Object.values(this.#share ?? {})) member.leave();
  }

  /** Takes the retries of all runs, which use the same line. */
  hear(event: RunEvent): void {
    this.#pilot?.hear(event);
  }
}
