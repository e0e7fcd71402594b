/** Who performs tickets. Today one adapter: this thread. */
import type { Outcome } from '../../model/outcome.js';
import type { CopyTicket, DeleteTicket } from '../../model/ticket.js';
import type { Lanes, Queued } from '../flow/lanes.js';
import type { Means } from './means.js';
import { perform, performDeletes } from './perform.js';

/** Has a ticket performed. @throws faults that end the run */
export type Perform = (ticket: CopyTicket) => Promise<Outcome>;

export interface Executor {
  /**
   * Queues one object and waits while the queue is full. When its turn comes, `turn` is called: it plans the ticket, has
   * it performed, and records the outcome. It never rejects.
   */
  queue(object: Queued, turn: (perform: Perform) => Promise<void>): Promise<void>;
  /** One request's worth of deletes. @throws faults that end the run */
  delete(tickets: readonly DeleteTicket[]): Promise<Outcome[]>;
  /** Waits for everything that was queued. */
  drain(): Promise<void>;
}

export class InThisThread implements Executor {
  readonly #lanes: Lanes;
  readonly #means: Means;

  constructor(means: Means) {
    this.#lanes = means.slots.lanes();
    this.#means = means;
  }

  queue(object: Queued, turn: (perform: Perform) => Promise<void>): Promise<void> {
    return this.#lanes.push(object, (opened) => {
      const means = opened ? { ...this.#means, opened } : this.#means;
      return turn((ticket) => perform(ticket, means));
    });
  }

  delete(tickets: readonly DeleteTicket[]): Promise<Outcome[]> {
    return performDeletes(tickets, this.#means);
  }

  drain(): Promise<void> {
    return this.#lanes.drain();
  }
}
