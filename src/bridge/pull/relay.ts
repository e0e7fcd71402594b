/**
 * A relay is a pulling end on a third host, between the two sides: it reads from the one and writes to the other, so that
 * each leg has a connection, and a congestion control, of its own. Nothing is kept on its disk but tickets and checkpoints.
 * Tests: test/bridge/pull/relay.test.ts
 */
import type { RunEvent } from '../../engine/events.js';
import { XsyncError } from '../../model/error.js';

/** What a relay sends on, which is paid for twice. */
export class Relayed {
  #objects = 0;
  #bytes = 0;

  hear(event: RunEvent): void {
    if (event.type !== 'copied') return;
    this.#objects++;
    this.#bytes += event.size;
  }

  /** `relayed 3 objects, 1234 bytes: …` */
  get text(): string {
    const cost = 'each byte left the source once and this host once';
    return `relayed ${this.#objects} ${this.#objects === 1 ? 'object' : 'objects'}, ${this.#bytes} bytes: ${cost}`;
  }
}

/** @throws usage: the destination is on this host, which is no relay then */
export function refuseOwnDisk(destination: string, { local }: { local: boolean }): void {
  if (!local) return;
  throw new XsyncError('usage', `${destination} is on this host: a relay sends on to another one`, {
    subject: destination,
    remedy: 'Name a bucket, or use "xsync bridge pull".',
  });
}
