/** Performs tickets. The only adapter runs in this thread. Tests: test/engine/transfer/backup.test.ts */
import type { Outcome } from '../../model/outcome.js';
import type { CopyTicket, DeleteTicket, MarkerTicket } from '../../model/ticket.js';
import type { ObjectStore } from '../../store/port.js';
import type { Lanes, Queued } from '../flow/lanes.js';
import { EtagTrust } from './etag-trust.js';
import type { Means } from './means.js';
import { perform, performDeletes, performMarker } from './perform.js';

/** Performs a ticket. @throws faults that end the run */
export type Perform = (ticket: CopyTicket) => Promise<Outcome>;

export interface Executor {
  /**
   * Queues one object and waits while the queue is full. Calls `turn` when its turn comes, which must not reject: it
   * plans the ticket, performs it, again whenever the source changes, and records the outcome.
   */
  queue(object: Queued, turn: (perform: Perform) => Promise<void>): Promise<void>;
  /** Performs tickets whose source is in another store than that of the run. */
  from(source: ObjectStore): Perform;
  /** Deletes as many objects as one request takes. @throws faults that end the run */
  delete(tickets: readonly DeleteTicket[]): Promise<Outcome[]>;
  /** Adds a delete marker. @throws faults that end the run */
  mark(ticket: MarkerTicket): Promise<Outcome>;
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

  from(source: ObjectStore): Perform {
    const { etags } = this.#means;
    const means = { ...this.#means, source, etags: { ...etags, source: new EtagTrust() } };
    return (ticket) => perform(ticket, means);
  }

  delete(tickets: readonly DeleteTicket[]): Promise<Outcome[]> {
    return performDeletes(tickets, this.#means);
  }

  mark(ticket: MarkerTicket): Promise<Outcome> {
    return performMarker(ticket, this.#means);
  }

  drain(): Promise<void> {
    return this.#lanes.drain();
  }
}
