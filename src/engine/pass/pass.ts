/**
 * A pass over all keys of a pair. Its progress is in the manifest, so that a later run can continue an interrupted pass
 * over a big bucket without listing the beginning again.
 */
import type { Manifest } from '../../manifest/port.js';
import type { Pass, Passed } from '../census.js';
import type { RunOptions } from '../options.js';
import { PASS, readFact, writeFact } from '../record/facts.js';

/** An interrupted pass that was saved longer ago is not continued. */
const OLDEST_MS = 6 * 3_600_000;
const SAVE_EVERY_MS = 1000;

const NOTHING: Passed = { looked: 0, objects: 0, bytes: 0 };

/** The interrupted pass that a run with these options continues, or a new one. */
export function beginPass(manifest: Manifest, options: RunOptions, nowMs: number): Pass {
  const { resume, dryRun, bounds, only } = options;
  const fresh: Pass = { startedMs: nowMs, passed: NOTHING };
  if (!resume || dryRun || bounds || only || options.filter?.files) return fresh;
  const saved = readFact(manifest, PASS);
  if (saved?.after === undefined || saved.shape !== shapeOf(options)) return fresh;
  // If the clock was set back, saved times mean nothing.
  const ageMs = nowMs - saved.savedMs;
  return ageMs >= 0 && ageMs <= OLDEST_MS ? saved : fresh;
}

/** A run over some keys, or a dry run, neither continues a pass nor ends it. */
function isPass({ dryRun, bounds, only, filter }: RunOptions): boolean {
  return !dryRun && !bounds && !only && !filter?.files;
}

function keepsPlace(options: RunOptions): boolean {
  return options.resume !== undefined && isPass(options);
}

/** Saves the progress of the pass from time to time. */
export class PassKeeper {
  readonly #manifest: Manifest;
  readonly #pass: Pass;
  readonly #options: RunOptions;
  readonly #from: number;
  #savedMs = 0;

  constructor(manifest: Manifest, pass: Pass, options: RunOptions) {
    this.#manifest = manifest;
    this.#pass = pass;
    this.#options = options;
    this.#from = keepsPlace(options) ? (options.resume?.from ?? 0) : Number.POSITIVE_INFINITY;
  }

  /** True if the pass is big enough to save, and the last save is long enough ago. */
  due(passed: Passed, nowMs: number): boolean {
    return passed.looked >= this.#from && nowMs - this.#savedMs >= SAVE_EVERY_MS;
  }

  /** Everything up to `after` must be in the manifest. */
  save(after: string, passed: Passed, nowMs: number): void {
    this.#savedMs = nowMs;
    writeFact(this.#manifest, PASS, {
      startedMs: this.#pass.startedMs,
      unsettledMs: this.#pass.unsettledMs,
      oddity: this.#pass.oddity,
      after,
      passed,
      savedMs: nowMs,
      shape: shapeOf(this.#options),
    });
  }

  /** Forgets the saved progress: the pass is complete, or starts again. */
  clear(): void {
    if (isPass(this.#options) && this.#manifest.getFact(PASS.name)) this.#manifest.setFact(PASS.name, '');
  }
}

/** The options that a pass depends on; with others it cannot be continued. Includes the rules for deletes. */
function shapeOf({ resume, noTraverse, policy, deletes }: RunOptions): string {
  const deleteUnknown = policy.mode === 'sync' && policy.deleteUnknown;
  return `${resume?.shape} ${noTraverse} ${deleteUnknown} ${deletes?.excluded}`;
}
