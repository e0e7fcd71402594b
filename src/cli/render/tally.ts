/** Where a run is: what progress bars, statistics lines and JSON statistics show. */
import type { RunEvent } from '../../engine/events.js';
import { Fold } from '../../engine/record/fold.js';
import type { InFlight } from '../../engine/record/pending.js';
import { Rate } from '../../engine/record/rate.js';

export interface Status {
  dryRun: boolean;
  listed: { source: number; destination: number };
  /** The source has been listed whole, so the totals are final. */
  sourceListed: boolean;
  /** Objects and bytes that are to be copied, as far as they are known. */
  planned: { objects: number; bytes: number };
  copied: { objects: number; bytes: number };
  /** Bytes of the planned that are at the destination, objects in flight included. */
  doneBytes: number;
  skipped: number;
  failed: number;
  retries: number;
  /** Over the last seconds, on the wire. */
  bytesPerSecond: number;
  objectsPerSecond: number;
  /** Milliseconds; undefined while nothing moves. A lower bound until `sourceListed`. */
  etaMs?: number;
  elapsedMs: number;
}

/** Of one run, or of all runs of a watch. */
export class Tally {
  readonly #now: () => number;
  readonly #startedMs: number;
  readonly #fold = new Fold();
  readonly #rate: Rate;
  /** Remains set while a watch lists the source again. */
  #sourceListed = false;

  /** `now` gives milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#startedMs = now();
    this.#rate = new Rate(this.#startedMs);
  }

  hear(event: RunEvent): void {
    const fold = this.#fold;
    fold.hear(event);
    if (event.type === 'listed') this.#sourceListed ||= fold.sourceListed;
    if (event.type === 'progress' || event.type === 'copied') {
      this.#rate.sample(this.#now(), fold.sums.copied.objects, fold.sent);
    }
  }

  status(): Status {
    const now = this.#now();
    const { pending, sent, sums } = this.#fold;
    const { listed, copied, skipped, failed, retries } = sums;
    const open = pending.sums();
    const rate = this.#rate.perSecond(now, copied.objects, sent);
    const left = Math.max(0, open.bytes - open.sent);
    return {
      dryRun: pending.dryRun,
      listed: { ...listed },
      sourceListed: this.#sourceListed,
      planned: { objects: copied.objects + open.objects, bytes: copied.bytes + open.bytes },
      copied: { ...copied },
      doneBytes: copied.bytes + open.sent,
      skipped: skipped.objects,
      failed: failed.objects,
      retries,
      bytesPerSecond: rate.bytes,
      objectsPerSecond: rate.objects,
      ...(rate.bytes > 0 ? { etaMs: (left / rate.bytes) * 1000 } : {}),
      elapsedMs: now - this.#startedMs,
    };
  }

  /** The largest objects in flight, at most `limit`. */
  inFlight(limit: number): InFlight[] {
    return this.#fold.pending.inFlight.sort((a, b) => b.size - a.size).slice(0, limit);
  }
}
