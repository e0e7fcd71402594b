/** How far a pass over the keys of a pair is: what it has looked at, what is at the destination, what is on its way. */
import type { Manifest } from '../../manifest/port.js';
import type { Pass } from '../census.js';
import type { RunEvent } from '../events.js';
import { PROGRESS, readFact, writeFact } from './facts.js';
import { failuresOf } from './failed.js';

/** Rates are those of the last so many milliseconds. */
const WINDOW_MS = 10_000;

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
  /** Left out by filters, or no objects (symbolic links); no part of `source`. */
  excluded: Sum;
  /** Found equal, or copied. */
  synced: Sum;
  /** To be copied; of what is being copied, the bytes that have not gone out. */
  pending: Sum;
  /** Per second, over the last seconds. */
  rate: Sum;
  /** What the source had in the last complete pass. */
  last?: Sum;
}

export class ProgressBook {
  readonly #passed: Sum;
  readonly #behind: Sum;
  #source: Sum;
  #synced: Sum;
  #excluded: Sum = nothing();
  /** Planned and not finished: no more than the queues hold. */
  readonly #pending = new Map<string, { size: number; sent: number }>();
  /** By this run. */
  readonly #copied: Sum = nothing();
  #out = 0;
  #listed = false;
  readonly #samples: { atMs: number; bytes: number; objects: number }[] = [];
  readonly #last: Sum | undefined;

  constructor(manifest: Manifest, pass: Pass) {
    const last = progressOfPass(manifest);
    this.#last = last?.complete ? last.source : last?.last;
    this.#passed = pass.passed;
    this.#behind = failedBefore(manifest, pass);
    this.#source = { ...sumOf(this.#passed) };
    this.#synced = minus(this.#passed, this.#behind);
  }

  hear(event: RunEvent): void {
    switch (event.type) {
      case 'listed':
        if (event.side === 'source') this.#listed = event.done;
        break;
      case 'skip':
        this.#skip(event);
        break;
      case 'plan':
        add(this.#source, event.size);
        this.#pending.set(event.key, { size: event.size, sent: 0 });
        break;
      case 'begin':
        this.#send(event.key, (entry) => {
          entry.sent = event.resumedBytes;
        });
        break;
      case 'progress':
        this.#out += event.bytes;
        this.#send(event.key, (entry) => {
          entry.sent += event.bytes;
        });
        break;
      case 'copied':
        this.#pending.delete(event.key);
        add(this.#synced, event.size);
        add(this.#copied, event.size);
        break;
      case 'held':
        add(this.#source, event.size);
        break;
      case 'failed':
        // What could not even be planned has been looked at all the same.
        if (event.operation === undefined && !this.#pending.delete(event.key)) add(this.#source, event.size);
        break;
      case 'again':
        this.#startAgain();
        break;
    }
  }

  /** Takes the instant down, for the rates. */
  sample(atMs: number): void {
    this.#samples.push({ atMs, bytes: this.#out, objects: this.#copied.objects });
    while ((this.#samples[1]?.atMs ?? atMs) <= atMs - WINDOW_MS) this.#samples.shift();
  }

  /** What went out and was copied in this run. */
  get moved(): Sum {
    return { objects: this.#copied.objects, bytes: this.#out };
  }

  state(): Omit<Progress, 'runId' | 'command' | 'startedMs' | 'updatedMs' | 'complete'> {
    const left = [...this.#pending.values()].map(({ size, sent }) => Math.max(0, size - sent));
    return {
      listed: this.#listed,
      source: this.#source,
      excluded: this.#excluded,
      synced: this.#synced,
      pending: { objects: left.length, bytes: left.reduce((sum, bytes) => sum + bytes, 0) },
      rate: this.#rate(),
      last: this.#last,
    };
  }

  #skip({ key, size, reason }: Extract<RunEvent, { type: 'skip' }>): void {
    if (reason === 'filtered' || reason === 'unreadable') {
      add(this.#excluded, size);
      return;
    }
    // Planned, and then done by another run of this process.
    if (!this.#pending.delete(key)) add(this.#source, size);
    if (reason !== 'cutoff' && reason !== 'settling') add(this.#synced, size);
  }

  #send(key: string, change: (entry: { sent: number }) => void): void {
    const entry = this.#pending.get(key);
    if (entry) change(entry);
  }

  /** Nothing is told again of what this run has copied. */
  #startAgain(): void {
    this.#source = plus(this.#passed, this.#copied);
    this.#synced = minus(this.#source, this.#behind);
    this.#excluded = nothing();
    this.#pending.clear();
  }

  #rate(): Sum {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.atMs <= first.atMs) return nothing();
    const seconds = (last.atMs - first.atMs) / 1000;
    return { objects: (last.objects - first.objects) / seconds, bytes: (last.bytes - first.bytes) / seconds };
  }
}

/** Of a pass that goes on: what had been passed and was not copied. */
function failedBefore(manifest: Manifest, pass: Pass): Sum {
  const sum = nothing();
  for (const { size } of failuresOf(manifest, pass)) add(sum, size);
  return sum;
}

export function progressOfPass(manifest: Pick<Manifest, 'getFact'>): Progress | undefined {
  return readFact(manifest, PROGRESS);
}

export function saveProgress(manifest: Pick<Manifest, 'setFact'>, progress: Progress): void {
  writeFact(manifest, PROGRESS, progress);
}

function nothing(): Sum {
  return { objects: 0, bytes: 0 };
}

function sumOf({ objects, bytes }: Sum): Sum {
  return { objects, bytes };
}

function add(sum: Sum, size: number): void {
  sum.objects++;
  sum.bytes += size;
}

function plus(a: Sum, b: Sum): Sum {
  return { objects: a.objects + b.objects, bytes: a.bytes + b.bytes };
}

/** Never below nothing. */
export function minus(a: Sum, b: Sum): Sum {
  return { objects: Math.max(0, a.objects - b.objects), bytes: Math.max(0, a.bytes - b.bytes) };
}
