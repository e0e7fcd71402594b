/**
 * A pass over all keys of a pair, which may outlive the run that began it: how far it has come is in the manifest, so
 * that an interrupted one over a big bucket is taken up where it was, without listing the beginning again.
 */
import type { Manifest } from '../../manifest/port.js';
import type { Pass, Passed } from '../census.js';
import type { RunOptions } from '../options.js';
import { PASS, readFact, writeFact } from '../record/facts.js';

/** A source that was listed longer ago is listed anew. */
const OLDEST_MS = 6 * 3_600_000;
const SAVE_EVERY_MS = 1000;

const NOTHING: Passed = { looked: 0, objects: 0, bytes: 0 };

/** The interrupted pass that a run with these options goes on with, or a new one. */
export function beginPass(manifest: Manifest, options: RunOptions, nowMs: number): Pass {
  const { resume, dryRun, bounds, only } = options;
  const fresh: Pass = { startedMs: nowMs, passed: NOTHING };
  if (!resume || dryRun || bounds || only || options.filter?.files) return fresh;
  const saved = readFact(manifest, PASS);
  if (saved?.after === undefined || saved.shape !== shapeOf(options)) return fresh;
  // Times of before mean nothing once the clock was set back.
  const ageMs = nowMs - saved.savedMs;
  return ageMs >= 0 && ageMs <= OLDEST_MS ? saved : fresh;
}

/** A run over some keys, or one that changes nothing, neither goes on with a pass nor puts an end to it. */
function isPass({ dryRun, bounds, only, filter }: RunOptions): boolean {
  return !dryRun && !bounds && !only && !filter?.files;
}

function keepsPlace(options: RunOptions): boolean {
  return options.resume !== undefined && isPass(options);
}

/** Writes how far the pass is, now and then. */
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

  /** True when it is time, and the pass big enough, to write down how far it is. */
  due(passed: Passed, nowMs: number): boolean {
    return passed.looked >= this.#from && nowMs - this.#savedMs >= SAVE_EVERY_MS;
  }

  /** Everything up to `after` must be in the manifest. */
  save(after: string, passed: Passed, nowMs: number): void {
    this.#savedMs = nowMs;
    writeFact(this.#manifest, PASS, {
      startedMs: this.#pass.startedMs,
      unsettledMs: this.#pass.unsettledMs,
      after,
      passed,
      savedMs: nowMs,
      shape: shapeOf(this.#options),
    });
  }

  /** The pass is complete, or is to begin anew. */
  clear(): void {
    if (isPass(this.#options) && this.#manifest.getFact(PASS.name)) this.#manifest.setFact(PASS.name, '');
  }
}

/** What was looked at, and how: another way needs another pass. What a pass found to delete must not be deleted under other rules than those it was found by. */
function shapeOf({ resume, noTraverse, policy, deletes }: RunOptions): string {
  const deleteUnknown = policy.mode === 'sync' && policy.deleteUnknown;
  return `${resume?.shape} ${noTraverse} ${deleteUnknown} ${deletes?.excluded}`;
}
