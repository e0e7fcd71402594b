/** What a change of the setting brought. Pure. Tests: test/engine/tune/tune.test.ts */

/** A setting and its goodput. */
export interface Level {
  n: number;
  /** Per second. */
  rate: number;
}

/** Least factor of goodput that a doubling must bring. */
const WORTH_OF_DOUBLING = 1.1;
/** If goodput grows at least with this power of the setting, the connections are the limit, not the line. */
const LINEAR = 0.75;
/** Factor above the setting at which proportional growth would have reached the line's goodput. */
const BEYOND_KNEE = 1.25;

export function isLinear(before: Level, now: Level): boolean {
  return now.rate / before.rate >= (now.n / before.n) ** LINEAR;
}

export function isWorth(before: Level, now: Level): boolean {
  return now.rate / before.rate >= WORTH_OF_DOUBLING ** Math.log2(now.n / before.n);
}

/** The setting at which proportional growth ended, and a little more. */
export function kneeOf(before: Level, now: Level): number {
  return Math.round(((before.n * now.rate) / before.rate) * BEYOND_KNEE);
}

/** The reason for a setting, to display. */
export function gainText(before: Level, now: Level): string {
  return `goodput at ${now.n} is ${Math.round((now.rate / before.rate) * 100)} % of that at ${before.n}`;
}
