/**
 * How much a run may have in flight: part requests over all objects, and small objects. The tuner changes what the user
 * has not fixed.
 */

import type { CopyTicket } from '../../model/ticket.js';
import { type Limiter, limiter, Queue } from '../flow/queue.js';
import type { RunOptions } from '../options.js';
import { type Lone, partSizeAtEnd } from '../tune/end.js';
import { type Near, ObjectFlow, PartFlow } from '../tune/flow.js';
import { START } from '../tune/tune.js';
import { Races } from './race.js';

/** Up to this size an object's time is spent on round trips; above, on its bytes, as for a part. */
const SMALL = 256 * 1024;
/** Large objects that may be open at once: those whose last parts are in flight, or that are being completed. */
const MOST_OPEN = 256;
/** Large objects known before they start: enough for the last waves of parts over slow connections. */
const MOST_WAITING = 256;

export class Slots {
  readonly partFlow: PartFlow;
  readonly objectFlow: ObjectFlow;
  /** Second requests for parts that are far too slow. */
  readonly races: Races;
  readonly #waiting = new Waiting();
  #partSize: number | undefined;
  #lone: Lone | undefined;
  readonly #parts: Limiter;
  readonly #objects: Limiter;
  readonly #partsPerObject: number | undefined;
  readonly #pinned: boolean;
  /** False if `--transfers` and `--part-concurrency` together fix the number of parts. */
  readonly tunesParts: boolean;

  constructor(
    options: Pick<RunOptions, 'transfers' | 'partConcurrency'>,
    near?: Near,
    now: () => number = () => performance.now(),
  ) {
    const { transfers, partConcurrency } = options;
    this.partFlow = new PartFlow(now, near);
    this.objectFlow = new ObjectFlow(now);
    this.races = new Races(now);
    this.#pinned = transfers !== undefined;
    this.#partsPerObject = partConcurrency;
    const fixed = transfers !== undefined && partConcurrency !== undefined ? transfers * partConcurrency : undefined;
    this.#parts = limiter(fixed ?? START.parts);
    this.#objects = limiter(transfers ?? START.objects);
    this.tunesParts = fixed === undefined;
  }

  get tunesObjects(): boolean {
    return !this.#pinned;
  }

  /** Idle slots for parts. */
  get spare(): number {
    const { concurrency, activeCount, pendingCount } = this.#parts;
    return pendingCount > 0 ? 0 : Math.max(0, concurrency - activeCount);
  }

  /** For an object that starts now; undefined until the tuner has measured. */
  get partSize(): number | undefined {
    if (this.#partSize === undefined || !this.#lone || !this.#waiting.all) return this.#partSize;
    const rest = { objects: this.#waiting.sizes, moving: this.partFlow.moving };
    return partSizeAtEnd(rest, this.#lone, this.#partSize);
  }

  /** Bytes of parts that have not started; undefined while more objects may come. */
  get left(): number | undefined {
    if (this.#pinned || !this.#waiting.all) return undefined;
    const queued = this.#parts.pendingCount * (this.#partSize ?? START.partSize);
    return this.#waiting.sizes.reduce((sum, size) => sum + size, queued);
  }

  /** @param settings.lone only if each connection has its own rate limit */
  set(settings: { parts: number; objects: number; partSize: number | undefined; lone?: Lone }): void {
    if (this.tunesParts) this.#parts.concurrency = settings.parts;
    if (this.tunesObjects) this.#objects.concurrency = settings.objects;
    this.#partSize = settings.partSize;
    this.#lone = settings.lone;
  }

  /** The limiter for the parts of one object. */
  ofObject(): <T>(task: () => Promise<T>) => Promise<T> {
    if (this.#partsPerObject === undefined) return this.#parts;
    const own = limiter(this.#partsPerObject);
    return (task) => own(() => this.#parts(task));
  }

  /** Where objects wait for their turn. */
  lanes(): Lanes {
    return new Lanes(this.#objects, this.#parts, this.objectFlow, this.#waiting, this.#pinned);
  }
}

/** The object's time is spent on round trips, or at the service. */
export function isSmall({ source, way }: CopyTicket): boolean {
  return way === 'server' || source.size <= SMALL;
}

/** Large objects that have not started. */
class Waiting {
  readonly #tickets = new Set<CopyTicket>();
  /** No more will come. */
  all = false;

  /** Bytes of each. */
  get sizes(): number[] {
    return [...this.#tickets].map(({ source }) => source.size);
  }

  add(ticket: CopyTicket): void {
    this.#tickets.add(ticket);
    this.all = false;
  }

  /** The object's parts have queued for their slots, or it needs none. */
  begun(ticket: CopyTicket): void {
    this.#tickets.delete(ticket);
  }
}

/** Starts an object; calls `opened` once its parts have queued for their slots. */
export type Start = (opened: () => void) => Promise<void>;

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
  readonly #flow: ObjectFlow;
  readonly #waiting: Waiting;
  readonly #pinned: boolean;

  constructor(objects: Limiter, parts: Limiter, flow: ObjectFlow, waiting: Waiting, pinned: boolean) {
    this.#small = new Queue(objects);
    this.#parts = parts;
    this.#flow = flow;
    this.#waiting = waiting;
    this.#pinned = pinned;
  }

  /** Waits while the lane is full. */
  async push(ticket: CopyTicket, start: Start): Promise<void> {
    if (this.#pinned) await this.#small.push(() => start(nothing));
    else if (isSmall(ticket)) await this.#small.push(() => this.#flow.during(() => start(nothing)));
    else {
      this.#waiting.add(ticket);
      await this.#openings.push(() => this.#openNext(ticket, start));
    }
  }

  /** Waits for all that was pushed. */
  async drain(): Promise<void> {
    this.#waiting.all = true;
    try {
      await this.#small.drain();
    } finally {
      await this.#openings.drain();
      await this.#open.drain();
    }
  }

  async #openNext(ticket: CopyTicket, start: Start): Promise<void> {
    await this.#parts(async () => undefined);
    await new Promise<void>((opened, failed) => {
      this.#open.push(() => start(opened).finally(opened)).catch(failed);
    });
    this.#waiting.begun(ticket);
  }
}

const nothing = (): void => undefined;
