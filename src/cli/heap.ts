/** How far V8 lets its heap grow before it collects garbage in it. Tests: test/cli/heap.test.ts */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { RunEvent } from '../engine/events.js';

/** Objects of a listing above which a run is about memory: its pages of keys fill whatever the heap may take. */
const MANY = 30_000;

/** A change of the percentage counts from the next collection on. */
function setGrowth(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}

function collect(): void {
  setFlagsFromString('--expose-gc');
  const gc: () => void = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  setImmediate(gc);
}

/**
 * Lets the heap of a run grow to three times what lives, because copying many small objects else spends a tenth of its
 * CPU time on collections. bin/load.js has set the value for runs that list much, and for those that do not end.
 */
export class Heap {
  readonly #set: (percent: number) => void;
  readonly #collect: () => void;
  #isWide = true;

  constructor(set = setGrowth, collectNow = collect) {
    this.#set = set;
    this.#collect = collectNow;
    set(200);
  }

  hear(event: RunEvent): void {
    if (this.#isWide && event.type === 'listed' && event.objects > MANY) this.narrow();
  }

  /** As at the start of the program. */
  narrow(): void {
    this.#isWide = false;
    this.#set(50);
    this.#collect();
  }
}
