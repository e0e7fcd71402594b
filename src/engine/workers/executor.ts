/** Performs tickets in workers, and in this thread those that are rare. Tests: test/engine/workers/workers.test.ts */
import type { CopyTicket } from '../../model/ticket.js';
import type { Lanes } from '../flow/lanes.js';
import { InThisThread, type Perform } from '../transfer/executor.js';
import type { Means } from '../transfer/means.js';
import type { Deleting } from '../transfer/perform.js';
import type { Link } from './link.js';

export class InWorkers extends InThisThread {
  readonly #link: Link;

  constructor(means: Means & Deleting, lanes: Lanes, link: Link) {
    super(means, lanes);
    this.#link = link;
  }

  protected override performing(opened?: () => void): Perform {
    const here = super.performing(opened);
    return (ticket) => (movesBytes(ticket) ? this.#link.perform(ticket, opened) : undefined) ?? here(ticket);
  }

  override close(): void {
    this.#link.end();
  }
}

/** A copy by the service is cheap for this program, and only this thread opens the place of backups. */
export function movesBytes({ way, dest: { replaces, backup } }: CopyTicket): boolean {
  return way === 'client' && (replaces === undefined || backup === undefined);
}
