/**
 * When a watch polls which keys. A full poll lists everything from time to time; of a big source, sections of the keys
 * with recent changes are polled in between. Pure: times are passed in.
 * Tests: test/engine/watch/parts.test.ts
 */
import type { Manifest } from '../../manifest/port.js';
import { compareKeys } from '../../model/key.js';
import type { Bounds } from '../list/bounds.js';

/** In ms. */
export interface ScheduleOptions {
  /** Between two polls at the start. */
  intervalMs: number;
  /** Between two polls, at least, while objects change. */
  shortestMs: number;
  /** Between two polls, at most, while nothing changes. */
  longestMs: number;
  /** Between two full polls of a source that is big enough to be cut into sections. */
  fullMs: number;
}

/** `sections` absent: a full poll. */
export interface Poll {
  atMs: number;
  /** A shared listing that began since then is new enough; absent: since `atMs`. */
  sinceMs?: number;
  sections?: readonly Bounds[];
}

/** Objects of a section, at least: ten pages. A source smaller than two sections is always polled in full. */
const SECTION_OBJECTS = 10_000;
const MOST_SECTIONS = 64;
/** Polls for which a section stays hot after its last change. */
const HOT_POLLS = 10;
/** Instances that were started together must not keep listing at the same time. */
const JITTER = 0.1;
const FASTER = 0.5;
const SLOWER = 1.25;

interface Section {
  bounds: Bounds;
  hot: number;
}

export class Schedule {
  readonly #options: ScheduleOptions;
  readonly #random: () => number;
  #intervalMs: number;
  #lastMs: number | undefined;
  #lastFullMs: number | undefined;
  #sections: Section[] = [];

  constructor(options: ScheduleOptions, random: () => number = Math.random) {
    this.#options = options;
    this.#random = random;
    this.#intervalMs = options.intervalMs;
  }

  /** The first poll is due at once, and is a full one. */
  next(nowMs: number): Poll {
    if (this.#lastMs === undefined || this.#lastFullMs === undefined) return { atMs: nowMs };
    const interval = this.#intervalMs * (1 + JITTER * (2 * this.#random() - 1));
    const atMs = Math.min(this.#lastMs, nowMs) + interval;
    if (this.#sections.length === 0) return { atMs };
    const fullAtMs = Math.min(this.#lastFullMs, nowMs) + this.#options.fullMs;
    const hot = this.#sections.filter((section) => section.hot > 0);
    if (hot.length === 0 || atMs >= fullAtMs) return { atMs: Math.max(nowMs, fullAtMs) };
    return { atMs, sections: hot.map((section) => section.bounds) };
  }

  /** A key has changed: its section becomes hot. */
  changed(key: string): void {
    const section = this.#sections[this.#indexOf(key)];
    if (section) section.hot = HOT_POLLS;
  }

  /** Call after a poll. @param changes how many objects had changed */
  polled(poll: Poll, changes: number, nowMs: number): void {
    const { shortestMs, longestMs } = this.#options;
    this.#lastMs = nowMs;
    if (!poll.sections) this.#lastFullMs = nowMs;
    const factor = changes > 0 ? FASTER : SLOWER;
    this.#intervalMs = Math.min(longestMs, Math.max(shortestMs, this.#intervalMs * factor));
    for (const section of this.#sections) if (poll.sections?.includes(section.bounds)) section.hot--;
  }

  /** Cuts the keys into sections of similar size, by the manifest; hot keys stay hot. */
  cut(manifest: Pick<Manifest, 'count' | 'quantile'>): void {
    const objects = manifest.count();
    const hot = this.#sections.filter((section) => section.hot > 0);
    this.#sections = [];
    if (objects < 2 * SECTION_OBJECTS) return;
    const size = Math.max(SECTION_OBJECTS, Math.ceil(objects / MOST_SECTIONS));
    for (let after: string | undefined; ; ) {
      const until = manifest.quantile(after, size)?.last;
      this.#sections.push({ bounds: { after, until }, hot: 0 });
      if (until === undefined) break;
      after = until;
    }
    for (const { bounds, hot: heat } of hot) {
      const from = bounds.after === undefined ? 0 : this.#indexOf(bounds.after);
      const to = bounds.until === undefined ? this.#sections.length - 1 : this.#indexOf(bounds.until);
      for (const section of this.#sections.slice(from, to + 1)) section.hot = Math.max(section.hot, heat);
    }
  }

  #indexOf(key: string): number {
    return this.#sections.findIndex(({ bounds: { until } }) => until === undefined || compareKeys(key, until) <= 0);
  }
}
