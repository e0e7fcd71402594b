/** The log of runs over changed keys: one line an interval. */
import type { Summary } from '../../engine/events.js';
import { formatBytes, formatCount, formatDuration, plural } from './format.js';

type Totals = { copied: { objects: number; bytes: number }; deleted: number; failed: number };

const none = (): Totals => ({ copied: { objects: 0, bytes: 0 }, deleted: 0, failed: 0 });

/**
 * Prints what the first run did at once, and then what all runs of an interval did together: every change event makes a
 * run, and a line for each would fill the log.
 */
export class ChangeLines {
  readonly #intervalMs: number;
  readonly #print: (text: string) => void;
  readonly #now: () => number;
  #totals = none();
  #sinceMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    intervalMs: number,
    print: (text: string) => void,
    now: () => number = performance.now.bind(performance),
  ) {
    this.#intervalMs = intervalMs;
    this.#print = print;
    this.#now = now;
  }

  add({ copied, deleted, failed, elapsedMs }: Summary): void {
    if (copied.objects + deleted.objects + failed.objects === 0) return;
    const totals = this.#totals;
    totals.copied.objects += copied.objects;
    totals.copied.bytes += copied.bytes;
    totals.deleted += deleted.objects;
    totals.failed += failed.objects;
    if (this.#timer !== undefined) return;
    this.#sinceMs = this.#now() - elapsedMs;
    this.flush();
    this.#wait();
  }

  /** For an interval, and for another one whenever there was something to print. */
  #wait(): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.flush()) this.#wait();
    }, this.#intervalMs).unref();
  }

  /** Prints what was not printed yet. @returns whether there was something */
  flush(): boolean {
    const { copied, deleted, failed } = this.#totals;
    const nowMs = this.#now();
    const some = copied.objects + deleted + failed > 0;
    if (some) {
      const text = [
        `copied ${plural(copied.objects, 'object')}, ${formatBytes(copied.bytes)}`,
        ...(deleted > 0 ? [`deleted ${formatCount(deleted)}`] : []),
        `failed ${formatCount(failed)}`,
        formatDuration(nowMs - this.#sinceMs),
      ];
      this.#print(`Changes: ${text.join('; ')}`);
    }
    this.#totals = none();
    this.#sinceMs = nowMs;
    return some;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.flush();
  }
}
