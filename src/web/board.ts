/**
 * What the page shows: the status of each pair that a process serves, from its manifest, with the trouble that it has now
 * and what became of retries. Read while somebody looks, one pair after the other, so that a page costs little however
 * many look at it. Tests: test/web/board.test.ts
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Reporter, RunEvent, Summary } from '../engine/events.js';
import { retryBatches, retryPages } from '../engine/record/failed.js';
import { type LagPoint, lagPoints } from '../engine/record/lag.js';
import { type PairStatus, statusOf } from '../engine/record/status.js';
import type { LockHolder, Manifest } from '../manifest/port.js';
import { toXsyncError } from '../model/error.js';

/** One destination of a rule. */
export interface BoardPair {
  /** The rule's name, with the number of the destination if it has several. */
  id: string;
  rule: string;
  /** As in the rule. */
  source: string;
  destination: string;
  /** `copy`, `sync`, `mirror` or `move`. */
  mode: string;
  rpoMs?: number;
  /** Changes when the pair becomes another one. */
  fingerprint: string;
  /** What `look` makes of the manifest; undefined if the pair has not run on this machine. */
  read<T>(look: (manifest: Manifest, atWork?: LockHolder) => T): Promise<T | undefined>;
  /**
   * Tries failed objects again, see `Watch.retry`. Absent: now it cannot, because its places are not open, or because it
   * is a mirror, which tries them in each run.
   */
  retry?(): Retrying | undefined;
}

export type Retrying = (
  batches: (manifest: Manifest) => AsyncIterable<readonly string[]>,
  hear: Reporter,
) => Promise<Summary | undefined>;

/** A retry that somebody asked for on the page. Times in ms since 1970. */
export interface Retry {
  sinceMs: number;
  /** Absent: all failed objects except those that were given up. */
  key?: string;
  copied: number;
  failed: number;
  /** Neither: found equal, gone from the source, or left out. */
  rest: number;
  endedMs?: number;
  /** Why it ended early. */
  error?: string;
}

export type RetryAnswer = 'started' | 'in progress' | 'not open' | 'mirror' | 'unknown rule';

/** A pair as the page shows it. */
export interface Shown extends Omit<BoardPair, 'read' | 'retry' | 'fingerprint'> {
  /** Absent: it has not run on this machine, or has not been read yet. */
  status?: PairStatus;
  /** Lag of the last day, a point for each step in which something arrived. */
  course: readonly LagPoint[];
  /** What keeps it from working now. */
  trouble?: { message: string; remedy?: string };
  retry?: Retry;
}

export const COURSE_STEP_MS = 15 * 60_000;
export const COURSE_MS = 24 * 3_600_000;
/** The course of a day changes slowly. */
const COURSE_AGE_MS = 60_000;
/** Figures are at least so old before they are read again. */
const AGE_MS = 2000;
/** The share of the time that reading may take: one part of so many. */
const SHARE = 50;

interface Seen {
  pair: BoardPair;
  status?: PairStatus;
  course: readonly LagPoint[];
  /** Monotonic: when it was read. */
  courseMs: number;
  trouble?: Shown['trouble'];
  unread?: Shown['trouble'];
  retry?: Retry;
}

export interface BoardOptions {
  now?: () => number;
  /** Monotonic, ms. */
  clock?: () => number;
}

export class Board {
  readonly #now: () => number;
  readonly #clock: () => number;
  #seen = new Map<string, Seen>();
  #reading: Promise<void> | undefined;
  /** Monotonic: when figures may be read again. */
  #dueMs = Number.NEGATIVE_INFINITY;
  /** Something has changed since the reading that is in progress, or was the last one, began. */
  #changed = false;

  constructor({ now = Date.now, clock = () => performance.now() }: BoardOptions = {}) {
    this.#now = now;
    this.#clock = clock;
  }

  /** From now on these pairs are shown, in this order. What is known of those that stay is kept. */
  set(pairs: readonly BoardPair[]): void {
    const seen = pairs.map((pair): [string, Seen] => {
      const before = this.#seen.get(pair.id);
      const same = before?.pair.fingerprint === pair.fingerprint;
      return [pair.id, same ? { ...before, pair } : { pair, course: [], courseMs: Number.NEGATIVE_INFINITY }];
    });
    this.#seen = new Map(seen);
    this.#changed = true;
  }

