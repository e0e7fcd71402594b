/**
 * Writes down in the manifest what a run does, while it does it: the run itself for `report`, how far it is for
 * `status`, the lags of what crossed, and up to when the two sides are synchronised. A run that is killed leaves what
 * it had written a second before.
 */
import type { Manifest, RunOutcome } from '../manifest/port.js';
import type { RunEvent, Summary } from './events.js';
import { LagBook } from './lag.js';
import type { Pass } from './pass.js';

const EVERY_MS = 1000;
/** Points of the curve that a report draws; beyond, every second one is dropped. */
const MOST_POINTS = 600;
const SLOWEST = 20;

export interface Sum {
  objects: number;
  bytes: number;
}

/** How far the latest pass is, or was when it ended. */
export interface Progress {
  runId: string;
  command: string;
  /** Of the pass, which may be older than the run. Times in ms. */
  startedMs: number;
  updatedMs: number;
  /** The source has been listed to its end: the total is known. */
  listed: boolean;
  complete: boolean;
  /** Of the source, what has been looked at. */
  source: Sum;
  /** Found equal, or copied. */
  synced: Sum;
  /** To be copied, or being copied. */
  pending: Sum;
  /** Per second, over the last seconds. */
  rate: Sum;
}

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

const FACT = { progress: 'progress', synchronised: 'synchronised', live: 'live' } as const;

export interface JournalOptions {
  runId: string;
  command: string;
  pass: Pass;
  /** Every key of the source is looked at: the pass says up to when the sides are synchronised. */
  whole: boolean;
  summary: () => Summary;
}

