/** Prepares a watch. Apart from `run-job.ts`, so that a copy does not load it. Tests: test/e2e/watch.test.ts */
import type { Reporter } from '../engine/events.js';
import type { SourceReader } from '../engine/fan/source.js';
import type { WatchJob } from '../engine/job/job.js';
import type { RunOptions } from '../engine/options.js';
import { inStep } from '../engine/watch/in-step.js';
import { Schedule, type ScheduleOptions } from '../engine/watch/schedule.js';
import { type Timetable, Watch, type WatchedPair, type WatchOptions } from '../engine/watch/watch.js';
import { XsyncError } from '../model/error.js';
import { openPair } from '../open.js';
import type { RulePair } from '../rules/rule.js';
import { historyOf } from './history.js';
import { backupOf, copyConnections, numberOf, openSettings, referencePaths, referencesOf, runOptions } from './job.js';
import { type JobContext, warnedFilter } from './job-context.js';
import { watchedMirror } from './mirror.js';
import type { Network } from './network.js';
import { orderOf } from './order.js';
import { jobOptions, openJob } from './run-job.js';

export interface WatchContext extends JobContext {
  /** Aborted to finish the transfers in flight and end the watch. */
  drain: AbortSignal;
  changes?: WatchOptions['changes'];
}

/** A watch that the caller must run. @throws usage */
export async function watchOf(job: WatchJob, context: WatchContext, report: Reporter): Promise<Watch> {
  const { stop, drain, env, changes } = context;
  const order = await orderOf(job.orderBy);
  const history = historyOf(job);
  const filter = await warnedFilter(job, context);
  const mirror = job.mirror === true;
  const common = { ...(mirror ? watchedMirror : runOptions)(job, filter, stop), order };
  const options = history ? { ...common, history, resume: undefined } : common;
  const open = async (): Promise<WatchedPair> => {
    const places = { aside: job.backupDir, others: referencePaths(job) };
    const how = { command: 'watch', single: false, dryRun: false, mirror, ...places };
    const pair = await openPair(job.source, job.destination, openSettings(job, copyConnections(job), env), how);
    return { ...pair, backup: backupOf(pair, job), references: referencesOf(pair, job) };
  };
  const schedule = scheduleOf(job);
  const driftMs = numberOf(job.checkDestination) ?? Number.POSITIVE_INFINITY;
  return new Watch({ run: { ...options, drain }, schedule, driftMs, settleMs: job.settle, open, changes }, report);
}

/** A pair of a rule, among the others that are served. */
export interface ServedContext extends WatchContext {
  network: Network;
  turn<T>(pass: () => Promise<T>): Promise<T>;
  /** Of the rule's cron expression; absent: its intervals count. */
  timetable?: Timetable;
  /** As in PairContext. */
  reader?: SourceReader;
}

/** The watch of one pair of a rule: what its job does once, again and again. @throws usage */
export async function watchOfRule(pair: RulePair, context: ServedContext, report: Reporter): Promise<Watch> {
  const { job, schedule } = pair;
  const { drain, changes, network, turn, timetable, reader } = context;
  const options: RunOptions = { ...(await jobOptions(job, context)), command: 'serve' };
  return new Watch(
    {
      run: { ...options, failedBefore: 'wait', drain },
      schedule: timesOf(pair, timetable, reader),
      driftMs: numberOf(schedule.checkDestination) ?? Number.POSITIVE_INFINITY,
      settleMs: schedule.settle,
      open: () => openJob(listed(job), options, context),
      changes,
      among: { turn, share: (own) => network.share(own) },
    },
    report,
  );
}

/** Pairs that read the same source begin their passes together. @throws usage */
function timesOf({ schedule }: RulePair, timetable: Timetable | undefined, reader: SourceReader | undefined) {
  const times = scheduleOf(schedule);
  const own = timetable ?? new Schedule(times);
  return reader ? inStep(own, reader, timetable ? undefined : times.shortestMs) : own;
}

/** An inventory is from one day, and a watch finds out what has changed since. @throws usage: a list ends */
function listed(job: RulePair['job']): RulePair['job'] {
  if (job.mode !== 'copy' && job.mode !== 'sync') return job;
  if (job.mode === 'copy' && (job.filesFromVersions ?? job.batchManifest) !== undefined) {
    throw new XsyncError('usage', 'a rule that is served has no list of objects, because it goes on', {
      subject: job.batchManifest === undefined ? 'filesFromVersions' : 'batchManifest',
      remedy: 'Use "xsync run", or leave it out.',
    });
  }
  return { ...job, sourceInventory: undefined, destInventory: undefined };
}

/** @throws usage when the intervals contradict each other */
function scheduleOf({ interval, minInterval, maxInterval, fullInterval }: RulePair['schedule']): ScheduleOptions {
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