  /** The events of a pair. */
  hear(id: string, event: RunEvent): void {
    const seen = this.#seen.get(id);
    if (!seen) return;
    if (event.type === 'trouble') seen.trouble = { message: event.message, remedy: event.remedy };
    if (event.type === 'well' || (event.type === 'end' && event.outcome === 'complete')) seen.trouble = undefined;
  }

  /** All pairs, with figures that are a few seconds old at most; older, if reading them takes long. */
  async shown(): Promise<Shown[]> {
    await this.#refresh();
    return [...this.#seen.values()].map(shownOf);
  }

  /** One of them; undefined if there is none with this ID. */
  async one(id: string): Promise<Shown | undefined> {
    await this.#refresh();
    const seen = this.#seen.get(id);
    return seen && shownOf(seen);
  }

  /** What `look` makes of the manifest of a pair; undefined if the pair is unknown or has not run. */
  async read<T>(id: string, look: (manifest: Manifest, atWork?: LockHolder) => T): Promise<T | undefined> {
    try {
      return await this.#seen.get(id)?.pair.read(look);
    } catch {
      // `#refresh` shows why.
      return undefined;
    }
  }

  /** Begins to retry what failed. @param key absent: everything except what was given up */
  retry(id: string, key?: string): RetryAnswer {
    const seen = this.#seen.get(id);
    if (!seen) return 'unknown rule';
    if (seen.retry && seen.retry.endedMs === undefined) return 'in progress';
    if (seen.pair.mode === 'mirror') return 'mirror';
    const run = seen.pair.retry?.();
    if (!run) return 'not open';
    const retry: Retry = { sinceMs: this.#now(), key, copied: 0, failed: 0, rest: 0 };
    seen.retry = retry;
    void this.#follow(run, retry);
    return 'started';
  }

  async #follow(run: Retrying, retry: Retry): Promise<void> {
    const { key } = retry;
    try {
      const summary = await run(
        (manifest) => retryBatches(retryPages(manifest, key), key !== undefined),
        (event) => {
          if (event.type === 'copied') retry.copied++;
          if (event.type === 'failed') retry.failed++;
          if (event.type === 'skip') retry.rest++;
        },
      );
      if (!summary) retry.error = 'the rule has ended';
      else if (summary.stopped !== undefined) retry.error = 'it was stopped';
    } catch (error) {
      retry.error = toXsyncError(error).message;
    }
    retry.endedMs = this.#now();
    this.#changed = true;
  }

  #refresh(): Promise<void> {
    this.#reading ??= this.#clock() < this.#dueMs && !this.#changed ? undefined : this.#readAll();
    return this.#reading ?? Promise.resolve();
  }

  async #readAll(): Promise<void> {
    this.#changed = false;
    let tookMs = 0;
    try {
      for (const seen of [...this.#seen.values()]) {
        const startMs = this.#clock();
        await this.#readOne(seen);
        tookMs += this.#clock() - startMs;
        // Transfers go on between two of them.
        await turn();
      }
    } finally {
      this.#dueMs = this.#clock() + Math.max(AGE_MS, SHARE * tookMs);
      this.#reading = undefined;
    }
  }

  async #readOne(seen: Seen): Promise<void> {
    const nowMs = this.#now();
    try {
      seen.status = await seen.pair.read((manifest, atWork) => {
        const clockMs = this.#clock();
        if (clockMs - seen.courseMs >= COURSE_AGE_MS) {
          const sinceMs = Math.floor((nowMs - COURSE_MS) / COURSE_STEP_MS) * COURSE_STEP_MS;
          seen.course = lagPoints(manifest.lagCourse(sinceMs, nowMs, COURSE_STEP_MS));
          seen.courseMs = clockMs;
        }
        return statusOf(manifest, nowMs, atWork);
      });
      seen.unread = undefined;
    } catch (error) {
      const { message, remedy } = toXsyncError(error);
      seen.unread = { message, remedy };
    }
  }
}

function shownOf({ pair, status, course, trouble, unread, retry }: Seen): Shown {
  const { id, rule, source, destination, mode, rpoMs } = pair;
  return { id, rule, source, destination, mode, rpoMs, status, course, trouble: trouble ?? unread, retry };
}
