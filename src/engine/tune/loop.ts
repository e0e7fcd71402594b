/**
 * Finds a number of requests in flight by trying, for bytes per second or operations per second. Pure: samples are
 * passed in, and it uses no clock.
 *
 * A higher setting is worth it if each doubling brings 10 % more goodput, a lower one if each halving costs less: the
 * goal is the highest `goodput / n^0.1375`. Falcon's `goodput / K^n` minus a loss term peaks at a fixed n; this peaks
 * where the gain ends. So a line on which 256 connections carry 256 times as much as one gets 256, at any loss. Where the
 * sender's congestion control fills the line with four, the others are given up.
 *
 * `open`: small objects begin with what the latency of the first ones suggests. `measure`: until the setting's goodput is
 * steady; what the last run found is then held. `climb`: multiply by four while goodput grows in proportion, else
 * choose the point where the proportion ends. `hold`: watch whether goodput leaves its band. `probe`: from time to time,
 * try a little more or less. When the server pushes back, the setting is halved at once.
 * Tests: test/engine/tune/tune.test.ts
 */
import { FreshRate } from './fresh-rate.js';
import { gainText, isLinear, isWorth, kneeOf, type Level } from './gain.js';
import { Opening, type OpeningSample } from './opening.js';
import type { Filling } from './room.js';
import { Trial } from './trial.js';
import { drains, type Flow, fills } from './window.js';

/** If goodput is outside this band for `BAND_MS`, the line has changed. */
const BAND = { low: 0.75, high: 1.33 };
const BAND_MS = 3000;
/** Less than this share of the goodput is an outage, and is ignored. */
const STALLED = 0.05;
/** Weight of the newest sample in the average goodput. */
const SMOOTHING = 0.15;
/** If a part takes less, a few connections fill the line. */
const QUICK_MS = 4000;
/** Bytes per second. If a connection carries less, its rate counts as soon as it no longer changes. */
const SLOW = 256 * 1024;
/** A rate that was still falling may fall to this share. */
const FALLS_ON = 0.65;
/** The same of a line with room, whose connections may have lost only their first packets. */
const FALLS_FAR = 0.5;
/** A line that has had room for this time is tried with twice as many connections. */
const ROOM_MS = 2000;
/** The tries are as far apart as this share of the time between probes, or further. */
const ROOM_HOLD = 0.25;
/** While requests are being given up, goodput must have fallen to this share for as long. */
const MISSED = 0.9;
/** The largest factor by which connections are reduced at once. */
const MOST_BACK = 1.3;
const SMALL_STEP = 0.2;
const LARGEST_STEP = 0.35;
/** The first probe after an opening whose rate did not last: fresh connections carry more than those that have lost packets. */
const BOLD_STEP = 1;
/** Probes do not go below this many connections. */
const FEW = 8;
/** A probe of less that has not drained after this time is given up: its requests take too long. */
const DRAIN_MS = 20_000;
const HOLD_MS = { first: 8000, longest: 60_000, afterGain: 3000 };
/** How long responses to requests sent before a halving still arrive, at least and at most. */
const ECHO_MS = { least: 3000, most: 15_000 };
/** Time after a halving without trials. */
const COOL_MS = 10_000;
/** How long only settings below the one that the server refused are tried. */
const CEILING_MS = 120_000;
const BELOW_CEILING = 0.8;

type Phase = 'open' | 'measure' | 'climb' | 'hold' | 'probe' | 'cool';

export interface LoopOptions {
  least: number;
  most: number;
  /** `done` counts whole requests, not their bytes. */
  whole: boolean;
  /** Of such requests, per second, that the services allow. */
  mostRate?: number;
  /** An earlier run ended at the start setting. */
  known?: { linear: boolean };
}

