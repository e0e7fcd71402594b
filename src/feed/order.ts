import type { ChangeEvent } from './feed.js';

/**
 * Orders two sequencers of one key: negative, zero or positive; undefined where one of them is not hexadecimal, so that
 * it orders nothing. Lengths differ: the shorter one is padded with zeros on the *right*, and then they are compared as
 * text (AWS, "Event message structure": "first right pad the shorter value with zeros, and then do a lexicographical
 * comparison"). MinIO's are the time in hexadecimal, all of one length.
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
 * The later one of two events of one key: by sequencer, else by the store's clock, else the one that came later.
 * `next` came after `earlier`.
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

/** One name for one key of one bucket. No bucket's name holds a line break. */
export function keyOf({ bucket = '', key }: ChangeEvent): string {
  return `${bucket}\n${key}`;
}

/**
 * Remembers the newest sequencer that was handled of each key, for as many keys as it may, and forgets first what was
 * longest not asked for. What it has forgotten is handled once more, which costs a look at the store.
 */
export class EventOrder {
  readonly #limit: number;
  readonly #newest = new Map<string, string>();

  constructor(limit = 100_000) {
    this.#limit = limit;
  }

  /** True for an event whose key was handled as late as this event or later. Without a sequencer nothing is old. */
  isOld(event: ChangeEvent): boolean {
    const name = keyOf(event);
    const newest = this.#newest.get(name);
    if (newest === undefined || event.sequencer === undefined) return false;
    this.#remember(name, newest);
    const order = compareSequencers(event.sequencer, newest);
    return order !== undefined && order <= 0;
  }

  /** To be told when the event was done, not when it came: one that failed must come through again. */
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
