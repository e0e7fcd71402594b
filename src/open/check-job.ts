/** Runs a check. Apart from `run-job.ts`, so that a copy does not load it. Tests: test/e2e/check.test.ts */
import { runCheck } from '../engine/check/check.js';
import { BLOCKS_IN_FLIGHT } from '../engine/check/content.js';
import type { CheckReporter, CheckSummary } from '../engine/check/findings.js';
import { RepairList, type RepairSummary, repair } from '../engine/check/repair.js';
import type { Reporter } from '../engine/events.js';
import { createTagFilter } from '../engine/filter/tags.js';
import { type CheckJob, parseJob } from '../engine/job/job.js';
import type { RunOptions } from '../engine/options.js';
import { trafficSum } from '../engine/record/traffic.js';
import { openToRead, openToRepair } from '../open.js';
import { carryPolicy } from './carry-policy.js';
import { refuseUnfitCheck } from './history.js';
import { numberOf, openSettings, runOptions } from './job.js';
import { named, type PairContext, refuseNothing, singleOf, warnedFilter, withPair } from './job-context.js';

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
  const versions = job.versions === true;
  if (versions) refuseUnfitCheck(job);
  const filter = await warnedFilter(job, context);
  const tags = createTagFilter({ include: job.includeTag, exclude: job.excludeTag });
  const { checkers, listConcurrency, compare } = job;
  const settings = openSettings(job, checkers * BLOCKS_IN_FLIGHT + listConcurrency, context.env);
  const open = job.repair ? openToRepair : openToRead;
  const pair = await open(job.source, job.destination, settings, { sourceAtMs: job.at, versions });
  const list = job.repair ? new RepairList(pair.manifest) : undefined;
  return withPair(pair, context, async () => {
    const { single, name } = singleOf(pair);
    const maxMemory = numberOf(job.maxMemory) ?? Number.MAX_SAFE_INTEGER;
    const oneWay = job.oneWay === true;
    const { stop } = context;
    const options = { compare, oneWay, filter, tags, checkers, listConcurrency, maxMemory, versions, stop };
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

/** A repair copies with the defaults of a copy, and the attributes that the check was asked for. */
function repairOptions(job: CheckJob, stop: AbortSignal): RunOptions {
  const { source, destination, checkers, maxMemory } = job;
  const copying = parseJob('copy', { source, destination, checkers, maxMemory, resumeListing: false });
  return { ...runOptions(copying, undefined, stop), carry: carryPolicy(job), command: 'check --repair' };
}
