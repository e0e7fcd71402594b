import { Bell, type Clock, systemClock } from './clock.js';
import type { ChangeBatch, ChangeEvent } from './feed.js';

export interface InboxOptions {
  /** Events that may be in memory, those handed out included. One batch is taken whatever its size. */
  limit: number;
  /** Pause before released events are handed out again, in milliseconds. */
  againMs: number;
  clock?: Clock;
}

/**
 * The bounded memory between senders that cannot be asked to send again (HTTP calls already answered, lines already
 * read) and the reader of a feed. Released events are handed out again.
 */
export class Inbox {
  readonly #limit: number;
  readonly #againMs: number;
  readonly #clock: Clock;
  readonly #bell = new Bell();
  readonly #waiting: (readonly ChangeEvent[])[] = [];
  readonly #pauses = new Set<() => void>();
  #held = 0;
  #ended = false;

  constructor({ limit, againMs, clock = systemClock }: InboxOptions) {
    this.#limit = limit;
    this.#againMs = againMs;
    this.#clock = clock;
  }

  /** Takes the events, or says false where there is no room for them. */
  offer(events: readonly ChangeEvent[]): boolean {
    if (events.length === 0) return true;
    if (this.#held > 0 && this.#held + events.length > this.#limit) return false;
    this.#held += events.length;
    this.#waiting.push(events);
    this.#bell.ring();
    return true;
  }

  /** Takes the events as soon as there is room; false where the signal fired before. */
  async put(events: readonly ChangeEvent[], signal: AbortSignal): Promise<boolean> {
    while (!this.offer(events)) {
      await this.#bell.wait(signal);
      if (signal.aborted) return false;
    }
    return true;
  }

  /** Nothing more will be offered: the batches end when the last one is done. */
  end(): void {
    this.#ended = true;
    this.#bell.ring();
  }

  /** Forgets all, and leaves no timer behind. */
  close(): void {
    for (const cancel of this.#pauses) cancel();
    this.#pauses.clear();
    this.#waiting.length = 0;
    this.#held = 0;
    this.end();
  }

  async *batches(signal: AbortSignal): AsyncGenerator<ChangeBatch> {
    while (!signal.aborted) {
      const events = this.#waiting.shift();
      if (events !== undefined) yield this.#batch(events);
      else if (this.#ended && this.#held === 0) return;
      else await this.#bell.wait(signal);
    }
  }

  #batch(events: readonly ChangeEvent[]): ChangeBatch {
    let settled = false;
    const once = (settle: () => void) => async () => {
      if (settled) return;
      settled = true;
      settle();
    };
    return {
      events,
      done: once(() => {
        this.#held -= events.length;
        this.#bell.ring();
      }),
      release: once(() => {
        const cancel = this.#clock.after(this.#againMs, () => {
          this.#pauses.delete(cancel);
          this.#waiting.push(events);
          this.#bell.ring();
        });
        this.#pauses.add(cancel);
      }),
    };
  }
}