export class Journal {
  readonly #manifest: Manifest;
  readonly #options: JournalOptions;
  readonly #startedMs = Date.now();
  readonly #lags = new LagBook();
  readonly #curve: RunDetail['curve'] = [];
  readonly #sizes = new Map<number, Sum>();
  #slowest: RunDetail['slowest'] = [];
  /** A curve of so many seconds between points. */
  #every = 1;
  #ticks = 0;
  /** Changes from then on are of the running source; what is older is history, whose age is no lag. ms. */
  readonly #liveSinceMs: number | undefined;
  readonly #source: Sum;
  readonly #synced: Sum;
  readonly #planned: Sum = { objects: 0, bytes: 0 };
  readonly #finished: Sum = { objects: 0, bytes: 0 };
  #before: Sum = { objects: 0, bytes: 0 };
  readonly #copied: Sum = { objects: 0, bytes: 0 };
  #rate: Sum = { objects: 0, bytes: 0 };
  #listed = false;
  /** The oldest change that was left alone because it is too fresh, ms. */
  #unsettledMs = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(manifest: Manifest, options: JournalOptions) {
    this.#manifest = manifest;
    this.#options = options;
    this.#liveSinceMs = liveSinceMs(manifest);
    this.#source = { ...options.pass.passed };
    this.#synced = { ...options.pass.passed };
  }

  /** Begins to write; `onError` hears of a manifest that cannot be written. */
  start(onError: (error: unknown) => void): void {
    this.#timer = setInterval(() => {
      try {
        this.#tick();
        this.#write('running');
      } catch (error) {
        onError(error);
      }
    }, EVERY_MS).unref();
  }

  hear(event: RunEvent): void {
    switch (event.type) {
      case 'listed':
        if (event.side === 'source' && event.done) this.#listed = true;
        break;
      case 'skip':
        if (event.reason === 'filtered' || event.reason === 'unreadable') break;
        add(this.#source, event.size);
        if (event.reason === 'settling') this.#unsettledMs = Math.min(this.#unsettledMs, event.sourceMtimeMs ?? 0);
        else if (event.reason !== 'cutoff') add(this.#synced, event.size);
        break;
      case 'plan':
        add(this.#source, event.size);
        add(this.#planned, event.size);
        break;
      case 'progress':
        this.#copied.bytes += event.bytes;
        break;
      case 'copied':
        this.#copied.objects++;
        add(this.#synced, event.size);
        add(this.#finished, event.size);
        this.#measure(event);
        break;
      case 'held':
        add(this.#source, event.size);
        break;
      case 'failed':
        if (event.operation === undefined && this.#planned.objects > this.#finished.objects)
          add(this.#finished, event.size);
        break;
    }
  }

  /** The pair's last word on this run. @throws faults of the manifest */
  end(outcome: Exclude<RunOutcome, 'running'>, error?: RunDetail['error']): void {
    clearInterval(this.#timer);
    this.#tick();
    const { pass, whole } = this.#options;
    if (outcome === 'complete' && whole) {
      this.#manifest.setFact(FACT.synchronised, String(Math.min(pass.startedMs, this.#unsettledMs)));
      if (this.#liveSinceMs === undefined) this.#manifest.setFact(FACT.live, String(pass.startedMs));
    }
    this.#write(outcome, error);
  }

  #measure({ key, size, elapsedMs, sourceMtimeMs }: Extract<RunEvent, { type: 'copied' }>): void {
    const upTo = size === 0 ? 0 : 4 ** Math.ceil(Math.log(size) / Math.log(4));
    const sizes = this.#sizes.get(upTo) ?? { objects: 0, bytes: 0 };
    add(sizes, size);
    this.#sizes.set(upTo, sizes);
    if (this.#slowest.length < SLOWEST || elapsedMs > (this.#slowest.at(-1)?.elapsedMs ?? 0)) {
      this.#slowest.push({ key, size, elapsedMs });
      this.#slowest = this.#slowest.sort((a, b) => b.elapsedMs - a.elapsedMs).slice(0, SLOWEST);
    }
    if (this.#liveSinceMs === undefined || sourceMtimeMs < this.#liveSinceMs) return;
    const now = Date.now();
    this.#lags.add(Math.max(0, now - sourceMtimeMs), now);
  }

  #tick(): void {
    const { objects, bytes } = this.#copied;
    this.#rate = { objects: objects - this.#before.objects, bytes: bytes - this.#before.bytes };
    this.#before = { objects, bytes };
    if (this.#ticks++ % this.#every !== 0) return;
    this.#curve.push({ atMs: Date.now() - this.#startedMs, bytes, objects });
    if (this.#curve.length < MOST_POINTS) return;
    this.#every *= 2;
    for (let i = 1; i < this.#curve.length; i++) this.#curve.splice(i, 1);
  }

  #write(outcome: RunOutcome, error?: RunDetail['error']): void {
    const { runId, command, pass, summary, whole } = this.#options;
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
    const progress: Progress = {
      runId,
      command,
      startedMs: pass.startedMs,
      updatedMs: now,
      listed: this.#listed,
      complete: outcome === 'complete',
      source: this.#source,
      synced: this.#synced,
      pending: {
        objects: this.#planned.objects - this.#finished.objects,
        bytes: this.#planned.bytes - this.#finished.bytes,
      },
      rate: this.#rate,
    };
    this.#manifest.setFact(FACT.progress, JSON.stringify(progress));
  }

  /** Of the many passes of a watch, those that found nothing to do are not kept. */
  #worthKeeping(outcome: RunOutcome, { copied, deleted, failed }: Summary): boolean {
    if (this.#options.command !== 'watch' || outcome === 'broken' || outcome === 'guarded') return true;
    return copied.objects + deleted.objects + failed.objects > 0;
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

/** For a watch, which looks at parts of the keys in turn. */
export function setSynchronised(manifest: Pick<Manifest, 'setFact'>, atMs: number): void {
  manifest.setFact(FACT.synchronised, String(atMs));
}

export function progressOfPass(manifest: Pick<Manifest, 'getFact'>): Progress | undefined {
  const text = manifest.getFact(FACT.progress);
  return text === undefined ? undefined : (JSON.parse(text) as Progress);
}

function add(sum: Sum, size: number): void {
  sum.objects++;
  sum.bytes += size;
}
