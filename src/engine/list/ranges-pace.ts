/** How many ranges may be in flight, and how long each should be. Tests: test/engine/list/ranges.test.ts */
import { performance } from 'node:perf_hooks';
import type { ObjectEntry } from '../../model/object.js';
import { Line } from './ranges-line.js';

/** Pages of one side's listing in flight, at most, where a page takes long. */
export const LIST_CONCURRENCY = 32;

/** Added guesses in flight for every good one, until the first bad one. */
const WIDEN = 4;
/** In flight after the first page, when little is known: at most two useless requests in a small bucket. */
const FIRST = 3;
/** A guess that found at least `GOOD` of a page was good; one below `EMPTY` found nothing. */
const GOOD = 0.25;
const EMPTY = 0.05;
/** Pages before the next guess when all were wrong; doubles each time. */
const FIRST_PAUSE = 4;
const LONGEST_PAUSE = 256;

/** When the process is busier than `BUSY`, responses wait in memory, so fewer requests; below `IDLE`, twice as many. */
const BUSY = 0.97;
const IDLE = 0.85;
const NARROW = 0.9;
const LEAST = 2;
/** Shortest time over which load is measured. */
const WINDOW_MS = 50;

/** How busy this process has been, 0 to 1; undefined if too little time has passed since the last call. */
export type Load = () => number | undefined;

export function loopLoad(): Load {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { idle, active, utilization } = performance.eventLoopUtilization(now, last);
    if (idle + active < WINDOW_MS) return undefined;
    last = now;
    return utilization;
  };
}

/** Density to assume: of the last known page, or (`run`) of the last few pages given out. */
export type Lens = 'page' | 'run';

export class Pacer {
  readonly #most: number;
  readonly #load: Load;
  #width = 1;
  #guesses = 2;
  #pause = FIRST_PAUSE;
  #paused = 0;
  lens: Lens = 'page';
  /** How many times guesses have proved wrong. */
  turn = 0;

  constructor(most: number, load: Load) {
    this.#most = most;
    this.#load = load;
  }

  /** Requests in flight, at most. */
  get width(): number {
    return this.#width;
  }

  /** Of these, requests for guessed ranges, at most. */
  get guesses(): number {
    return this.#guesses;
  }

  /**
   * @param share how much of a page the range held
   * @param guessed `turn` when it was requested, if it was guessed
   */
  learn(share: number, guessed?: number): void {
    if (this.#width === 1) this.#width = share >= GOOD ? FIRST : 1;
    else if (share >= GOOD) this.#suit(this.#load());
    if (guessed !== undefined) this.#judge(share, guessed);
    else if (this.#guesses === 0 && --this.#paused <= 0) this.#guesses = 1;
  }

  #suit(load: number | undefined): void {
    if (load === undefined) return;
    if (load < IDLE) this.#width = Math.min(this.#most, this.#width * 2);
    else if (load > BUSY) this.#width = Math.max(LEAST, Math.floor(this.#width * NARROW));
  }

  #judge(share: number, guessed: number): void {
    if (share >= GOOD) {
      this.#guesses = Math.min(this.#most, this.#guesses + (this.turn === 0 ? WIDEN : 1));
      this.#pause = FIRST_PAUSE;
    } else if (share < EMPTY && guessed === this.turn) {
      // Guesses requested before the last bad one returned were the same mistake.
      this.turn++;
      this.#guesses = Math.floor(this.#guesses / 2);
      this.lens = this.lens === 'page' ? 'run' : 'page';
      if (this.#guesses > 0) return;
      this.#paused = this.#pause;
      this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2);
    }
  }
}

/**
 * The share of a page that a range should fill: it should rarely need a second page, for which all later ranges wait,
 * and should overlap its neighbor a little. Each range that was too long, or was not, adjusts the share.
 */
const FILL = { first: 0.94, least: 0.85, most: 0.97, less: 0.005, more: 0.0001 };
/** A remainder estimated at fewer pages is not cut. */
const WHOLE = 1.2;
/** Pages of the `run` lens. */
const RUN = 8;
const SAMPLE = 128;

/** Estimates where to cut the keys to come from the density of those already listed. */
export class Density {
  /** Keys of a full page. */
  page = 1;
  #fill = FILL.first;
  /** First keys of the last pages given out, with the number of keys before each. */
  readonly #run: { key: string; before: number }[] = [];
  #count = 0;
  readonly #lines = new WeakMap<readonly ObjectEntry[], Line | 'none'>();
  #runLine: Line | undefined;

  full(entries: number): void {
    this.page = Math.max(this.page, entries);
  }

  /** A guessed range fit into its page, or did not. */
  guessed(fits: boolean): void {
    const fill = this.#fill + (fits ? FILL.more : -FILL.less);
    this.#fill = Math.min(FILL.most, Math.max(FILL.least, fill));
  }

  given(entries: readonly ObjectEntry[]): void {
    const first = entries[0]?.key;
    if (first === undefined) return;
    this.#run.push({ key: first, before: this.#count });
    if (this.#run.length > RUN) this.#run.shift();
    this.#count += entries.length;
    this.#runLine = undefined;
  }

  /** Keys that a range should hold. */
  get fill(): number {
    return this.#fill * this.page;
  }

  /** A key about a page after `after`; undefined if `until` is nearer, or there is no estimate. */
  after(after: string, until: string | undefined, base: readonly ObjectEntry[], lens: Lens): string | undefined {
    const lines = lens === 'page' ? [this.#pageLine, this.#longLine] : [this.#longLine, this.#pageLine];
    for (const line of lines) {
      const known = line.call(this, base);
      const guess = known?.after(after, this.fill);
      if (known === undefined || guess === undefined) continue;
      const rest = until === undefined ? undefined : known.between(after, until);
      return rest !== undefined && rest < WHOLE * this.page ? undefined : guess;
    }
    return undefined;
  }

  #pageLine(base: readonly ObjectEntry[]): Line | undefined {
    const known = this.#lines.get(base);
    if (known) return known === 'none' ? undefined : known;
    const [first, last] = [base[0]?.key, base.at(-1)?.key];
    const line =
      first === undefined || last === undefined || base.length < 2
        ? undefined
        : Line.through({ first, last, keys: base.length - 1 }, sampleOf(base));
    this.#lines.set(base, line ?? 'none');
    return line;
  }

  #longLine(base: readonly ObjectEntry[]): Line | undefined {
    const [first, last] = [this.#run[0], this.#run.at(-1)];
    if (!first || !last || this.#run.length < 2) return undefined;
    this.#runLine ??= Line.through({ first: first.key, last: last.key, keys: last.before - first.before }, [
      ...this.#run.map(({ key }) => key),
      ...sampleOf(base),
    ]);
    return this.#runLine;
  }
}

function sampleOf(entries: readonly ObjectEntry[]): string[] {
  const step = Math.max(1, Math.floor(entries.length / SAMPLE));
  return entries.filter((_, i) => i % step === 0).map(({ key }) => key);
}
