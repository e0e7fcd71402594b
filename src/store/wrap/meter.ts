/** Tests: test/store/wrap/intercept.test.ts */

import type { ObjectStore, RequestKind } from '../port.js';
import { type Call, InterceptedStore } from './intercept.js';

/** Requests that were sent, and payload bytes moved, including those of failed calls. */
export interface Counts {
  requests: Partial<Record<RequestKind, number>>;
  /** Read from the store. */
  bytesIn: number;
  /** Sent to the store. */
  bytesOut: number;
}

/** Counts of one or more metered stores. */
export class Sum {
  readonly #requests: Counts['requests'] = {};
  #bytesIn = 0;
  #bytesOut = 0;

  addRequest(kind: RequestKind): void {
    this.#requests[kind] = (this.#requests[kind] ?? 0) + 1;
  }

  add({ requests, bytesIn, bytesOut }: Counts): void {
    for (const [kind, count] of Object.entries(requests)) {
      const name = kind as RequestKind;
      this.#requests[name] = (this.#requests[name] ?? 0) + count;
    }
    this.#bytesIn += bytesIn;
    this.#bytesOut += bytesOut;
  }

  addBytes(direction: Call['direction'], bytes: number): void {
    if (direction === 'down') this.#bytesIn += bytes;
    else this.#bytesOut += bytes;
  }

  /** A snapshot. */
  counts(): Counts {
    return { requests: { ...this.#requests }, bytesIn: this.#bytesIn, bytesOut: this.#bytesOut };
  }
}

/** A store that counts its requests. Belongs inside `retry`, so that every attempt is counted. */
export class MeteredStore extends InterceptedStore {
  readonly #own = new Sum();

  /** @param total also counts the calls */
  constructor(inner: ObjectStore, total?: Sum) {
    super(inner, (call, run) => {
      const onRequest = (kind: RequestKind): void => {
        this.#own.addRequest(kind);
        total?.addRequest(kind);
      };
      const { countsRequests } = inner.capabilities;
      if (!countsRequests) onRequest(call.kind);
      const pace = (bytes: number) => {
        this.#own.addBytes(call.direction, bytes);
        total?.addBytes(call.direction, bytes);
        return call.pace?.(bytes);
      };
      return run(pace, countsRequests && onRequest);
    });
  }

  /** Counts calls that were made elsewhere. */
  add(counts: Counts): void {
    this.#own.add(counts);
  }

  /** A snapshot. */
  counts(): Counts {
    return this.#own.counts();
  }
}

export function meter(store: ObjectStore, total?: Sum): MeteredStore {
  return new MeteredStore(store, total);
}

export const NOTHING: Counts = { requests: {}, bytesIn: 0, bytesOut: 0 };

/** What was counted since; undefined if nothing was. */
export function difference(now: Counts, before: Counts): Counts | undefined {
  const requests: Counts['requests'] = {};
  let changed = now.bytesIn !== before.bytesIn || now.bytesOut !== before.bytesOut;
  for (const [name, count] of Object.entries(now.requests)) {
    const kind = name as keyof Counts['requests'];
    const more = count - (before.requests[kind] ?? 0);
    if (more === 0) continue;
    requests[kind] = more;
    changed = true;
  }
  return changed
    ? { requests, bytesIn: now.bytesIn - before.bytesIn, bytesOut: now.bytesOut - before.bytesOut }
    : undefined;
}
