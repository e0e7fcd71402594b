/** What concurrent runs of one process over one open pair share. */
import type { Reporter, RunEvent } from './events.js';
import { Ledger, SharedCount } from './flow/account.js';
import { MemoryBudget } from './flow/budget.js';
import { Claims } from './flow/claims.js';
import type { RunOptions } from './options.js';
import type { RunPair } from './pair.js';
import { Slots } from './transfer/slots.js';
import { type Pilot, pilotFor } from './tune/pilot.js';

export class Shared {
  readonly claims = new Claims();
  readonly budget: MemoryBudget;
  /** Of the budget. */
  readonly ledger: Ledger;
  /** The ledger's count, which workers share; absent if there are none. */
  readonly count: SharedCount | undefined;
  readonly slots: Slots;
  readonly #pilot: Pilot | undefined;
  #running = 0;

  /** @param report receives the tuner's settings */
  constructor(pair: RunPair, options: RunOptions, report: Reporter) {
    const near = { source: pair.source.store.capabilities.local, dest: pair.dest.store.capabilities.local };
    this.count = pair.workers && new SharedCount();
    this.ledger = new Ledger(options.maxMemory, this.count);
    const threads = 1 + (pair.workers?.most ?? 0);
    this.budget = new MemoryBudget(options.maxMemory, { account: this.ledger, threads });
    // The workers have slots of their own.
    this.slots = new Slots(pair.fleet ? { transfers: pair.fleet.objects, partConcurrency: 1 } : options, near);
    this.#pilot = pilotFor(pair, options, this.slots, report);
  }

  /** A run begins. The tuner runs from the start of the first one to the end of the last one. */
  enter(): void {
    this.#running++;
    if (this.#running === 1) this.#pilot?.start();
  }

  leave(): void {
    this.#running--;
    if (this.#running === 0) this.#pilot?.land();
  }

  /** Takes the retries of all runs, which use the same line. */
  hear(event: RunEvent): void {
    this.#pilot?.hear(event);
  }
}