export class Loop {
  readonly #least: number;
  readonly #whole: boolean;
  #requestSize = 1;
  #most: number;
  #phase: Phase;
  #n: number;
  readonly #trial: Trial;
  readonly #opening: Opening;
  /** The rate at the end of the opening, until it is known whether it lasts. */
  #fresh: FreshRate | undefined;
  /** The start setting was found before, and has not been measured yet. */
  #known: boolean;
  /** The factor of the climb after the next measurement. */
  #factor = 4;
  /** The setting that a trial falls back to, and its goodput. */
  #base: Level | undefined;
  #why = 'start';
  #phaseMs = 0;
  #outsideMs = 0;
  /** Goodput while requests of an earlier setting end; undefined until it is seen. */
  #drained: number | undefined;
  #holdMs = HOLD_MS.first;
  #direction = 1;
  #step = SMALL_STEP;
  /** The highest setting to try: the server refused a higher one. */
  #ceiling: number | undefined;
  #ceilingMs = 0;
  #sincePushBackMs = ECHO_MS.most;
  #draining = false;
  /** Goodput still grew in proportion at the end of the last climb. */
  #linear: boolean;
  /** The result of a climb is being measured a second time. */
  #doubted = false;
  #filling: Filling | undefined;
  /** How long the line has had room for more connections. */
  #roomMs = 0;
  /** The rate of the base may still have been falling, to this share. */
  #fallsTo = 1;
  /** How long goodput has been low because requests are being given up. */
  #missedMs = 0;
  /** The last probe showed that fewer carry more. */
  #surprised = false;
  /** There is little work left. */
  ending = false;

  constructor(start: number, { least, most, whole, mostRate, known }: LoopOptions) {
    this.#least = least;
    this.#most = most;
    this.#whole = whole;
    this.#known = known !== undefined;
    this.#linear = known?.linear ?? false;
    this.#n = this.#within(start);
    this.#phase = whole && !known ? 'open' : 'measure';
    this.#opening = new Opening(this.#n, mostRate);
    this.#trial = new Trial(whole);
  }

  get n(): number {
    return this.#n;
  }

  /** The best setting found, and its goodput; undefined before the first measurement. */
  get best(): Level | undefined {
    return this.#base;
  }

