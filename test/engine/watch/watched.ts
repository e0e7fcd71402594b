/** A watch that a test starts and ends, and its change events. */
import type { RunEvent } from '../../../src/engine/events.js';
import type { RunOptions } from '../../../src/engine/options.js';
import { type Changes, Watch, type WatchOptions } from '../../../src/engine/watch/watch.js';
import { OPTIONS, type Pair } from '../support.js';

const SCHEDULE = { intervalMs: 20, shortestMs: 10, longestMs: 40, fullMs: 200 };

/** Events that a test pushes, as a feed would. */
export class Feed {
  readonly settled: string[] = [];
  readonly #waiting: Changes[] = [];
  #wake: () => void = () => undefined;
  #ended = false;

  push(...keys: string[]): void {
    const settle = (how: string) => async () => void this.settled.push(`${how} ${keys}`);
    this.#waiting.push({ events: keys.map((key) => ({ key })), done: settle('done'), release: settle('release') });
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  readonly open = (signal: AbortSignal): AsyncIterable<Changes> => {
    signal.addEventListener('abort', () => this.end());
    return this.#read();
  };

  async *#read(): AsyncGenerator<Changes> {
    while (!this.#ended || this.#waiting.length > 0) {
      const batch = this.#waiting.shift();
      if (batch) yield batch;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** A watch of a pair in memory. */
export class Watched {
  readonly events: RunEvent[] = [];
  readonly watch: Watch;
  opened = 0;
  readonly #drain = new AbortController();
  #over: Promise<void> | undefined;

  constructor(
    readonly pair: Pair,
    options: Partial<Omit<WatchOptions, 'run'>> & { run?: Partial<RunOptions> } = {},
  ) {
    const { run, ...rest } = options;
    this.watch = new Watch(
      {
        run: { ...OPTIONS, command: 'watch', failedBefore: 'wait', ...run, drain: this.#drain.signal },
        schedule: SCHEDULE,
        driftMs: Number.POSITIVE_INFINITY,
        open: async () => {
          this.opened++;
          return { ...pair.open(), close: async () => undefined };
        },
        ...rest,
      },
      (event) => this.events.push(event),
    );
  }

  start(): this {
    this.#over = this.watch.run();
    this.#over.catch(() => undefined);
    return this;
  }

  async end(): Promise<void> {
    this.#drain.abort();
    await this.#over;
  }

  of<T extends RunEvent['type']>(type: T): Extract<RunEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<RunEvent, { type: T }> => event.type === type);
  }
}

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  // Shorter than the test's own time, so that a watch which hangs is told as that.
  for (const end = Date.now() + 240_000; Date.now() < end; ) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('it did not come to pass within four minutes');
}
