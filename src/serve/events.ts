/**
 * One source of change events for many rules. Each rule takes a batch at its own pace: what one of them could not handle
 * is delivered to it again, and to no other. A rule that is far behind loses its oldest batches, which its next listing
 * makes up for.
 * Tests: test/serve/events.test.ts
 */
import type { Changes } from '../engine/watch/watch.js';

/** Events that wait for one rule, or for being delivered to it again. */
const MOST_WAITING = 10_000;
/** Before what a rule could not handle is delivered to it again. */
const AGAIN_MS = 5000;

export class EventHub {
  readonly #readers = new Set<Reader>();

  /** Delivers everything to everybody, until the changes end. */
  async follow(changes: AsyncIterable<Changes>): Promise<void> {
    for await (const batch of changes) this.#deliver(batch);
  }

  /** The changes from now on, until the signal fires. */
  async *read(signal: AbortSignal): AsyncGenerator<Changes> {
    const reader = new Reader(signal);
    this.#readers.add(reader);
    try {
      yield* reader.batches();
    } finally {
      this.#readers.delete(reader);
      reader.close();
    }
  }

  #deliver(batch: Changes): void {
    let open = this.#readers.size;
    if (open === 0) return void batch.done();
    const settled = (): void => {
      if (--open === 0) void batch.done();
    };
    for (const reader of this.#readers) reader.offer({ events: batch.events, settled });
  }
}

interface Delivery {
  events: Changes['events'];
  settled(): void;
}

class Reader {
  readonly #signal: AbortSignal;
  readonly #waiting: Delivery[] = [];
  readonly #pauses = new Map<NodeJS.Timeout, Delivery>();
  #events = 0;
  #wake = (): void => {};

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  offer(delivery: Delivery): void {
    this.#waiting.push(delivery);
    this.#events += delivery.events.length;
    while (this.#events > MOST_WAITING && this.#waiting.length > 1) this.#shift()?.settled();
    this.#wake();
  }

  async *batches(): AsyncGenerator<Changes> {
    const end = (): void => this.#wake();
    this.#signal.addEventListener('abort', end);
    try {
      while (!this.#signal.aborted) {
        const next = this.#shift();
        if (next) yield this.#changesOf(next);
        else
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
      }
    } finally {
      this.#signal.removeEventListener('abort', end);
    }
  }

  /** What waits for this reader is for its next listing. */
  close(): void {
    for (const [timer, { settled }] of this.#pauses) {
      clearTimeout(timer);
      settled();
    }
    for (const { settled } of this.#waiting.splice(0)) settled();
  }

  #shift(): Delivery | undefined {
    const next = this.#waiting.shift();
    if (next) this.#events -= next.events.length;
    return next;
  }

  #changesOf(delivery: Delivery): Changes {
    let open = true;
    const once = (act: () => void): Promise<void> => {
      if (open) act();
      open = false;
      return Promise.resolve();
    };
    return {
      events: delivery.events,
      done: () => once(delivery.settled),
      release: () => once(() => this.#again(delivery)),
    };
  }

  #again(delivery: Delivery): void {
    const events = delivery.events.length;
    if (this.#signal.aborted || this.#events + events > MOST_WAITING) {
      delivery.settled();
      return;
    }
    this.#events += events;
    const timer = setTimeout(() => {
      this.#pauses.delete(timer);
      this.#events -= events;
      this.offer(delivery);
    }, AGAIN_MS);
    this.#pauses.set(timer.unref(), delivery);
  }
}
