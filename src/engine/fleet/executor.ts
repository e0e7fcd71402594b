/**
 * Performs tickets on other machines. This process performs those that are rare, and shares a large object among all
 * machines: it has the upload, and they send the parts.
 */
import { toXsyncError } from '../../model/error.js';
import type { ObjectInfo } from '../../model/object.js';
import type { Outcome } from '../../model/outcome.js';
import type { CopyTicket } from '../../model/ticket.js';
import { endsRun } from '../flow/halt.js';
import type { Lanes } from '../flow/lanes.js';
import { type Limiter, limiter } from '../flow/queue.js';
import { InThisThread, type Perform } from '../transfer/executor.js';
import type { Means } from '../transfer/means.js';
import { type Deleting, perform } from '../transfer/perform.js';
import { SourceProof } from '../transfer/source-proof.js';
import { movesBytes } from '../workers/executor.js';
import type { FleetLink } from './port.js';

/** Objects with this many parts are shared among the machines. */
export const SHARED_FROM = 4;
/** Shared objects that are open at once. */
const MOST_SHARED = 32;
/** Tickets that this process performs at once. */
const MOST_HERE = 32;
/** Parts of all shared objects that are handed over at once. */
const MOST_PARTS = 2048;

export class InFleet extends InThisThread {
  readonly #means: Means & Deleting;
  readonly #link: FleetLink;
  readonly #here = limiter(MOST_HERE);
  readonly #shared = limiter(MOST_SHARED);
  readonly #parts: Limiter = limiter(MOST_PARTS);

  constructor(means: Means & Deleting, lanes: Lanes, link: FleetLink) {
    super(means, lanes);
    this.#means = means;
    this.#link = link;
  }

  override open(): Promise<void> {
    return this.#link.open();
  }

  protected override performing(opened?: () => void): Perform {
    const here = super.performing(opened);
    return (ticket) => {
      if (!movesBytes(ticket)) return this.#here(() => here(ticket));
      opened?.();
      return ticket.cut.parts < SHARED_FROM ? this.#link.perform(ticket) : this.#shared(() => this.#share(ticket));
    };
  }

  override async drain(): Promise<void> {
    await super.drain();
    await this.#link.drain();
  }

  override close(): void {
    this.#link.close();
  }

  /** One HEAD of the source more than in one process, whose first part brings the headers. */
  async #share(ticket: CopyTicket): Promise<Outcome> {
    if (this.#means.halt.stops('objects')) return { kind: 'unfinished' };
    const info = await this.#provable(ticket);
    if (!info) return this.#link.perform(ticket);
    const far = { info, limit: this.#parts, send: this.#link.sendPart };
    return perform(ticket, { ...this.#means, far });
  }

  /**
   * What the source says of the object, if its checksum can be made of those of the parts. A checksum over all bytes in
   * their order can be computed only by one machine that reads them all.
   */
  async #provable(ticket: CopyTicket): Promise<ObjectInfo | undefined> {
    const { source, halt } = this.#means;
    const { key, versionId } = ticket.source;
    try {
      const info = await source.head(key, { versionId, signal: halt.signal });
      const proof = new SourceProof(ticket);
      await proof.learn(info.checksums, async () => ({}));
      return proof.isOfParts ? info : undefined;
    } catch (error) {
      if (halt.signal.aborted || endsRun(toXsyncError(error))) throw error;
      // The machine that performs the ticket meets it, too, and handles it.
      return undefined;
    }
  }
}
