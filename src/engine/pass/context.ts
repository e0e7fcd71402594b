/** What one run works with, from the listings to the manifest. Tests: test/engine/pass/impossible.test.ts */
import type { Census, MirrorCensus, Pass } from '../census.js';
import type { Reporter } from '../events.js';
import type { MemoryBudget } from '../flow/budget.js';
import type { Claims } from '../flow/claims.js';
import type { Halt } from '../flow/halt.js';
import type { Limiter } from '../flow/queue.js';
import type { RunOptions } from '../options.js';
import type { RunPair } from '../pair.js';
import type { CostLimit } from '../plan/cost-limit.js';
import type { Planning } from '../plan/final.js';
import type { Forecast } from '../plan/forecast.js';
import type { Intents } from '../plan/intents.js';
import type { Route } from '../plan/plan.js';
import type { Committer } from '../record/commit.js';
import type { Recorder } from '../record/recorder.js';
import type { Executor } from '../transfer/executor.js';
import type { Slots } from '../transfer/slots.js';
import type { ConflictBook } from './conflict-book.js';
import type { Conflicts } from './conflicts.js';
import type { Moves } from './moves.js';
import type { Tagged } from './tagged.js';

/** What a mirror works with besides. */
export interface MirrorContext {
  /** The other direction. */
  back: RunContext;
  conflicts: ConflictBook;
  /** Of the keys that either side has. */
  census: MirrorCensus;
}

export interface RunContext {
  /** This run's view; see `viewFor`. */
  pair: RunPair;
  options: RunOptions;
  /** ms since 1970. */
  startedMs: number;
  pass: Pass;
  census: Census;
  forecast: Forecast;
  /** Absent: the run may cost what it likes. */
  costLimit?: CostLimit;
  route: Route;
  planning: Planning;
  intents: Intents;
  executor: Executor;
  slots: Slots;
  /** Shared with concurrent runs of this process; absent if there can be none. */
  claims?: Claims;
  budget: MemoryBudget;
  /** Limits inspections (HEADs) in flight. */
  limitInspections: Limiter;
  /** Takes name conflicts that the deletes to come may end; absent if there are none. */
  conflicts?: Conflicts;
  /** Deletes at the source what was moved; absent unless the run moves. */
  moves?: Moves;
  /** Absent: objects are not chosen by tags. */
  tagged?: Tagged;
  /** Absent unless the run goes both ways. */
  mirror?: MirrorContext;
  halt: Halt;
  committer: Committer;
  recorder: Recorder;
  emit: Reporter;
}
