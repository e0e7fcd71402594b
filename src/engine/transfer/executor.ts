/** Performs tickets. This adapter runs in this thread. Tests: test/engine/transfer/backup.test.ts */
import type { Outcome } from '../../model/outcome.js';
import type { CopyTicket, DeleteTicket, DeleteVersionTicket, MarkerTicket } from '../../model/ticket.js';
import type { ObjectStore } from '../../store/port.js';
import type { Lanes, Queued } from '../flow/lanes.js';
import { EtagTrust } from './etag-trust.js';
import type { Means } from './means.js';
import { type Deleting, perform, performDeletes, performMarker, performVersionDelete } from './perform.js';
import { type Refreshed, refreshAttributes } from './refresh.js';

/** Performs a ticket. @throws faults that end the run */
export type Perform = (ticket: CopyTicket) => Promise<Outcome>;

export interface Executor {
  /** A run begins: takes up what an earlier life of this program has left. */
  open(): Promise<void>;
  /**
   * Queues one object. Returns a promise to wait for if the queue is full. Calls `turn` when its turn comes, which must not reject: it
   * plans the ticket, performs it, again whenever the source changes, and records the outcome.
   */
  queue(object: Queued, turn: (perform: Perform) => Promise<void>): Promise<void> | undefined;
  /** Performs tickets whose source is in another store than that of the run. */
  from(source: ObjectStore): Perform;
  /** Sets attributes that differ, without sending the bytes; a dry run compares only. @throws as `refreshAttributes` */
  refresh(ticket: CopyTicket, dryRun: boolean): Promise<Refreshed>;
  /** Deletes as many objects as one request takes. @throws faults that end the run */
  delete(tickets: readonly DeleteTicket[]): Promise<Outcome[]>;
  /** Adds a delete marker. @throws faults that end the run */
  mark(ticket: MarkerTicket): Promise<Outcome>;
  /** Deletes a version for good. @throws faults that end the run */
  deleteVersion(ticket: DeleteVersionTicket): Promise<Outcome>;
  /** Waits for everything that was queued. */
  drain(): Promise<void>;
  /** The run is over. */
  close(): void;
}

export class InThisThread implements Executor {
  readonly #lanes: Lanes;
  readonly #means: Means & Deleting;

  constructor(means: Means & Deleting, lanes: Lanes) {
    this.#lanes = lanes;
    this.#means = means;
  }

  async open(): Promise<void> {
    // Nothing is left in this thread.
  }

  queue(object: Queued, turn: (perform: Perform) => Promise<void>): Promise<void> | undefined {
    return this.#lanes.push(object, (opened) => turn(this.performing(opened)));
  }

  /** @param opened as in Means */
  protected performing(opened?: () => void): Perform {
    const means = opened ? { ...this.#means, opened } : this.#means;
    return (ticket) => perform(ticket, means);
  }

  from(source: ObjectStore): Perform {
    const { etags } = this.#means;
    const means = { ...this.#means, source, etags: { ...etags, source: new EtagTrust() } };
    return (ticket) => perform(ticket, means);
  }

  refresh(ticket: CopyTicket, dryRun: boolean): Promise<Refreshed> {
    return refreshAttributes(this.#means, ticket, dryRun);
  }

  delete(tickets: readonly DeleteTicket[]): Promise<Outcome[]> {
    return performDeletes(tickets, this.#means);
  }

  mark(ticket: MarkerTicket): Promise<Outcome> {
    return performMarker(ticket, this.#means);
  }

  deleteVersion(ticket: DeleteVersionTicket): Promise<Outcome> {
    return performVersionDelete(ticket, this.#means);
  }

  drain(): Promise<void> {
    return this.#lanes.drain();
  }

  close(): void {
    // Nothing is left of the run in this thread.
  }
}
