import type { ChangeEvent } from './feed.js';

/**
 * Orders two sequencers of one key: negative, zero or positive; undefined if one of them is not hexadecimal. The
 * shorter one is padded with zeros on the *right*, and then they are compared as text (AWS, "Event message structure":
 * "first right pad the shorter value with zeros, and then do a lexicographical comparison"). MinIO uses the time in
 * hexadecimal with a fixed length.
 */
export function compareSequencers(a: string, b: string): number | undefined {
  if (!HEXADECIMAL.test(a) || !HEXADECIMAL.test(b)) return undefined;
  const length = Math.max(a.length, b.length);
  const x = a.toLowerCase().padEnd(length, '0');
  const y = b.toLowerCase().padEnd(length, '0');
  return x < y ? -1 : Number(x > y);
}

const HEXADECIMAL = /^[0-9a-f]+$/i;

/**
 * The later of two events of one key: by sequencer, otherwise by the store's clock, otherwise by arrival.
 * `next` arrived after `earlier`.
 */
export function laterOf(earlier: ChangeEvent, next: ChangeEvent): ChangeEvent {
  return (compareEvents(next, earlier) ?? 0) < 0 ? earlier : next;
}

function compareEvents(a: ChangeEvent, b: ChangeEvent): number | undefined {
  if (a.sequencer !== undefined && b.sequencer !== undefined) {
    const order = compareSequencers(a.sequencer, b.sequencer);
    if (order !== undefined) return order;
  }
  if (a.atMs !== undefined && b.atMs !== undefined) return a.atMs - b.atMs;
  return undefined;
}

/** Identifies a key of a bucket. Bucket names cannot contain a line break. */
export function keyOf({ bucket = '', key }: ChangeEvent): string {
  return `${bucket}\n${key}`;
}

/**
 * Remembers the newest handled sequencer of each key, for a limited number of keys (least recently used ones are
 * dropped). An event of a dropped key is handled again, which costs one request to the store.
 */
export class EventOrder {
  readonly #limit: number;
  readonly #newest = new Map<string, string>();

  constructor(limit = 100_000) {
    this.#limit = limit;
  }

  /** True if this event or a later one of its key was handled. False without a sequencer. */
  isOld(event: ChangeEvent): boolean {
    const name = keyOf(event);
    const newest = this.#newest.get(name);
    if (newest === undefined || event.sequencer === undefined) return false;
    this.#remember(name, newest);
    const order = compareSequencers(event.sequencer, newest);
    return order !== undefined && order <= 0;
  }

  /** Call it when the event is done, not when it arrives, because a failed one must be delivered again. */
  handled(event: ChangeEvent): void {
    if (event.sequencer === undefined || !HEXADECIMAL.test(event.sequencer)) return;
    if (!this.isOld(event)) this.#remember(keyOf(event), event.sequencer);
  }

  #remember(name: string, sequencer: string): void {
    this.#newest.delete(name);
    this.#newest.set(name, sequencer);
    if (this.#newest.size <= this.#limit) return;
    for (const oldest of this.#newest.keys()) {
      this.#newest.delete(oldest);
      return;
    }
  }
}
