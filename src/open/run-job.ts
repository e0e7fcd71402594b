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
import { inventoriesOf, listOf } from './inventories.js';
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
  const options = await jobOptions(job, context);
  const pair = await openJob(job, options, context);
  return withPair(pair, context, async () => {
    const { name } = singleOf(pair);
    const tell = (event: RunEvent): void => report(named(event, name));
    const { backup, listed } = pair;
    const { listedSinceMs } = context;
    const own = { ...options, listedSinceMs, filter: listed ?? options.filter };
    const summary = await runPair(pair, { ...own, backup }, tell, context.shared?.(pair, options));
    if (options.deletes?.allowEmptySource !== true) refuseNothing(pair, summary, own);
    return namedSummary(summary, name);
  });
}

/**
 * Makes both sides equal.
 * @throws usage, config, locked; what `runPair` throws
 */
export async function mirror(job: MirrorJob, context: PairContext, report: Reporter): Promise<Summary> {
  const options = await jobOptions(job, context);
  const pair = await openJob(job, options, context);
  return withPair(pair, context, () => runPair(pair, options, report, context.shared?.(pair, options)));
}

/** How the runs of a job behave. @throws usage: options that contradict each other, or cannot be read */
export async function jobOptions(
  job: CopyJob | MoveJob | SyncJob | MirrorJob,
  context: Pick<PairContext, 'stop' | 'env' | 'warn' | 'confirm'>,
): Promise<RunOptions> {
  const { confirm } = context;
  const filter = await warnedFilter(job, context);
  const common = { order: await orderOf(job.orderBy), confirm };
  if (job.mode === 'mirror') return { ...mirrorOptions(job, filter, context.stop), ...common };
  const history = historyOf(job, confirm !== undefined);
  return { ...runOptions(job, filter, context.stop), ...common, ...(history && { history, resume: undefined }) };
}

/** Opens the pair of a job, with everything that its runs need. @throws as `openPair` */
export async function openJob(
  job: CopyJob | MoveJob | SyncJob | MirrorJob,
  { command, dryRun, history }: RunOptions,
  { env, network, reader }: Pick<PairContext, 'env' | 'network' | 'reader'>,
): Promise<OpenPair> {
  const settings = { ...openSettings(job, copyConnections(job), env), network };
  const { source, destination } = job;
  if (job.mode === 'mirror') {
    return openPair(source, destination, settings, { command, dryRun, single: false, mirror: true });
  }
  const pair = await openPair(source, destination, settings, {
    ...{ command, dryRun, single: job.mode !== 'sync' && job.single === true },
    ...{ aside: job.backupDir, others: referencePaths(job), versions: history !== undefined },
    sourceAtMs: job.mode === 'move' ? undefined : job.at,
    inventories: inventoriesOf(job),
    list: listOf(job),
  });
  try {
    const source = { ...pair.source, reader };
    return { ...pair, source, backup: backupOf(pair, job), references: referencesOf(pair, job) };
  } catch (error) {
    await pair.close();
    throw error;
  }
}
