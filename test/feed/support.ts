import type { Clock } from '../../src/feed/clock.js';
import type { ChangeBatch, ChangeEvent } from '../../src/feed/feed.js';

/** Time that stands still until a test moves it. */
export class TestClock implements Clock {
  #now = 0;
  #timers: { atMs: number; run: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { atMs: this.#now + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  /** Moves on and lets everything happen that follows. */
  async advance(ms: number): Promise<void> {
    this.#now += ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#now);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.#now);
    for (const { run } of due) run();
    await settle();
  }
}

/** Lets all that waits for promises happen. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function created(key: string, more: Partial<ChangeEvent> = {}): ChangeEvent {
  return { key, kind: 'created', ...more };
}

export function removed(key: string, more: Partial<ChangeEvent> = {}): ChangeEvent {
  return { key, kind: 'removed', ...more };
}

/** A source whose batches come when the test sends them, and come again when they are released. */
export class Sender {
  readonly done: (readonly ChangeEvent[])[] = [];
  readonly released: (readonly ChangeEvent[])[] = [];
  #waiting: ChangeBatch[] = [];
  #wake: () => void = () => {};
  #ended = false;

  send(...events: ChangeEvent[]): void {
    this.#waiting.push({
      events,
      done: async () => {
        this.done.push(events);
      },
      release: async () => {
        this.released.push(events);
      },
    });
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *batches(): AsyncGenerator<ChangeBatch> {
    for (;;) {
      const batch = this.#waiting.shift();
      if (batch !== undefined) yield batch;
      else if (this.#ended) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
