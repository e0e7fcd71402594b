/**
 * A pass over all keys of a pair, which may outlive the run that began it: how far it has come is in the manifest, so
 * that an interrupted one over a big bucket is taken up where it was, without listing the beginning again.
 */
import type { Manifest } from '../manifest/port.js';
import type { Passed } from './frontier.js';
import type { RunOptions } from './options.js';

/** The manifest's fact in which it stands. */
const FACT = 'pass';
/** A source that was listed longer ago is listed anew. */
const OLDEST_MS = 6 * 3_600_000;
const SAVE_EVERY_MS = 1000;

export interface Pass {
  /** When its first page was asked for, ms: what was written before is at the destination when the pass ends. */
  startedMs: number;
  /** Where it goes on; absent at its beginning. */
  after?: string;
  passed: Passed;
}

interface Saved extends Pass {
  savedMs: number;
  /** What was looked at, and how: another way needs another pass. */
  shape: string;
}

const NOTHING: Passed = { objects: 0, bytes: 0 };

/** The interrupted pass that a run with these options goes on with, or a new one. */
export function beginPass(manifest: Manifest, options: RunOptions, nowMs: number): Pass {
  const { resume, dryRun, bounds, only, noTraverse } = options;
  const fresh: Pass = { startedMs: nowMs, passed: NOTHING };
  if (!resume || dryRun || bounds || only || options.filter?.files) return fresh;
  const saved = readSaved(manifest);
  const fits = saved?.after !== undefined && saved.shape === shapeOf(resume.shape, noTraverse);
  return fits && nowMs - saved.savedMs <= OLDEST_MS ? saved : fresh;
}

/** Writes how far the pass is, now and then. */
export class PassKeeper {
  readonly #manifest: Manifest;
  readonly #pass: Pass;
  readonly #from: number;
  readonly #shape: string;
  #savedMs = 0;

  constructor(manifest: Manifest, pass: Pass, { resume, noTraverse }: RunOptions) {
    this.#manifest = manifest;
    this.#pass = pass;
    this.#from = resume?.from ?? Number.POSITIVE_INFINITY;
    this.#shape = shapeOf(resume?.shape ?? '', noTraverse);
  }

  /** True when it is time, and the pass big enough, to write down how far it is. */
  due(passed: Passed, nowMs: number): boolean {
    return passed.objects >= this.#from && nowMs - this.#savedMs >= SAVE_EVERY_MS;
  }

  /** Everything up to `after` must be in the manifest. */
  save(after: string, passed: Passed, nowMs: number): void {
    this.#savedMs = nowMs;
    const saved: Saved = { startedMs: this.#pass.startedMs, after, passed, savedMs: nowMs, shape: this.#shape };
    this.#manifest.setFact(FACT, JSON.stringify(saved));
  }

  /** The pass is complete, or is to begin anew. */
  clear(): void {
    if (this.#manifest.getFact(FACT)) this.#manifest.setFact(FACT, '');
  }
}

function shapeOf(shape: string, noTraverse: boolean): string {
  return `${shape} ${noTraverse}`;
}

function readSaved(manifest: Manifest): Saved | undefined {
  const text = manifest.getFact(FACT);
  return text ? (JSON.parse(text) as Saved) : undefined;
}
