/**
 * How much a run may have in flight: part requests over all objects, and small objects. The tuner changes what the user
 * has not fixed.
 * Tests: test/engine/tune/slots.test.ts
 */

import type { Account } from '../flow/account.js';
import { sharing } from '../flow/fair.js';
import { Lanes, Waiting } from '../flow/lanes.js';
import { type Limiter, limiter } from '../flow/queue.js';
import { type Lone, partSizeAtEnd } from '../tune/end.js';
import { type Near, ObjectFlow, PartFlow } from '../tune/flow.js';
import { type SlotSettings, START } from '../tune/tune.js';
import { Races } from './race.js';
import { Helpers, type SharedWork } from './spans.js';

/** What the performer of a ticket uses of the slots. */
export interface PartSlots {
  readonly partFlow: Pick<PartFlow, 'begin'> & Partial<Pick<PartFlow, 'wait'>>;
  /** Second requests for parts that are far too slow. */
  readonly races: Races;
  /** Idle slots for parts. */
  readonly spare: number;
  /** The limiter for the parts of one object. */
  ofObject(): <T>(task: () => Promise<T>) => Promise<T>;
  /** Bytes of a part that one request should read; absent: all. */
  readonly readSize?: number;
  /** Lets free slots help, before they begin anything else, until the returned function is called. */
  share?(work: SharedWork): () => void;
}

/** What runs over several pairs share. An object may hold its slot while its parts wait for theirs. */
export interface SlotShare {
  parts: Account;
  objects: Account;
}

export class Slots implements PartSlots {
  readonly partFlow: PartFlow;
  readonly objectFlow: ObjectFlow;
  readonly races: Races;
  readonly #waiting = new Waiting();
  #partSize: number | undefined;
  #readSize: number | undefined;
  #lone: Lone | undefined;
  readonly #helpers = new Helpers();
  /** Slots that were asked for to help and have not been granted. */
  #helping = 0;
  readonly #parts: Limiter;
  readonly #objects: Limiter;
  readonly #partsPerObject: number | undefined;
  readonly #pinned: boolean;
  /** False if `--transfers` and `--part-concurrency` together fix the number of parts. */
  readonly tunesParts: boolean;

  constructor(
    options: { transfers?: number; partConcurrency?: number },
    near?: Near,
    now: () => number = () => performance.now(),
    share: Partial<SlotShare> = {},
  ) {
    const { transfers, partConcurrency } = options;
    this.partFlow = new PartFlow(now, near);
    this.objectFlow = new ObjectFlow(now);
    this.races = new Races(now);
    this.#pinned = transfers !== undefined;
    this.#partsPerObject = partConcurrency;
    const fixed = transfers !== undefined && partConcurrency !== undefined ? transfers * partConcurrency : undefined;
    this.#parts = shared(limiter(fixed ?? START.parts), share.parts);
    this.#objects = shared(limiter(transfers ?? START.objects), share.objects);
    this.tunesParts = fixed === undefined;
  }

  get tunesObjects(): boolean {
    return !this.#pinned;
  }

  /** Requests that may be in flight now. */
  get room(): number {
    return Math.max(this.#parts.concurrency, this.#objects.concurrency);
  }

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
    // A slot that helps may still wait for its share.
    const pending = Math.max(0, this.#parts.pendingCount - this.#helping);
    const queued = pending * (this.#partSize ?? START.partSize);
    return this.#waiting.sizes.reduce((sum, size) => sum + size, queued);
  }

  /** Undefined where the user fixed how many requests an object may have, and where reads take little of the time. */
  get readSize(): number | undefined {
    return this.#partsPerObject === undefined && this.partFlow.readsAreFar ? this.#readSize : undefined;
  }

  share(work: SharedWork): () => void {
    this.#helpers.add(work);
    this.#invite();
    return () => this.#helpers.delete(work);
  }

  /** Has idle slots help, a request at a time. Parts that wait for a slot help before they begin. */
  #invite(): void {
    if (this.readSize === undefined || !this.#helpers.wanted) return;
    for (let idle = this.spare; idle > 0; idle--) {
      this.#helping++;
      void this.#parts(async () => {
        this.#helping--;
        const request = this.#helpers.help();
        await request;
        return request !== undefined;
      }).then((helped) => helped && this.#invite());
    }
  }

  set(settings: SlotSettings): void {
    if (this.tunesParts) this.#parts.concurrency = settings.parts;
    if (this.tunesObjects) this.#objects.concurrency = settings.objects;
    this.#partSize = settings.partSize;
    this.#readSize = settings.readSize;
    this.#lone = settings.lone;
    this.#invite();
  }

  ofObject(): <T>(task: () => Promise<T>) => Promise<T> {
    if (this.#partsPerObject === undefined) return (task) => this.#afterHelp(task);
    const own = limiter(this.#partsPerObject);
    return (task) => own(() => this.#parts(task));
  }

  /** Helps in the slot of the task before the task begins. If a lower setting takes the slot away, it waits for another. */
  async #afterHelp<T>(task: () => Promise<T>): Promise<T> {
    const inSlot = async (): Promise<{ value: T } | undefined> => {
      for (let request = this.#helpers.help(); request; request = this.#helpers.help()) {
        await request;
        if (this.#parts.activeCount > this.#parts.concurrency) return undefined;
      }
      return { value: await task() };
    };
    for (;;) {
      const done = await this.#parts(inSlot);
      if (done) return done.value;
    }
  }

  /** Where objects wait for their turn. */
  lanes(): Lanes {
    return new Lanes(this.#objects, this.#parts, this.objectFlow, this.#waiting, this.#pinned);
  }
}

function shared(own: Limiter, share: Account | undefined): Limiter {
  return share ? sharing(own, share) : own;
}
