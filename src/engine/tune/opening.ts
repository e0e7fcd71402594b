/**
 * Opens a run: finds how many small objects to keep in flight from the latency of the first ones, within a few
 * latencies instead of the seconds of a climb. Little's law suggests the setting: requests in flight = rate × latency,
 * with a rate that a process does not exceed. A step is at most fourfold, and the next one follows only if the rate grew
 * in proportion. Pure. Tests: test/engine/tune/opening.test.ts
 */
import { gainText, isLinear, isWorth, kneeOf, type Level } from './gain.js';
import { drains, fills } from './window.js';

/** Small objects per second that one process does not exceed. */
const MOST_RATE = 5000;
const STEP = 4;
/**
 * A wave that takes more latencies shows by itself that the rate has not grown in proportion. What it has grown by is
 * known when all have ended, or after the most latencies.
 */
const LATENCIES = { linear: 2, most: 6 };
/** If the suggestion is not larger than the setting by this factor, the setting stays. */
const WORTH_A_STEP = 1.25;
/**
 * Small objects in flight of a process that is at work all the time. More of them end in the same turn of the event loop, and
 * each takes less of its time (store/http/answers.ts); beyond that, nothing is gained.
 */
const TOGETHER = 64;

/** Small objects since the previous sample. */
export interface OpeningSample {
  ms: number;
  /** Objects that ended. */
  done: number;
  /** The sum of the milliseconds of all in flight. */
  areaMs: number;
  /** Share of the time in which the event loop was at work. */
  busy: number;
}

/** What a wave of objects shows. */
export interface Opened {
  /** `step`: try `n`. `enough`: latency suggests no more. `useless`: the step brought too little. */
  verdict: 'step' | 'enough' | 'useless';
  n: number;
  /** The best setting that was measured; absent after the first wave, when there was nothing to compare. */
  best?: Level;
  /** Why `n` is chosen, if a step was judged. */
  why?: string;
}

interface Wave {
  ms: number;
  done: number;
  areaMs: number;
  busyMs: number;
}

const NOTHING: Wave = { ms: 0, done: 0, areaMs: 0, busyMs: 0 };

export class Opening {
  #n: number;
  readonly #mostRate: number;
  #before: Level | undefined;
  /** The step that seemed useless, while what it was compared with is measured again. */
  #doubted: { level: Level; why: string } | undefined;
  #wave = { ...NOTHING };
  #sinceStep = { ...NOTHING };
  /** Of the wave before; absent in the first one. */
  #latencyMs: number | undefined;
  /** Until the requests of the previous setting have ended. */
  #settlingMs = 0;

  /** @param mostRate objects per second that the services allow */
  constructor(n: number, mostRate = Number.POSITIVE_INFINITY) {
    this.#n = n;
    this.#mostRate = Math.min(mostRate, MOST_RATE);
  }

  /** A step was useless, which is being looked at a second time. */
  get doubts(): boolean {
    return this.#doubted !== undefined;
  }

  /** @param within bounds a setting. @returns undefined while a wave lasts */
  add({ ms, done, areaMs, busy }: OpeningSample, within: (n: number) => number): Opened | undefined {
    if (!fills(areaMs / ms, this.#n) || (this.#doubted && drains(areaMs / ms, this.#n))) return undefined;
    const seen = this.#look({ ms, done, areaMs, busyMs: busy * ms });
    if (!seen) return undefined;
    const level = levelOf(this.#n, seen);
    const isCertain = this.#before ? isLinear(this.#before, level) : !this.#doubted;
    if (!isCertain && !this.#isWholeWave(seen)) return undefined;
    this.#wave = { ...NOTHING };
    this.#sinceStep = { ...NOTHING };
    if (this.#doubted) return judgeAgain(level, this.#doubted);
    // A process at work for half of the time can do at most twice as much. More requests would only wait for it, and
    // each connection costs it a handshake.
    const most = level.n * (seen.ms / seen.busyMs);
    if (most < level.n * WORTH_A_STEP) return this.#fillTurns(level.n, within(TOGETHER));
    return this.#judge(level, seen.areaMs / seen.done, (n) => within(Math.min(n, Math.ceil(most))));
  }

  /** @returns undefined if as many are in flight already, or a step is being looked at */
  #fillTurns(n: number, together: number): Opened | undefined {
    if (n >= together || this.#before) return undefined;
    this.#n = together;
    return { verdict: 'step', n: together };
  }

  /** @returns what can be judged: a wave, or what came since the step if that alone has grown in proportion */
  #look(sample: Wave): Wave | undefined {
    addTo(this.#sinceStep, sample);
    if (this.#settlingMs > 0) this.#settlingMs -= sample.ms;
    else addTo(this.#wave, sample);
    if (this.#growsAlready(this.#sinceStep)) return this.#sinceStep;
    return this.#isWave(this.#wave) ? this.#wave : undefined;
  }

  #growsAlready(since: Wave): boolean {
    const latencyMs = this.#latencyMs ?? Number.POSITIVE_INFINITY;
    return this.#before !== undefined && since.ms >= latencyMs && isLinear(this.#before, levelOf(this.#n, since));
  }

  /** Objects that started together end together, so a wave lasts at least a latency. */
  #isWave({ ms, done }: Wave): boolean {
    const latencyMs = this.#latencyMs;
    if (latencyMs === undefined) return done >= this.#n;
    return ms >= latencyMs && (done >= this.#n || ms >= LATENCIES.linear * latencyMs);
  }

  #isWholeWave({ ms, done }: Wave): boolean {
    return done >= this.#n || ms >= LATENCIES.most * (this.#latencyMs ?? 0);
  }

  #judge(level: Level, latencyMs: number, within: (n: number) => number): Opened {
    const before = this.#before;
    if (before && !isLinear(before, level)) {
      const best = bestOf(before, level);
      const why = gainText(before, level);
      this.#doubted = { level, why };
      this.#before = undefined;
      this.#n = best.n;
      this.#latencyMs = latencyMs;
      this.#settlingMs = latencyMs;
      return { verdict: 'step', n: best.n, best, why };
    }
    const judged = before && { best: level, why: gainText(before, level) };
    const n = within(Math.min(level.n * STEP, Math.ceil((this.#mostRate * latencyMs) / 1000)));
    if (n < level.n * WORTH_A_STEP) return { verdict: 'enough', n: level.n, ...judged };
    this.#before = level;
    this.#n = n;
    this.#latencyMs = latencyMs;
    this.#settlingMs = latencyMs;
    return { verdict: 'step', n, ...judged };
  }
}

function addTo(wave: Wave, { ms, done, areaMs, busyMs }: Wave): void {
  wave.ms += ms;
  wave.done += done;
  wave.areaMs += areaMs;
  wave.busyMs += busyMs;
}

function levelOf(n: number, { done, ms }: Wave): Level {
  return { n, rate: (done / ms) * 1000 };
}

/** Where the growth from one setting to a higher one ended. */
function bestOf(before: Level, level: Level): Level {
  if (!isWorth(before, level)) return before;
  return { n: Math.min(level.n, Math.max(before.n, kneeOf(before, level))), rate: level.rate };
}

/**
 * Fresh connections carry more than those that have lost packets, so what a step was compared with may not last.
 * @param now the lower setting, measured again
 */
function judgeAgain(now: Level, { level, why }: { level: Level; why: string }): Opened {
  const best = now.n < level.n ? bestOf(now, level) : now;
  return { verdict: 'useless', n: best.n, best, why: best === now ? why : gainText(now, level) };
}
