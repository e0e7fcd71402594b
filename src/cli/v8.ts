/**
 * Settings of V8 for a run that ends. bin/load.js starts the program with those for short runs, for long listings, and for
 * runs that do not end. Tests: test/cli/v8.test.ts
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { RunEvent } from '../engine/events.js';

/**
 * How far the heap may grow before it is collected, in percent of what lives. Copying many small objects else spends a tenth
 * of its CPU time on collections.
 */
const WIDE = 200;
const NARROW = 50;
/** Objects of a listing above which a run is about memory: its pages of keys fill whatever the heap may take. */
const LONG_LISTING = 30_000;

/** The newest V8 (major versions) that are known to have the flags. Of others V8 complains on the standard error. */
const KNOWN_UNTIL = { heap: 14, budget: 11 };

/**
 * Copies after which earlier optimization pays, and what a function must have run before it is optimized. What is then compiled at
 * once takes a tenth of a second, which a run of 5,000 copies does not earn back.
 */
const MANY_COPIES = 6000;
const EARLY = 33_792;

export class V8 {
  readonly #set: (flag: string) => void;
  readonly #collect: () => void;
  readonly #version: number;
  #isWide = true;
  #copies = 0;

  constructor(set = setFlagsFromString, collectNow = collect, version = process.versions.v8) {
    this.#set = set;
    this.#collect = collectNow;
    this.#version = Number.parseInt(version, 10);
    this.#grow(WIDE);
  }

  hear(event: RunEvent): void {
    if (event.type === 'copied' && ++this.#copies === MANY_COPIES) this.#hurry();
    if (event.type === 'listed' && event.objects > LONG_LISTING && this.#isWide) this.#narrow();
  }

  #hurry(): void {
    if (this.#version <= KNOWN_UNTIL.budget) this.#set(`--interrupt-budget=${EARLY}`);
  }

  #grow(percent: number): void {
    if (this.#version <= KNOWN_UNTIL.heap) this.#set(`--heap-growing-percent=${percent}`);
  }

  #narrow(): void {
    this.#isWide = false;
    this.#grow(NARROW);
    // The percentage counts from the next collection on.
    this.#collect();
  }
}

function collect(): void {
  setFlagsFromString('--expose-gc');
  const gc: () => void = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  setImmediate(gc);
}
