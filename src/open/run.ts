/** A run as a program sees it: its events and its summary. */

/** The number of events that were dropped because they were not read in time. */
export interface Dropped {
  type: 'dropped';
  events: number;
}

/**
 * A run in progress. Both parts are optional: events are discarded while nobody iterates, and an iteration throws the
 * error of the run, so that the summary need not be awaited.
 */
export interface Run<E, S> extends AsyncIterable<E | Dropped> {
  readonly summary: Promise<S>;
}

/** Maximum number of events queued for one reader. */
const MOST_WAITING = 10_000;

/** The lowest rank is dropped first when there are too many events; others have rank 1. */
const RANKS: Readonly<Record<string, number>> = { progress: 0, listed: 0, failed: 2, end: 3 };

interface Numbered<E> {
  number: number;
  event: E;
}

/** First in, first out, in constant time. */
class Line<E> {
  #items: Numbered<E>[] = [];
  #head = 0;

  get first(): Numbered<E> | undefined {
    return this.#items[this.#head];
  }

  add(item: Numbered<E>): void {
    this.#items.push(item);
  }

  shift(): void {
    this.#head++;
    if (2 * this.#head < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}

/** The queued events of one reader, in order and in bounded memory. */
export class EventQueue<E extends { type: string }> {
  /** By rank. */
  readonly #lines: readonly Line<E>[] = [new Line(), new Line(), new Line(), new Line()];
  readonly #most: number;
  #next = 0;
  #count = 0;
  #dropped = 0;
  #wake: () => void = () => {};

  constructor(most = MOST_WAITING) {
    this.#most = most;
  }

  push(event: E): void {
    this.#lines[RANKS[event.type] ?? 1]?.add({ number: this.#next++, event });
    this.#count++;
    if (this.#count > this.#most) {
      this.#take(this.#lines.find(({ first }) => first !== undefined));
      this.#dropped++;
    }
    this.#wake();
  }

  wake(): void {
    this.#wake();
  }

  /** Until `isOver`, and everything has been taken. */
  async *read(isOver: () => boolean): AsyncGenerator<E | Dropped, void, void> {
    for (;;) {
      if (this.#dropped > 0) {
        const events = this.#dropped;
        this.#dropped = 0;
        yield { type: 'dropped', events };
      }
      const event = this.#take(this.#oldest());
      if (event) {
        yield event;
      } else if (isOver()) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #oldest(): Line<E> | undefined {
    const numberOf = (line: Line<E>): number => line.first?.number ?? Number.POSITIVE_INFINITY;
    return this.#lines.reduce((a, b) => (numberOf(b) < numberOf(a) ? b : a));
  }

  #take(line: Line<E> | undefined): E | undefined {
    const taken = line?.first;
    if (!taken) return undefined;
    line?.shift();
    this.#count--;
    return taken.event;
  }
}

/** Starts the body at once. An iteration receives the events after its start; leaving it does not end the run. */
export function startRun<E extends { type: string }, S>(body: (report: (event: E) => void) => Promise<S>): Run<E, S> {
  const queues = new Set<EventQueue<E>>();
  let over = false;
  const report = (event: E): void => {
    for (const queue of queues) queue.push(event);
  };
  const summary = body(report).finally(() => {
    over = true;
    for (const queue of queues) queue.wake();
  });
  async function* iterate(queue: EventQueue<E>): AsyncGenerator<E | Dropped, void, void> {
    try {
      yield* queue.read(() => over);
      await summary;
    } finally {
      queues.delete(queue);
    }
  }
  return {
    summary,
    [Symbol.asyncIterator]() {
      const queue = new EventQueue<E>();
      queues.add(queue);
      // The iteration throws it.
      summary.catch(() => undefined);
      return iterate(queue);
    },
  };
}
