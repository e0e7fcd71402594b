/**
 * Runs a copy or a sync: opens its places, runs, and closes them. For the command line and the library.
 * Tests: test/cli/main.test.ts
 */
import type { Reporter, RunEvent, Summary } from '../engine/events.js';
import type { CopyJob, MirrorJob, MoveJob, SyncJob } from '../engine/job/job.js';
import type { RunOptions } from '../engine/options.js';
import { runPair } from '../engine/run.js';
import { openPair } from '../open.js';
import { historyOf } from './history.js';
import { inventoriesOf } from './inventories.js';
import { backupOf, copyConnections, openSettings, referencePaths, referencesOf, runOptions } from './job.js';
import {
  named,
  namedSummary,
  type PairContext,
  refuseNothing,
  singleOf,
  warnedFilter,
  withPair,
} from './job-context.js';
import { mirrorOptions } from './mirror.js';
import { orderOf } from './order.js';
import type { OpenPair } from './settings.js';

/**
 * Copies, moves or syncs.
 * @throws usage, config, locked; what `runPair` throws; bucket-not-found or object-not-found when there is
 *   nothing at the source. The last three come after an `end` event.
 */
export async function transfer(
  job: CopyJob | MoveJob | SyncJob,
  context: PairContext,
  report: Reporter,
): Promise<Summary> {
  const filter = await warnedFilter(job, context);
  const order = await orderOf(job.orderBy);
  const { confirm } = context;
  const history = historyOf(job, confirm !== undefined);
  const options = {
    ...runOptions(job, filter, context.stop),
    order,
    confirm,
    ...(history && { history, resume: undefined }),
  };
  const pair = await openPair(job.source, job.destination, openSettings(job, copyConnections(job), context.env), {
    command: options.command,
    single: job.mode !== 'sync' && job.single === true,
    dryRun: options.dryRun,
    aside: job.backupDir,
    others: referencePaths(job),
    versions: history !== undefined,
    sourceAtMs: job.mode === 'move' ? undefined : job.at,
    inventories: inventoriesOf(job),
  });
  return withPair(pair, context, async () => {
    const { name } = singleOf(pair);
    const tell = (event: RunEvent): void => report(named(event, name));
    const summary = await run(pair, job, options, tell);
    if (options.deletes?.allowEmptySource !== true) refuseNothing(pair, summary, options);
    return namedSummary(summary, name);
  });
}

/**
 * Makes both sides equal.
 * @throws usage, config, locked; what `runPair` throws
 */
export async function mirror(job: MirrorJob, context: PairContext, report: Reporter): Promise<Summary> {
  const filter = await warnedFilter(job, context);
  const order = await orderOf(job.orderBy);
  const options = { ...mirrorOptions(job, filter, context.stop), order, confirm: context.confirm };
  const { command, dryRun } = options;
  const how = { command, dryRun, single: false, mirror: true };
  const settings = openSettings(job, copyConnections(job), context.env);
  const pair = await openPair(job.source, job.destination, settings, how);
  return withPair(pair, context, () => runPair(pair, options, report));
}

function run(
  pair: OpenPair,
  job: CopyJob | MoveJob | SyncJob,
  options: RunOptions,
  report: Reporter,
): Promise<Summary> {
  const backup = backupOf(pair, job);
  return runPair({ ...pair, references: referencesOf(pair, job) }, { ...options, backup }, report);
}
