/** Runs a job: opens its places, runs, and closes them. For the command line and the library. */
import { runCheck } from '../engine/check/check.js';
import { BLOCKS_IN_FLIGHT } from '../engine/check/content.js';
import type { CheckEvent, CheckReporter, CheckSummary } from '../engine/check/findings.js';
import { RepairList, type RepairSummary, repair } from '../engine/check/repair.js';
import type { Failure, Reporter, RunEvent, Summary } from '../engine/events.js';
import type { Filter } from '../engine/filter/filter.js';
import { type CheckJob, type CopyJob, parseJob, type SyncJob, type WatchJob } from '../engine/job/job.js';
import type { RunOptions } from '../engine/options.js';
import { trafficSum } from '../engine/record/traffic.js';
import { runPair } from '../engine/run.js';
import { Watch, type WatchedPair, type WatchOptions } from '../engine/watch/watch.js';
import { XsyncError } from '../model/error.js';
import { openPair, openToRead, openToRepair } from '../open.js';
import { backupOf, copyConnections, filterOf, numberOf, openSettings, runOptions } from './job.js';
import type { OpenPair } from './settings.js';

/** What a job needs besides its data. */
export interface JobContext {
  stop: AbortSignal;
  env: NodeJS.ProcessEnv;
  /** Receives warnings about the job's filters. */
  warn(message: string): void;
}

export interface PairContext extends JobContext {
  /** Called when the pair is open. The returned function is called before it is closed. */
  opened?(pair: OpenPair): Promise<() => void>;
}

/**
 * Copies or syncs.
 * @throws usage, config, locked; what `runPair` throws; bucket-not-found or object-not-found when there is
 *   nothing at the source. The last three come after an `end` event.
 */
export async function transfer(job: CopyJob | SyncJob, context: PairContext, report: Reporter): Promise<Summary> {
  const filter = await warnedFilter(job, context);
  const options = runOptions(job, filter, context.stop);
  const pair = await openPair(job.source, job.destination, openSettings(job, copyConnections(job), context.env), {
    command: options.command,
    single: job.mode === 'copy' && job.single === true,
    dryRun: options.dryRun,
    aside: job.backupDir,
  });
  return withPair(pair, context, async () => {
    const { name } = singleOf(pair);
    const backup = backupOf(pair, job);
    const summary = await runPair(pair, { ...options, backup }, (event) => report(named(event, name)));
    if (options.deletes?.allowEmptySource !== true) refuseNothing(pair, summary, options);
    return namedSummary(summary, name);
  });
}

export interface CheckContext extends PairContext {
  /** Called after the comparison and before the repair, if any. */
  checked?(summary: CheckSummary): Promise<void>;
}

/** `traffic` includes the check and the repair. */
export type CheckOutcome = CheckSummary & { repaired?: RepairSummary };

/**
 * Compares, and with `repair` copies missing and different objects.
 * @param repairing receives the events of a repair
 * @throws usage, config, locked; what `runCheck` throws; bucket-not-found when there is nothing at the source
 */
export async function examine(
  job: CheckJob,
  context: CheckContext,
  report: CheckReporter,
  repairing: Reporter,
): Promise<CheckOutcome> {
  const filter = await warnedFilter(job, context);
  const { checkers, listConcurrency, compare } = job;
  const settings = openSettings(job, checkers * BLOCKS_IN_FLIGHT + listConcurrency, context.env);
  const open = job.repair ? openToRepair : openToRead;
  const pair = await open(job.source, job.destination, settings);
  const list = job.repair ? new RepairList(pair.manifest) : undefined;
  return withPair(pair, context, async () => {
    const { single, name } = singleOf(pair);
    const maxMemory = numberOf(job.maxMemory) ?? Number.MAX_SAFE_INTEGER;
    const oneWay = job.oneWay === true;
    const { stop } = context;
    const options = { compare, oneWay, filter, checkers, listConcurrency, maxMemory, stop };
    const summary = await runCheck(pair, options, (event) => {
      list?.hear(event);
      return report(named(event, name));
    });
    await context.checked?.(summary);
    if (!single) refuseNothing(pair, summary, options);
    if (!list || summary.stopped !== undefined) return summary;
    const repaired = await repair(pair, list, repairOptions(job, stop), (event) => repairing(named(event, name)));
    return { ...summary, traffic: trafficSum(summary.traffic, repaired.traffic), repaired };
  }).finally(() => list?.dispose());
}

