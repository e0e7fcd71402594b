/**
 * What may be in flight at once in a run: part requests over all objects, and small objects. What the person has not
 * fixed, the tuner changes while the run goes.
 */

import { Lanes, Waiting } from '../flow/lanes.js';
import { type Limiter, limiter } from '../flow/queue.js';
import type { RunOptions } from '../options.js';
import { type Lone, partSizeAtEnd } from '../tune/end.js';
import { type Near, ObjectFlow, PartFlow } from '../tune/flow.js';
import { START } from '../tune/tune.js';
import { Races } from './race.js';

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
  /** False when `--transfers` and `--part-concurrency` together say how many. */
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

  /** Slots for parts that no part has a use for. */
  get spare(): number {
    const { concurrency, activeCount, pendingCount } = this.#parts;
    return pendingCount > 0 ? 0 : Math.max(0, concurrency - activeCount);
  }

  /** For an object that begins now; undefined until the tuner knows better than the default. */
  get partSize(): number | undefined {
    if (this.#partSize === undefined || !this.#lone || !this.#waiting.all) return this.#partSize;
    const rest = { objects: this.#waiting.sizes, moving: this.partFlow.moving };
    return partSizeAtEnd(rest, this.#lone, this.#partSize);
  }

  /** Bytes of parts that have not begun; undefined while more objects may come. */
  get left(): number | undefined {
    if (this.#pinned || !this.#waiting.all) return undefined;
    const queued = this.#parts.pendingCount * (this.#partSize ?? START.partSize);
    return this.#waiting.sizes.reduce((sum, size) => sum + size, queued);
  }

  /** @param settings.lone only where each connection is limited by itself */
  set(settings: { parts: number; objects: number; partSize: number | undefined; lone?: Lone }): void {
    if (this.tunesParts) this.#parts.concurrency = settings.parts;
    if (this.tunesObjects) this.#objects.concurrency = settings.objects;
    this.#partSize = settings.partSize;
    this.#lone = settings.lone;
  }

  /** For the parts of one object. */
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
