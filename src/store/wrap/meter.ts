import type { ObjectStore } from '../port.js';
import { type Call, InterceptedStore } from './intercept.js';
import type { RequestKind } from './kinds.js';

/** What went over the wire: calls of the store that were begun, and payload bytes, those of failed calls included. */
export interface Counts {
  requests: Partial<Record<RequestKind, number>>;
  /** Read from the store. */
  bytesIn: number;
  /** Sent to the store. */
  bytesOut: number;
}

/** A store that counts. It belongs inside `retry`, so that every attempt counts. */
export class MeteredStore extends InterceptedStore {
  readonly #requests: Counts['requests'] = {};
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(inner: ObjectStore) {
    super(inner, (call, run) => {
      this.#requests[call.kind] = (this.#requests[call.kind] ?? 0) + 1;
      return run((bytes) => {
        this.#add(call, bytes);
        return call.pace?.(bytes);
      });
    });
  }

  /** A snapshot. */
  counts(): Counts {
    return { requests: { ...this.#requests }, bytesIn: this.#bytesIn, bytesOut: this.#bytesOut };
  }

  #add({ direction }: Call, bytes: number): void {
    if (direction === 'down') this.#bytesIn += bytes;
    else this.#bytesOut += bytes;
  }
}

export function meter(store: ObjectStore): MeteredStore {
  return new MeteredStore(store);
}
