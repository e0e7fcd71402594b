/** Tests: test/feed/lines.test.ts */
import { Bell, type Clock, systemClock } from './clock.js';
import type { ChangeBatch, ChangeEvent } from './feed.js';

export interface InboxOptions {
  /** Maximum number of events in memory, including delivered ones. A single batch may exceed it. */
  limit: number;
  /** Pause before released events are delivered again, in milliseconds. */
  againMs: number;
  clock?: Clock;
}

/**
 * A bounded buffer between senders that cannot resend (answered HTTP calls, lines that were read) and the reader of a
 * feed. Released events are delivered again.
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

  /** Takes the events. Returns false if there is no room. */
  offer(events: readonly ChangeEvent[]): boolean {
    if (events.length === 0) return true;
    if (this.#held > 0 && this.#held + events.length > this.#limit) return false;
    this.#held += events.length;
    this.#waiting.push(events);
    this.#bell.ring();
    return true;
  }

  /** Takes the events as soon as there is room. Returns false if the signal fires first. */
  async put(events: readonly ChangeEvent[], signal: AbortSignal): Promise<boolean> {
    while (!this.offer(events)) {
      await this.#bell.wait(signal);
      if (signal.aborted) return false;
    }
    return true;
  }

  /** No more events will be offered: the batches end when the last one is done. */
  end(): void {
    this.#ended = true;
    this.#bell.ring();
  }

  /** Drops all events and clears all timers. */
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
