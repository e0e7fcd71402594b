/**
 * One number of requests in flight, found by trying: the same loop serves bytes per second and operations per second.
 * Pure: it is fed with samples and knows no clock.
 *
 * A higher setting is worth it when each doubling brings 10 % more goodput, a lower one when each halving costs less:
 * the highest of `goodput / n^0.1375`. Unlike Falcon's `goodput / K^n` minus a loss term, that has its peak where the
 * gain ends and not at a fixed n, so a line on which 256 connections carry 256 times what one does gets 256, at any
 * loss; and where the sender's congestion control fills the line with four, more are given back.
 *
 * `measure` the setting; `climb` while it pays, faster while goodput grows in proportion; `hold`, watching for goodput
 * to leave its band; now and then `probe` a little more or less. A push-back of the server halves the setting at once.
 */
import { drains, type Flow, fills, Window } from './tune-window.js';

/** What a doubling must bring. */
export const WORTH_OF_DOUBLING = 1.1;
/** Goodput that grows with at least this power of the setting is limited by each connection, not by the line. */
const LINEAR = 0.75;
const SETTLE_MS = 1000;
/** A verdict is given after so long when it is clear, after `LONGEST_MS` whatever it is. */
const SHORTEST_MS = 2000;
const LONGEST_MS = 6000;
const CLEAR = 0.15;
/** Goodput outside this band for `BAND_MS` means that the line has changed. */
const BAND = { low: 0.75, high: 1.33 };
const BAND_MS = 3000;
/** Less than this share is an outage, of which there is nothing to learn. */
const STALLED = 0.05;
/** How strongly the standing goodput follows the newest second. */
const SMOOTHING = 0.15;
const SMALL_STEP = 0.2;
const LARGEST_STEP = 0.35;
/** Fewer connections than these are not worth looking for. */
const FEW = 8;
/** A trial of less that has not drained after so long is given up: its requests are too long to learn from. */
const DRAIN_MS = 20_000;
const HOLD_MS = { first: 8000, longest: 60_000, afterGain: 3000 };
/** Answers to what was sent before a halving still come in for at least and at most so long. */
const ECHO_MS = { least: 3000, most: 15_000 };
/** After a halving nothing more is tried for so long. */
const COOL_MS = 10_000;
/** What the server refused is not tried again for so long, only what is below. */
const CEILING_MS = 120_000;
const BELOW_CEILING = 0.8;

export interface Level {
  n: number;
  /** Per second. */
  rate: number;
}

type Phase = 'measure' | 'climb' | 'hold' | 'probe' | 'cool';

export class Loop {
  readonly #least: number;
  readonly #whole: boolean;
  #most: number;
  #phase: Phase = 'measure';
  #n: number;
  #window: Window;
  /** The setting that a trial falls back to, and what it brought. */
  #base: Level | undefined;
  #why = 'start';
  #phaseMs = 0;
  #outsideMs = 0;
  #holdMs = HOLD_MS.first;
  #direction = 1;
  #step = SMALL_STEP;
  /** What the server refused lies above. */
  #ceiling: number | undefined;
  #ceilingMs = 0;
  #sincePushBackMs = ECHO_MS.most;
  #draining = false;

  /**
   * @param options.whole `done` counts whole requests, which tell nothing until they end
   */
  constructor(start: number, options: { least: number; most: number; whole: boolean }) {
    this.#least = options.least;
    this.#most = options.most;
    this.#whole = options.whole;
    this.#n = this.#within(start);
    this.#window = this.#newWindow();
  }

  get n(): number {
    return this.#n;
  }

  /** The setting that was last found best, and its goodput; undefined before the first measure. */
  get settled(): Level | undefined {
    return this.#base;
  }

  /** True while nothing is being tried. */
  get resting(): boolean {
    return this.#phase === 'hold';
  }

  /** For people: what led to the setting. */
  get why(): string {
    return this.#why;
  }