  /**
   * If each connection seems to have its own rate limit: the setting that the climb is expected to reach. Undefined if
   * the connections share the line.
   */
  get reach(): number | undefined {
    if (this.#phase === 'climb') return this.#latencyMs() >= QUICK_MS ? this.#within(this.#most) : undefined;
    if (!this.#linear) return undefined;
    return this.#phase === 'probe' ? Math.max(this.#n, this.#base?.n ?? 0) : this.#n;
  }

  /** Whether goodput was last found to grow in proportion to the setting. */
  get linear(): boolean {
    return this.#linear;
  }

  /** True until `endOpening`, or until latency no longer suggests more. */
  get opening(): boolean {
    return this.#phase === 'open';
  }

  /** While the loop opens, much more often than `sample`. */
  open(sample: OpeningSample): void {
    if (this.#phase !== 'open') return;
    const opened = this.#opening.add(sample, (n) => this.#within(n));
    if (!opened) return;
    const { verdict, n, best, why = this.#why } = opened;
    this.#base = best;
    this.#why = why;
    if (verdict === 'step') this.#n = n;
    else if (verdict === 'useless') this.#restOpened();
    else this.endOpening();
  }

  endOpening(): void {
    if (this.#phase !== 'open') return;
    if (this.#opening.doubts) this.#restOpened();
    else this.#enter('measure', this.#n, this.#why);
  }

  #restOpened(): void {
    this.#fresh = this.#base && new FreshRate(this.#base.rate);
    this.#rest(this.#why);
  }

  /** True while nothing is being tried. */
  get resting(): boolean {
    return this.#phase === 'hold';
  }

  /** The reason for the setting, to display. */
  get why(): string {
    return this.#why;
  }

  /**
   * @param most the highest setting, which depends on memory and on the other loop's connections
   * @param requestSize in the unit of `done`
   */
  limit(most: number, requestSize: number): void {
    this.#requestSize = requestSize;
    this.#most = Math.max(this.#least, most);
    if (this.#n > this.#most) this.#enter('measure', this.#most, 'limited by memory, connections or request rate');
  }

  /**
   * @param ms since the previous sample
   * @param filling what is known of the line
   */
  sample(flow: Flow, ms: number, filling?: Filling): void {
    this.#filling = filling;
    this.#roomMs = filling === 'lossy' ? this.#roomMs + ms : 0;
    this.#sincePushBackMs += ms;
    this.#draining = drains(flow.used, this.#n);
    this.#ceilingMs -= ms;
    if (this.#ceilingMs <= 0) this.#ceiling = undefined;
    this.#phaseMs += ms;
    if (this.ending && this.#phase === 'probe' && this.#n < (this.#base?.n ?? 0)) this.#rest(this.#why);
    if (this.#phase === 'open') return;
    if (this.#phase === 'cool') {
      if (this.#phaseMs >= COOL_MS) this.#enter('measure', this.#n, this.#why);
    } else if (this.#phase === 'hold') this.#watch(flow, ms);
    else if (!this.#stalled(flow, ms)) this.#try(flow, ms);
  }

  /** The server pushed back: halves the setting at once. */
  pushBack(why: string): void {
    if (this.#sincePushBackMs < (this.#draining ? ECHO_MS.most : ECHO_MS.least)) return;
    this.#ceiling = Math.floor(this.#n * BELOW_CEILING);
    this.#ceilingMs = CEILING_MS;
    this.#base = undefined;
    this.#factor = 2;
    this.#known = false;
    this.#sincePushBackMs = 0;
    this.#enter('cool', Math.floor(this.#n / 2), why);
  }

  get #hasRoom(): boolean {
    return this.#filling === 'lossy';
  }

  #try(flow: Flow, ms: number): void {
    if (this.#phase !== 'measure' && this.#draining) {
      this.#drain(flow, ms);
      return;
    }
    if (!fills(flow.used, this.#n)) {
      this.#restart();
      return;
    }
    this.#trial.add(flow, ms);
    if (this.#known) {
      this.#confirm();
      return;
    }
    if (this.#whole ? this.#climbsAtOnce() : this.#climbsPlainly()) {
      this.#climb(4);
      return;
    }
    const first = this.#firstRate;
    const rate = this.#phase === 'probe' ? this.#probedRate : (first?.rate ?? this.#trial.steadyRate);
    if (rate === undefined) return;
    const base = this.#base;
    if (this.#phase === 'measure' || !base) {
      this.#fallsTo = first?.fallsTo ?? 1;
      this.#base = { n: this.#within(Math.max(this.#n, this.#trial.used)), rate };
      // If parts are quick, the line is almost full, and many more connections would only be given up again.
      if (this.#hasRoom) this.#factor = Math.max(this.#factor, 2);
      else if (!this.#whole && this.#latencyMs() / this.#fallsTo < QUICK_MS) this.#factor = Math.min(this.#factor, 2);
      this.#climb(this.#factor);
    } else if (this.#phase === 'climb') this.#climbed(base, rate);
    else this.#probed(base, rate);
  }

  get #probedRate(): number | undefined {
    return this.#step === BOLD_STEP ? this.#trial.early : this.#trial.rate;
  }

  /**
   * The first rate of a run or of a changed line, sooner than it is steady: too low for kernel buffers that fill, or what too
   * fast a start fell to; and the share to which it may still fall.
   */
  get #firstRate(): { rate: number; fallsTo: number } | undefined {
    const { settled, fallen, level } = this.#trial;
    if (this.#phase !== 'measure' || this.#base || this.#whole) return undefined;
    if (this.#hasRoom && level !== undefined) return { rate: level, fallsTo: FALLS_FAR };
    if (this.#factor !== 4) return undefined;
    if (settled !== undefined && settled < this.#n * SLOW) return { rate: settled, fallsTo: 1 };
    return fallen === undefined ? undefined : { rate: fallen, fallsTo: FALLS_ON };
  }

  /** Holds what the last run found: a probe soon shows if the line now carries more. */
  #confirm(): void {
    const rate = this.#trial.steadyRate;
    if (rate === undefined) return;
    this.#known = false;
    this.#base = { n: this.#within(Math.max(this.#n, this.#trial.used)), rate };
    this.#rest('as in an earlier run');
    this.#holdMs = HOLD_MS.afterGain;
  }

  /** Small requests end so soon that a wrong step is quickly undone, so any sufficient gain continues the climb. */
  #climbsAtOnce(): boolean {
    const rate = this.#trial.early;
    if (rate === undefined || (this.#phase !== 'measure' && this.#phase !== 'climb')) return false;
    const level = { n: this.#n, rate };
    if (this.#phase === 'climb' && this.#base && !isWorth(this.#base, level)) return false;
    this.#base = level;
    return true;
  }

  /**
   * After a step too large for kernel buffers to explain the growth, proportional goodput is conclusive before it is
   * steady.
   */
  #climbsPlainly(): boolean {
    const base = this.#base;
    const { early, newest } = this.#trial;
    if (this.#phase !== 'climb' || this.#filling === 'full') return false;
    if (!base || this.#n < base.n * 4 || this.#n === this.#within(this.#n * 4)) return false;
    const grows =
      (early !== undefined && isLinear(base, { n: this.#n, rate: early })) ||
      (this.#hasRoom && newest !== undefined && this.#hasGrown(base, { n: this.#n, rate: newest }));
    if (!grows) return false;
    // No figures: the kernel's buffers may have taken a part of it.
    this.#why = 'goodput grows with the connections';
    return true;
  }

  /**
   * Returns to where the proportion ended. With short requests this is done in steps, because the remaining connections
   * do not take over the others' share at once. With long requests a wrong step back is expensive, and connections that
   * started together slow down together, so the result is measured a second time first.
   */
  #climbed(base: Level, rate: number): void {
    const level = { n: this.#n, rate };
    const linear = this.#hasGrown(base, level);
    if (!linear && !this.#doubted && this.#latencyMs() >= DRAIN_MS) {
      this.#doubted = true;
      this.#restart();
      return;
    }
    this.#linear = linear;
    this.#fallsTo = 1;
    this.#base = level;
    const back = !this.#whole && this.#latencyMs() < DRAIN_MS ? Math.floor(this.#n / MOST_BACK) : 0;
    if (!linear) this.#base = { n: Math.min(Math.max(base.n, kneeOf(base, level), back), this.#n), rate };
    this.#direction = -1;
    this.#step = LARGEST_STEP;
    if (linear) this.#climb(this.#factor);
    else this.#rest(gainText(base, level));
    this.#holdMs = HOLD_MS.afterGain;
  }

  /** In proportion to the setting, or more; or it would be if the rate of the base was still falling, and the line is not full. */
  #hasGrown(base: Level, level: Level): boolean {
    if (isLinear(base, level)) return true;
    return this.#filling !== 'full' && isLinear({ n: base.n, rate: base.rate * this.#fallsTo }, level);
  }

  #climb(factor: number): void {
    const next = this.#within(Math.max(this.#n, this.#base?.n ?? 0) * factor);
    if (next > this.#n) this.#enter('climb', next, this.#why);
    else this.#rest(this.#ceiling ? this.#why : 'the maximum');
  }

  /** A probe of less waits until earlier requests have ended; meanwhile only a change of the line is detected. */
  #drain({ done }: Flow, ms: number): void {
    this.#restart();
    const base = this.#base;
    if (!base || this.#phase !== 'probe') return;
    const rate = (done / ms) * 1000;
    const usual = this.#drained ?? rate;
    // Requests end one after the other, so goodput does not jump.
    const jumps = !within(rate / usual, 1);
    if (!jumps) this.#drained = usual + (rate - usual) * SMOOTHING;
    if (this.#strays(jumps || !within(rate / base.rate, this.#n / base.n), ms)) this.#lineChanged(base.n);
    else if (this.#phaseMs > DRAIN_MS) this.#rest(this.#why);
  }

  /** True if goodput has been outside the range that can be explained for `BAND_MS`. */
  #strays(isOutside: boolean, ms: number): boolean {
    this.#outsideMs = isOutside ? this.#outsideMs + ms : 0;
    return this.#outsideMs >= BAND_MS;
  }

  #lineChanged(n: number): void {
    this.#holdMs = HOLD_MS.first;
    this.#factor = 1.5;
    this.#base = undefined;
    this.#enter('measure', n, 'the line changed');
  }

  #probed(base: Level, rate: number): void {
    if (!within(rate / base.rate, this.#n / base.n)) {
      this.#lineChanged(Math.max(this.#n, base.n));
      return;
    }
    const level = { n: this.#n, rate };
    if (!isWorth(base, level)) {
      this.#reject();
      return;
    }
    // Fewer rarely carry more: the line may have changed meanwhile. The same must be seen twice.
    this.#surprised = this.#n < base.n && rate > base.rate && !this.#surprised;
    if (this.#surprised) {
      this.#rest(this.#why);
      return;
    }
    const linear = this.#n > base.n && isLinear(base, level);
    this.#base = level;
    this.#step = Math.min(this.#step * 1.5, LARGEST_STEP);
    if (linear) {
      this.#climb(2);
      return;
    }
    this.#rest(gainText(base, level));
    this.#holdMs = HOLD_MS.afterGain;
  }

  #reject(): void {
    this.#surprised = false;
    this.#direction = -this.#direction;
    this.#step = SMALL_STEP;
    this.#holdMs = Math.min(Math.max(this.#holdMs, HOLD_MS.first) * 1.5, HOLD_MS.longest);
    this.#rest(this.#why);
  }

  /** Returns to the base and holds it. */
  #rest(why: string): void {
    this.#enter('hold', this.#base?.n ?? this.#n, why);
  }

  #watch({ done, used }: Flow, ms: number): void {
    const base = this.#base;
    if (!base || !fills(used, this.#n)) return;
    const rate = (done / ms) * 1000;
    if (rate < base.rate * STALLED) return;
    this.#missedMs = this.#draining && rate < base.rate * MISSED ? this.#missedMs + ms : 0;
    if (this.#draining) {
      if (this.#missedMs >= ROOM_MS) this.#usesRoom({ n: Math.max(base.n, Math.round(used)), rate });
      return;
    }
    if (this.#fresh && (this.#hasRoom || this.#fresh.hasFaded(rate, ms))) {
      this.#fresh = undefined;
      this.#base = { n: base.n, rate };
      this.#enter('climb', this.#within(base.n * 4), 'the rate of the first requests did not last');
      return;
    }
    if (this.#strays(!within(rate / base.rate, 1), ms)) {
      this.#lineChanged(this.#n);
      return;
    }
    this.#trial.add({ done, used }, ms);
    // The line may be changing: what is measured now is neither what it carried nor what it will.
    if (this.#outsideMs > 0) return;
    this.#base = { n: base.n, rate: base.rate + (rate - base.rate) * SMOOTHING };
    if (this.#triesTwice() || this.#usesRoom(this.#base)) return;
    const mean = this.#trial.rate;
    if (this.#phaseMs >= this.#holdMs && mean !== undefined) this.#probe({ n: base.n, rate: mean });
  }

  /** Probes twice as many if the rate of the opening did not last. @returns whether it does */
  #triesTwice(): boolean {
    const { early } = this.#trial;
    const fresh = this.#fresh;
    if (fresh === undefined || early === undefined) return false;
    this.#fresh = undefined;
    return !fresh.lastsAt(early) && this.#probeBoldly({ n: this.#n, rate: early });
  }

  /** Probes twice as many if the line has had room for some time. @returns whether it does */
  #usesRoom(base: Level): boolean {
    const waits = this.#roomMs < ROOM_MS || this.#phaseMs < Math.max(ROOM_MS, this.#holdMs * ROOM_HOLD);
    return !waits && this.#probeBoldly(base);
  }

  /** Probes twice as many. @returns false at the limit, where a probe would try half as many instead */
  #probeBoldly(base: Level): boolean {
    if (this.#within(Math.ceil(base.n * (1 + BOLD_STEP))) <= base.n) return false;
    this.#direction = 1;
    this.#step = BOLD_STEP;
    this.#probe(base);
    return true;
  }

  #probe(base: Level): void {
    const tried = (direction: number): number => {
      if (direction > 0) return this.#within(Math.ceil(base.n * (1 + this.#step)));
      return this.#within(Math.max(Math.floor(base.n / (1 + this.#step)), Math.min(FEW, base.n)));
    };
    if (this.ending) this.#direction = 1;
    else if (tried(this.#direction) === base.n) this.#direction = -this.#direction;
    const next = tried(this.#direction);
    if (next === base.n) return;
    this.#base = base;
    this.#enter('probe', next, this.#why);
  }

  #stalled({ done }: Flow, ms: number): boolean {
    return this.#base !== undefined && (done / ms) * 1000 < this.#base.rate * STALLED;
  }

  #enter(phase: Phase, n: number, why: string): void {
    this.#phase = phase;
    this.#n = this.#within(n);
    this.#why = why;
    this.#phaseMs = 0;
    this.#outsideMs = 0;
    this.#drained = undefined;
    this.#doubted = false;
    this.#restart();
  }

  #restart(): void {
    const fine = this.#phase === 'hold' || this.#phase === 'probe';
    const accuracy = fine ? 'fine' : this.#phase === 'measure' ? 'fresh' : 'coarse';
    this.#trial.restart(accuracy, this.#latencyMs());
  }

  /** Duration of a request, by Little's law. */
  #latencyMs(): number {
    return this.#base ? ((this.#base.n * this.#requestSize) / this.#base.rate) * 1000 : 0;
  }

  #within(n: number): number {
    const most = Math.min(this.#most, this.#ceiling ?? this.#most);
    return Math.max(this.#least, Math.min(Math.round(n), most));
  }
}

/** Whether a step by factor `step` can change goodput by factor `brought` on the same line. */
function within(brought: number, step: number): boolean {
  return brought >= BAND.low * Math.min(1, step) && brought <= BAND.high * Math.max(1, step);
}
