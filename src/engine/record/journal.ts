/**
 * Writes a run to the manifest once a second while it is running: the run itself for `report`, its progress for
 * `status`, replication lags, and the time up to which the two sides are synchronized. A killed run loses at most the
 * last second of this.
 * Tests: test/engine/record/status.test.ts
 */
import type { Manifest, RunOutcome } from '../../manifest/port.js';
import type { Pass } from '../census.js';
import type { RunEvent, Summary } from '../events.js';
import { LIVE, readFact, runText, SPENT, SYNCHRONISED, writeFact } from './facts.js';
import type { Fold } from './fold.js';
import { LagBook } from './lag.js';
import { type Before, beforeRun, progressOf, saveProgress } from './progress.js';
import { Rate } from './rate.js';
import { add, nothing, type Sum } from './sum.js';

const EVERY_MS = 1000;
/** Points of the curve in a report. When it has so many, every second one is dropped. */
const MOST_POINTS = 600;
const SLOWEST = 20;
const POLLING = ['watch', 'serve'];
/** Larger differences between the clock and the time that has passed mean that the clock was set. */
const CLOCK_MOVED_MS = 1000;

/** What the manifest keeps of a run, as JSON. */
export interface RunDetail {
  summary: Summary;
  /** Cumulative. */
  curve: { atMs: number; bytes: number; objects: number }[];
  /** Objects copied by size, in powers of four: `upTo` bytes. */
  sizes: { upTo: number; objects: number; bytes: number }[];
  slowest: { key: string; size: number; elapsedMs: number }[];
  /** The error that ended the run. */
  error?: { code: string; message: string };
}

export interface JournalOptions {
  runId: string;
  command: string;
  pass: Pass;
  /** The run lists every key of the source, so its pass decides up to when the sides are synchronized. */
  whole: boolean;
  /** False for the many small runs of a watch: they get no row in the manifest. */
  kept: boolean;
  /** Sums of the run's events. It must get each event before the journal does. */
  fold: Fold;
  summary: () => Summary;
}

