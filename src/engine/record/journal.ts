/**
 * Writes down in the manifest what a run does, while it does it: the run itself for `report`, how far it is for
 * `status`, the lags of what crossed, and up to when the two sides are synchronised. A run that is killed leaves what
 * it had written a second before.
 */
import type { Manifest, RunOutcome } from '../../manifest/port.js';
import type { Pass } from '../census.js';
import type { RunEvent, Summary } from '../events.js';
import type { Fold } from './fold.js';
import { LagBook } from './lag.js';
import { type Before, beforeRun, progressOf, saveProgress } from './progress.js';
import { Rate } from './rate.js';
import { add, nothing, type Sum } from './sum.js';

const EVERY_MS = 1000;
/** Points of the curve that a report draws; beyond, every second one is dropped. */
const MOST_POINTS = 600;
const SLOWEST = 20;

/** What the manifest keeps of a run, as JSON. */
export interface RunDetail {
  summary: Summary;
  /** Cumulative. */
  curve: { atMs: number; bytes: number; objects: number }[];
  /** Objects copied by size, in powers of four: `upTo` bytes. */
  sizes: { upTo: number; objects: number; bytes: number }[];
  slowest: { key: string; size: number; elapsedMs: number }[];
  /** The error that ended it. */
  error?: { code: string; message: string };
}

const FACT = { synchronised: 'synchronised', live: 'live' } as const;

export interface JournalOptions {
  runId: string;
  command: string;
  pass: Pass;
  /** Every key of the source is looked at: the pass says up to when the sides are synchronised. */
  whole: boolean;
  /** False for the many small runs of a watch, which nobody looks up: the manifest gets no row of them. */
  kept: boolean;
  /** Of the run's events; has heard each event before the journal does. */
  fold: Fold;
  summary: () => Summary;
}

export class Journal {
  readonly #manifest: Manifest;
  readonly #options: JournalOptions;
  readonly #startedMs = Date.now();
  readonly #before: Before;
  readonly #rate = new Rate(this.#startedMs);
  readonly #lags = new LagBook();
  readonly #curve: RunDetail['curve'] = [{ atMs: 0, bytes: 0, objects: 0 }];
  readonly #sizes = new Map<number, Sum>();
  #slowest: RunDetail['slowest'] = [];
  /** A curve of so many seconds between points. */
  #every = 1;
  #ticks = 0;
  /** Changes from then on are of the running source; what is older is history, whose age is no lag. ms. */
  readonly #liveSinceMs: number | undefined;
  /** Something is to be copied. From then on the manifest knows of the run, also when it is killed. */
  #planned = false;
  #onError: (error: unknown) => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(manifest: Manifest, options: JournalOptions) {
    this.#manifest = manifest;
    this.#options = options;
    this.#liveSinceMs = liveSinceMs(manifest);
    this.#before = beforeRun(manifest, options.pass);
  }

  /** Begins to write; `onError` hears of a manifest that cannot be written. */
  start(onError: (error: unknown) => void): void {
    this.#onError = onError;
    // At once, so that a run which is killed in its first second has been there.
    this.#tell();
    this.#timer = setInterval(() => {
      this.#tick();
      this.#tell();
    }, EVERY_MS).unref();
  }

  hear(event: RunEvent): void {
    if (event.type === 'plan' && !this.#planned) {
      this.#planned = true;
      this.#tell();
    }
    if (event.type === 'copied') this.#measure(event);
  }

  /** The pair's last word on this run. @throws faults of the manifest */
  end(outcome: Exclude<RunOutcome, 'running'>, error?: RunDetail['error']): void {
    clearInterval(this.#timer);
    this.#point(Date.now());
    const { pass, whole } = this.#options;
    if (outcome === 'complete' && whole) {
      this.#manifest.setFact(FACT.synchronised, String(Math.min(pass.startedMs, pass.unsettledMs ?? pass.startedMs)));
      if (this.#liveSinceMs === undefined) this.#manifest.setFact(FACT.live, String(pass.startedMs));
    }
    this.#write(outcome, error);
  }

  #tell(): void {
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
      this.#manifest.putRun({ id: runId, command, startedMs, endedMs: now, outcome, detail: JSON.stringify(detail) });
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

  /** Of the many passes of a watch, those that found nothing to do are not kept. */
  #worthKeeping(outcome: RunOutcome, { copied, deleted, failed }: Summary): boolean {
    if (!this.#options.kept) return false;
    if (this.#options.command !== 'watch' || outcome === 'broken' || outcome === 'guarded') return true;
    return this.#planned || copied.objects + deleted.objects + failed.objects > 0;
  }
}

/** Everything that was at the source before this was seen, ms; undefined before the first complete pass. */
export function synchronisedMs(manifest: Pick<Manifest, 'getFact'>): number | undefined {
  const text = manifest.getFact(FACT.synchronised);
  return text === undefined ? undefined : Number(text);
}

/** When the first complete pass began, ms: the age of what is older than that is no lag. Undefined before it ended. */
export function liveSinceMs(manifest: Pick<Manifest, 'getFact'>): number | undefined {
  const text = manifest.getFact(FACT.live);
  return text === undefined ? undefined : Number(text);
}
