/** Where objects wait for their turn. Tests: test/engine/tune/slots.test.ts */
import { type Limiter, limiter, Queue } from './queue.js';

/** Up to this size an object's time is spent on round trips; above, on its bytes, as for a part. */
const SMALL = 256 * 1024;
/** As many as connections. Large objects that may be open at once: those whose last parts are in flight, or that are being completed. */
const MOST_OPEN = 512;
/** Large objects known before they start: enough for the last waves of parts over slow connections. */
const MOST_WAITING = 512;

/** An object that waits: bytes, and whether the destination's service copies it. */
export interface Queued {
  size: number;
  byService: boolean;
}

/** Counts the time that small objects take. */
interface Timed {
  during(task: () => Promise<void>): Promise<void>;
}

/** The object's time is spent on round trips, or at the service. */
export function isSmall({ size, byService }: Queued): boolean {
  return byService || size <= SMALL;
}

/** Large objects that have not started. */
export class Waiting {
  readonly #objects = new Set<Queued>();
  /** Runs that may queue more. */
  feeders = 0;

  /** No more will come. */
  get all(): boolean {
    return this.feeders === 0;
  }

  /** Bytes of each. */
  get sizes(): number[] {
    return [...this.#objects].map(({ size }) => size);
  }

  add(object: Queued): void {
    this.#objects.add(object);
  }

  /** The object's parts have queued for their slots, or it needs none. */
  begun(object: Queued): void {
    this.#objects.delete(object);
  }
}

/** Starts an object; calls `opened` once its parts have queued for their slots. */
export type Start = (opened?: () => void) => Promise<void>;

/**
 * Small objects run in parallel. Large ones are opened one after the other, each when no part waits for a slot, so that
 * only as many are in progress as are needed to fill the slots. If `--transfers` fixes the number of objects, all run in
 * parallel.
 */
export class Lanes {
  readonly #small: Queue;
  readonly #openings = new Queue(limiter(1), MOST_WAITING);
  readonly #open = new Queue(limiter(MOST_OPEN));
  readonly #parts: Limiter;
  readonly #flow: Timed;
  readonly #waiting: Waiting;
  readonly #pinned: boolean;
  /** No more will come from this run. */
  #drained = false;

  constructor(objects: Limiter, parts: Limiter, flow: Timed, waiting: Waiting, pinned: boolean) {
    this.#small = new Queue(objects);
    this.#parts = parts;
    this.#flow = flow;
    this.#waiting = waiting;
    this.#pinned = pinned;
    waiting.feeders++;
  }

  /** @returns a promise to wait for if the lane is full */
  push(object: Queued, start: Start): Promise<void> | undefined {
    if (this.#pinned) return this.#small.push(() => start());
    if (isSmall(object)) return this.#small.push(() => this.#flow.during(start));
    if (this.#drained) this.#waiting.feeders++;
    this.#drained = false;
    this.#waiting.add(object);
    return this.#openings.push(() => this.#openNext(object, start));
  }

  /** Waits for all that was pushed. */
  async drain(): Promise<void> {
    if (!this.#drained) this.#waiting.feeders--;
    this.#drained = true;
    try {
      await this.#small.drain();
    } finally {
      await this.#openings.drain();
      await this.#open.drain();
    }
  }

  async #openNext(object: Queued, start: Start): Promise<void> {
    await this.#parts(async () => undefined);
    await new Promise<void>((opened, failed) => {
      this.#open.push(() => start(opened).finally(opened))?.catch(failed);
    });
    this.#waiting.begun(object);
  }
}