export class Journal {
  readonly #manifest: Manifest;
  readonly #options: JournalOptions;
  readonly #startedMs = Date.now();
  readonly #started = performance.now();
  readonly #before: Before;
  readonly #rate = new Rate(this.#startedMs);
  readonly #lags = new LagBook();
  readonly #curve: RunDetail['curve'] = [{ atMs: 0, bytes: 0, objects: 0 }];
  readonly #sizes = new Map<number, Sum>();
  #slowest: RunDetail['slowest'] = [];
  /** Seconds between two points of the curve. */
  #every = 1;
  #ticks = 0;
  /** Older changes existed before replication started, so their age is not a lag. ms since 1970. */
  readonly #liveSinceMs: number | undefined;
  /** The run found something to copy. From then on the manifest has a row of it, even if it is killed. */
  #planned = false;
  #onError: (error: unknown) => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(manifest: Manifest, options: JournalOptions) {
    this.#manifest = manifest;
    this.#options = options;
    this.#liveSinceMs = liveSinceMs(manifest, this.#startedMs);
    this.#before = beforeRun(manifest, options.pass);
  }

  /** Starts writing. `onError` gets the errors of the manifest. */
  start(onError: (error: unknown) => void): void {
    this.#onError = onError;
    // Immediately, so that a run that is killed in its first second has a row.
    this.#save();
    this.#timer = setInterval(() => {
      this.#tick();
      this.#save();
    }, EVERY_MS).unref();
  }

  hear(event: RunEvent): void {
    if (event.type === 'plan' && !this.#planned) {
      this.#planned = true;
      this.#save();
    }
    if (event.type === 'copied') this.#measure(event);
  }

  /** Writes the run for the last time. @throws errors of the manifest */
  end(outcome: Exclude<RunOutcome, 'running'>, error?: RunDetail['error']): void {
    clearInterval(this.#timer);
    this.#point(Date.now());
    const { pass, whole } = this.#options;
    if (outcome === 'complete' && whole) {
      const beganMs = this.#passBeganMs(pass);
      const upToMs = Math.min(beganMs, pass.unsettledMs ?? beganMs);
      // 0: nothing has ever been synchronized.
      if (upToMs > 0) writeFact(this.#manifest, SYNCHRONISED, upToMs);
      if (this.#liveSinceMs === undefined) writeFact(this.#manifest, LIVE, beganMs);
    }
    this.#write(outcome, error);
    this.#spend();
  }

  #spend(): void {
    const { cost } = this.#options.summary();
    if (!cost) return;
    const { sinceMs, amounts } = readFact(this.#manifest, SPENT) ?? { sinceMs: this.#startedMs, amounts: {} };
    const sums = { ...amounts };
    for (const { currency, amount } of cost) sums[currency] = (sums[currency] ?? 0) + amount;
    writeFact(this.#manifest, SPENT, { sinceMs, amounts: sums });
  }

  /** If the clock was set back during the run, its start by the right clock: the sides must not seem synchronized later. */
  #passBeganMs({ startedMs }: Pass): number {
    const runBeganMs = Date.now() - (performance.now() - this.#started);
    return this.#startedMs - runBeganMs > CLOCK_MOVED_MS ? Math.min(startedMs, Math.floor(runBeganMs)) : startedMs;
  }

  #save(): void {
    try {
      this.#write('running');
    } catch (error) {
      this.#onError(error);
    }
  }

  #measure({ key, size, elapsedMs, sourceMtimeMs }: Extract<RunEvent, { type: 'copied' }>): void {
    const upTo = size === 0 ? 0 : 4 ** Math.ceil(Math.log2(size) / 2);
    const sum = this.#sizes.get(upTo) ?? nothing();
    add(sum, size);
    this.#sizes.set(upTo, sum);
    if (this.#slowest.length < SLOWEST || elapsedMs > (this.#slowest.at(-1)?.elapsedMs ?? 0)) {
      this.#slowest.push({ key, size, elapsedMs });
      this.#slowest = this.#slowest.sort((a, b) => b.elapsedMs - a.elapsedMs).slice(0, SLOWEST);
    }
    if (this.#liveSinceMs === undefined || sourceMtimeMs < this.#liveSinceMs) return;
    const now = Date.now();
    this.#lags.add(Math.max(0, now - sourceMtimeMs), now);
  }

  #tick(): void {
    const now = Date.now();
    const { sent, sums } = this.#options.fold;
    this.#rate.sample(now, sums.copied.objects, sent);
    if (++this.#ticks % this.#every !== 0) return;
    this.#point(now);
    if (this.#curve.length < MOST_POINTS) return;
    this.#every *= 2;
    for (let i = 1; i < this.#curve.length; i++) this.#curve.splice(i, 1);
  }

  #point(nowMs: number): void {
    const { sent, sums } = this.#options.fold;
    this.#curve.push({ atMs: nowMs - this.#startedMs, objects: sums.copied.objects, bytes: sent });
  }

  #write(outcome: RunOutcome, error?: RunDetail['error']): void {
    const { runId, command, pass, fold, summary, whole } = this.#options;
    const now = Date.now();
    const detail: RunDetail = {
      summary: summary(),
      curve: this.#curve,
      sizes: [...this.#sizes].map(([upTo, sum]) => ({ upTo, ...sum })).sort((a, b) => a.upTo - b.upTo),
      slowest: this.#slowest,
      error,
    };
    if (this.#worthKeeping(outcome, detail.summary)) {
      const { startedMs } = detail.summary;
      this.#manifest.putRun({ id: runId, command, startedMs, endedMs: now, outcome, detail: runText(detail) });
    }
    const lags = this.#lags.take();
    if (lags.length > 0) this.#manifest.addLags(lags);
    if (!whole) return;
    saveProgress(this.#manifest, {
      ...{ runId, command, startedMs: pass.startedMs, updatedMs: now, complete: outcome === 'complete' },
      ...progressOf(fold, this.#before),
      rate: this.#rate.perSecond(now, fold.sums.copied.objects, fold.sent),
    });
  }

  /** Passes that found nothing to do are not kept of what polls: they would displace all others. */
  #worthKeeping(outcome: RunOutcome, { copied, deleted, failed }: Summary): boolean {
    if (!this.#options.kept) return false;
    if (!POLLING.includes(this.#options.command) || outcome === 'broken' || outcome === 'guarded') return true;
    return this.#planned || copied.objects + deleted.objects + failed.objects > 0;
  }
}

/**
 * Everything written to the source before this was listed, ms since 1970. Undefined before the first complete pass, and
 * after one with a clock that was ahead: what it claims would be known only then.
 */
export function synchronisedMs(manifest: Pick<Manifest, 'getFact'>, nowMs: number): number | undefined {
  return notLater(readFact(manifest, SYNCHRONISED), nowMs);
}

/** Start of the first complete pass, ms since 1970: the age of older objects is not a lag. Undefined before it ended. */
export function liveSinceMs(manifest: Pick<Manifest, 'getFact'>, nowMs: number): number | undefined {
  return notLater(readFact(manifest, LIVE), nowMs);
}

/** A time that seems to lie in the future was noted by a wrong clock, and counts as absent. */
function notLater(ms: number | undefined, nowMs: number): number | undefined {
  return ms !== undefined && ms <= nowMs ? ms : undefined;
}