/** A repair copies with the defaults of a copy. */
function repairOptions(job: CheckJob, stop: AbortSignal): RunOptions {
  const { source, destination, checkers, maxMemory, storageClass } = job;
  const copying = parseJob('copy', { source, destination, checkers, maxMemory, storageClass, resumeListing: false });
  return { ...runOptions(copying, undefined, stop), command: 'check --repair' };
}

export interface WatchContext extends JobContext {
  /** Aborted to finish the transfers in flight and end the watch. */
  drain: AbortSignal;
  changes?: WatchOptions['changes'];
}

/** A watch that the caller must run. @throws usage */
export async function watchOf(job: WatchJob, context: WatchContext, report: Reporter): Promise<Watch> {
  const { stop, drain, env, changes } = context;
  const options = runOptions(job, await warnedFilter(job, context), stop);
  const open = async (): Promise<WatchedPair> => {
    const how = { command: 'watch', single: false, dryRun: false, aside: job.backupDir };
    const pair = await openPair(job.source, job.destination, openSettings(job, copyConnections(job), env), how);
    return { ...pair, backup: backupOf(pair, job) };
  };
  const schedule = scheduleOf(job);
  const driftMs = numberOf(job.checkDestination) ?? Number.POSITIVE_INFINITY;
  return new Watch({ run: { ...options, drain }, schedule, driftMs, settleMs: job.settle, open, changes }, report);
}

/** @throws usage when the intervals contradict each other */
function scheduleOf({ interval, minInterval, maxInterval, fullInterval }: WatchJob): WatchOptions['schedule'] {
  const shortestMs = minInterval ?? interval / 4;
  const longestMs = maxInterval ?? 2 * interval;
  if (shortestMs > interval) throw contrary('minInterval', 'longer');
  if (longestMs < interval) throw contrary('maxInterval', 'shorter');
  return { intervalMs: interval, shortestMs, longestMs, fullMs: fullInterval ?? 10 * interval };
}

function contrary(subject: string, how: string): XsyncError {
  const remedy = 'change one of them';
  return new XsyncError('usage', `${subject} is ${how} than interval`, { subject, remedy });
}

async function warnedFilter(job: Parameters<typeof filterOf>[0], { warn }: JobContext): Promise<Filter | undefined> {
  const filter = await filterOf(job);
  for (const warning of filter?.warnings ?? []) warn(warning);
  return filter;
}

async function withPair<T>(pair: OpenPair, { opened }: PairContext, body: () => Promise<T>): Promise<T> {
  try {
    const closing = await opened?.(pair);
    try {
      return await body();
    } finally {
      closing?.();
    }
  } finally {
    await pair.close();
  }
}

/** Stores have no folders: a prefix with nothing below it does not exist and is most likely a typo. */
function refuseNothing(
  { source }: OpenPair,
  { stopped, listed }: Pick<Summary, 'stopped' | 'listed'>,
  { filter, command }: { filter?: Filter; command?: string },
): void {
  if (stopped !== undefined || filter?.files !== undefined || source.path === '' || listed.source > 0) return;
  const code = command === 'copyto' ? 'object-not-found' : 'bucket-not-found';
  const remedy = 'check the path';
  throw new XsyncError(code, `there is nothing at ${source.text}`, { subject: source.text, remedy });
}

/** The name of a pair's single object, for events. Its key relative to the pair is empty. */
function singleOf({ single, source: { prefix } }: OpenPair): { single: boolean; name: string } {
  return { single, name: single ? prefix.slice(prefix.lastIndexOf('/') + 1) : '' };
}

function named<E extends CheckEvent | RunEvent>(event: E, name: string): E {
  if (event.type === 'end') return { ...event, summary: namedSummary(event.summary, name) };
  return 'key' in event && event.key === '' ? { ...event, key: name } : event;
}

function namedSummary(summary: Summary, name: string): Summary {
  const list = summary.failed.list.map((failure: Failure) =>
    failure.key === '' ? { ...failure, key: name } : failure,
  );
  return { ...summary, failed: { ...summary.failed, list } };
}
