/** `run`, and `rules plan`: the pairs of rules, once. Tests: test/e2e/rules.test.ts */
import type { RunEvent, Summary } from '../../engine/events.js';
import { Shared } from '../../engine/shared.js';
import { toXsyncError, XsyncError } from '../../model/error.js';
import type { PreparedPair } from '../../open/rules.js';
import { labelOf } from '../../rules/rule.js';
import { precedenceOf, runInOrder } from '../../rules/run-order.js';
import { type Context, type Io, runCommand } from '../context.js';
import { EXIT, exitOfError, exitOfSummary, worstExit } from '../exit.js';
import { onInterrupt } from '../interrupt.js';
import type { QueueFlags, ReportFlags, RulesFlags, SharedFlags } from '../options.js';
import { warnOfFindings } from './rules-check.js';

export type RunFlags = RulesFlags & ReportFlags & SharedFlags & Partial<QueueFlags> & { parallel: number };

/** @param dryRun only shows what would be done */
export function runRules(io: Io, names: readonly string[], flags: RunFlags, dryRun: boolean): Promise<number> {
  return runCommand(io, flags, { bars: false, idleSilent: !dryRun, stamped: !dryRun }, async (context) => {
    const { rules: file, config, queue } = flags;
    const { prepareRules } = await import('../../open/rules.js');
    const prepared = await prepareRules({ rules: file, config, queue, env: io.env, names, runs: !dryRun });
    refuseNone(prepared.pairs, prepared.rules.length);
    for (const { name } of prepared.rules.filter(({ enabled }) => !enabled && names.length > 0)) {
      context.log.say('notice', `rule "${name}" is not enabled, and is left out`);
    }
    warnOfFindings(context, prepared.findings);
    const [{ Network }, { networkLimits }] = await Promise.all([
      import('../../open/network.js'),
      import('../network.js'),
    ]);
    const network = new Network(networkLimits(flags));
    const interruption = onInterrupt(context);
    const means = { context, network, stop: interruption.signal, dryRun };
    const tasks = prepared.pairs.map((pair) => ({
      ...{ rule: pair.rule.name, group: pair.reads?.id },
      run: () => runPairOf(pair, means),
    }));
    try {
      const precedence = precedenceOf(
        prepared.rules.map(({ name }) => name),
        prepared.findings,
      );
      return worstExit(await runInOrder(tasks, precedence, flags.parallel));
    } finally {
      interruption.dispose();
    }
  });
}

interface Means {
  context: Context;
  network: import('../../open/network.js').Network;
  stop: AbortSignal;
  dryRun: boolean;
}

/** Runs one pair. Its error is reported, and is its exit code. */
async function runPairOf(pair: PreparedPair, { context, network, stop, dryRun }: Means): Promise<number> {
  if (stop.aborted) return EXIT.interrupted;
  const log = context.log.of(labelOf(pair));
  // Before anything takes time, so that pairs that begin together know of each other.
  const reader = pair.reads && network.reader(pair.reads);
  let last: Summary | undefined;
  let shared: Shared | undefined;
  const report = (event: RunEvent): void => {
    if (event.type === 'end') last = event.summary;
    else log.report(event);
  };
  const means = {
    ...{ stop, network, reader, listedSinceMs: reader?.joinedMs, env: context.io.env },
    warn: (text: string) => log.say('notice', `warning: ${text}`),
    shared: (
      ...[open, options]: [ConstructorParameters<typeof Shared>[0], ConstructorParameters<typeof Shared>[1]]
    ) => {
      shared = new Shared(open, options, report, (own) => network.share(own));
      return shared;
    },
  };
  try {
    const { mirror, transfer } = await import('../../open/run-job.js');
    const job = { ...pair.job, dryRun: dryRun || pair.job.dryRun === true };
    const summary = await (job.mode === 'mirror' ? mirror(job, means, report) : transfer(job, means, report));
    const exitCode = exitOfSummary(summary, { errorOnNoTransfer: false });
    log.end(summary, exitCode);
    return exitCode;
  } catch (error) {
    const known = toXsyncError(error);
    if (last !== undefined) log.end(last, exitOfError(known), known);
    log.fail(known, exitOfError(known));
    return exitOfError(known);
  } finally {
    shared?.close();
    reader?.leave();
    log.close();
  }
}

/** @throws usage */
export function refuseNone(pairs: readonly PreparedPair[], rules: number): void {
  if (pairs.length > 0) return;
  throw new XsyncError('usage', rules === 0 ? 'there are no rules' : 'none of the rules is enabled', {
    remedy: 'Write them under "rules:" in the config, or name a file with --rules (docs/rules.md).',
  });
}