  /** The room changed: memory, or what another loop takes of the connections. */
  limit(most: number): void {
    this.#most = Math.max(this.#least, most);
    if (this.#n > this.#most) this.#enter('measure', this.#most, 'limited by memory or connections');
  }

  /** @param ms since the sample before */
  sample(flow: Flow, ms: number): void {
    this.#sincePushBackMs += ms;
    this.#draining = drains(flow.used, this.#n);
    this.#ceilingMs -= ms;
    if (this.#ceilingMs <= 0) this.#ceiling = undefined;
    this.#phaseMs += ms;
    if (this.#phase === 'cool') {
      if (this.#phaseMs >= COOL_MS) this.#enter('measure', this.#n, this.#why);
    } else if (this.#phase === 'hold') this.#watch(flow, ms);
    else if (!this.#stalled(flow, ms)) this.#try(flow, ms);
  }

  /** The server pushed back: half of what was in force, at once. */
  pushBack(why: string): void {
    if (this.#sincePushBackMs < (this.#draining ? ECHO_MS.most : ECHO_MS.least)) return;
    this.#ceiling = Math.floor(this.#n * BELOW_CEILING);
    this.#ceilingMs = CEILING_MS;
    this.#base = undefined;
    this.#sincePushBackMs = 0;
    this.#enter('cool', Math.floor(this.#n / 2), why);
  }

  #try(flow: Flow, ms: number): void {
    if (this.#phase !== 'measure' && this.#draining) {
      this.#drain(flow, ms);
      return;
    }
    if (!this.#window.add(flow, ms)) {
      this.#window = this.#newWindow();
      return;
    }
    const { rate } = this.#window;
    if (this.#window.ms < Math.max(SHORTEST_MS, 2 * this.#latencyMs(this.#n, rate))) return;
    const base = this.#base;
    if (this.#phase === 'measure' || !base) {
      this.#base = { n: this.#within(Math.max(this.#n, this.#window.used)), rate };
      this.#climb(2);
      return;
    }
    const worth = rate / base.rate / WORTH_OF_DOUBLING ** Math.log2(this.#n / base.n);
    if (Math.abs(Math.log(worth)) < CLEAR && this.#window.ms < LONGEST_MS) return;
    if (this.#phase === 'climb') this.#climbed(base, rate, worth >= 1);
    else this.#probed(base, rate, worth >= 1);
  }

  /** A trial of less waits until what was begun before is through; meanwhile only a change of the line shows. */
  #drain({ done }: Flow, ms: number): void {
    this.#window = this.#newWindow();
    const base = this.#base;
    if (base && this.#phase === 'probe' && this.#strays((done / ms) * 1000, base, ms)) this.#lineChanged(base.n);
    else if (this.#phaseMs > DRAIN_MS) this.#rest(this.#why);
  }

  /** True once goodput has been outside what the setting or the step from the base can bring for long enough. */
  #strays(rate: number, base: Level, ms: number): boolean {
    this.#outsideMs = within(rate / base.rate, this.#n / base.n) ? 0 : this.#outsideMs + ms;
    return this.#outsideMs >= BAND_MS;
  }

  #climbed(base: Level, rate: number, worth: boolean): void {
    if (!worth) {
      const between = base.n * 2;
      if (this.#n > between) this.#enter('climb', between, this.#why);
      else this.#rest(`${this.#n} brought ${percent(rate / base.rate)} of ${base.n}`);
      return;
    }
    const linear = rate / base.rate >= (this.#n / base.n) ** LINEAR;
    this.#base = { n: this.#n, rate };
    this.#climb(linear ? 4 : 2);
  }

  #climb(factor: number): void {
    const next = this.#within((this.#base?.n ?? this.#n) * factor);
    if (next > (this.#base?.n ?? this.#n)) this.#enter('climb', next, this.#why);
    else this.#rest(this.#ceiling ? this.#why : 'no more connections or memory to use');
  }

  #lineChanged(n: number): void {
    this.#holdMs = HOLD_MS.first;
    this.#base = undefined;
    this.#enter('measure', n, 'the line changed');
  }

  #probed(base: Level, rate: number, worth: boolean): void {
    if (!within(rate / base.rate, this.#n / base.n)) {
      this.#lineChanged(Math.max(this.#n, base.n));
      return;
    }
    if (worth) {
      this.#base = { n: this.#n, rate };
      this.#step = Math.min(this.#step * 1.5, LARGEST_STEP);
      this.#rest(`${this.#n} brought ${percent(rate / base.rate)} of ${base.n}`);
      this.#holdMs = HOLD_MS.afterGain;
      return;
    }
    this.#direction = -this.#direction;
    this.#step = SMALL_STEP;
    this.#holdMs = Math.min(Math.max(this.#holdMs, HOLD_MS.first) * 1.5, HOLD_MS.longest);
    this.#rest(this.#why);
  }

  /** Back to the base, to stay there. */
  #rest(why: string): void {
    this.#enter('hold', this.#base?.n ?? this.#n, why);
  }

  #watch({ done, used }: Flow, ms: number): void {
    const base = this.#base;
    if (!base || this.#draining || !fills(used, this.#n)) return;
    const rate = (done / ms) * 1000;
    if (rate < base.rate * STALLED) return;
    if (this.#strays(rate, base, ms)) {
      this.#lineChanged(this.#n);
      return;
    }
    if (this.#outsideMs === 0) this.#base = { n: base.n, rate: base.rate + (rate - base.rate) * SMOOTHING };
    if (this.#phaseMs >= this.#holdMs) this.#probe(base);
  }

  #probe(base: Level): void {
    const tried = (direction: number): number => {
      if (direction > 0) return this.#within(Math.ceil(base.n * (1 + this.#step)));
      return this.#within(Math.max(Math.floor(base.n / (1 + this.#step)), Math.min(FEW, base.n)));
    };
    if (tried(this.#direction) === base.n) this.#direction = -this.#direction;
    const next = tried(this.#direction);
    if (next !== base.n) this.#enter('probe', next, this.#why);
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
    this.#window = this.#newWindow();
  }

  #newWindow(): Window {
    const before = this.#base ? this.#latencyMs(this.#base.n, this.#base.rate) : 0;
    return new Window(this.#n, Math.max(SETTLE_MS, before));
  }

  /** How long a request takes, by Little's law. */
  #latencyMs(n: number, rate: number): number {
    return this.#whole && rate > 0 ? (n / rate) * 1000 : 0;
  }

  #within(n: number): number {
    const most = Math.min(this.#most, this.#ceiling ?? this.#most);
    return Math.max(this.#least, Math.min(Math.round(n), most));
  }
}

/** Whether a step by `step` can have brought goodput times `brought` on the same line. */
function within(brought: number, step: number): boolean {
  return brought >= BAND.low * Math.min(1, step) && brought <= BAND.high * Math.max(1, step);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
