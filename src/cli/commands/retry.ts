import type { Reporter, Summary } from '../../engine/events.js';
import type { RunOptions } from '../../engine/options.js';
import { clearSettled } from '../../engine/record/failed.js';
import { addSummaries } from '../../engine/record/summaries.js';
import type { FailureRow } from '../../manifest/port.js';
import { toXsyncError, type XsyncError } from '../../model/error.js';
import type { OpenPair } from '../../open.js';
import { type Context, runCommand } from '../context.js';
import { exitOfError, exitOfSummary } from '../exit.js';
import { onInterrupt } from '../interrupt.js';
import {
  type ConnectionFlags,
  configOption,
  type LinkFlags,
  type LogFlags,
  linkOption,
  networkOptions,
  type ReportFlags,
  reportOptions,
  type TransferFlags,
  transferOptions,
} from '../options.js';
import type { Program } from '../program.js';
import { backupOf, copyConnections, openSettings, runOptions } from '../settings.js';
import { type ChoiceFlags, choiceOptions, chosenFailures } from './failed.js';
import { namesOf, onePair, pairAndPatterns } from './pairs.js';

type RetryFlags = ChoiceFlags & TransferFlags & LinkFlags & ConnectionFlags & ReportFlags & LogFlags;

export function addRetry({ root, io, finish }: Program): void {
  const command = root
    .command('retry [source] [destination] [pattern...]')
    .summary('try what failed again, now')
    .description(
      'Tries the failed objects of a pair again, whatever they wait for: all but those that were given up, or those ' +
        'whose keys fit a pattern. Nothing is listed and nothing is deleted.',
    )
    .optionsGroup('Failed objects:')
    .addHelpText('after', EXAMPLES);
  choiceOptions(command);
  transferOptions(command);
  linkOption(command);
  networkOptions(command);
  reportOptions(command);
  configOption(command).action(async () => {
    const flags = command.opts<RetryFlags>();
    finish(await runCommand(io, flags, { bars: true }, (context) => retry(context, flags, command.args)));
  });
}

async function retry(context: Context, flags: RetryFlags, args: readonly string[]): Promise<number> {
  const { io, log } = context;
  const { pair: wanted, patterns } = await pairAndPatterns(io, flags, args);
  const chosen = { ...flags, include: patterns.length > 0 ? patterns : undefined };
  const { source, destination, exact, file } = await onePair(io, flags, wanted, async (known) => ({
    ...(await namesOf(known)),
    file: known.file,
  }));
  const interruption = onInterrupt(log);
  try {
    const policy = { traverse: true, modifyWindow: 1, cutoffMode: 'hard' } as const;
    const options = runOptions('retry', { ...flags, ...policy, include: undefined }, undefined, interruption.signal);
    const settings = openSettings({ ...flags, manifest: file }, copyConnections(flags), io.env);
    const { openPair } = await import('../../open.js');
    const pair = await openPair(wanted?.source ?? source, wanted?.destination ?? destination, settings, {
      command: 'retry',
      single: exact,
      dryRun: options.dryRun,
      aside: flags.backupDir,
    });
    try {
      return await tryAll(context, pair, { ...options, resume: undefined, backup: backupOf(pair, flags) }, chosen);
    } finally {
      await pair.close();
    }
  } finally {
    interruption.dispose();
  }
}

/** Keys of one run, which are asked for one by one. */
const BATCH = 1000;

async function tryAll({ log }: Context, pair: OpenPair, options: RunOptions, chosen: ChoiceFlags): Promise<number> {
  let total: Summary | undefined;
  const end = (error?: XsyncError): number => {
    if (!total) return 0;
    const exitCode = error ? exitOfError(error) : exitOfSummary(total, { errorOnNoTransfer: false });
    log.end(total, exitCode, error);
    return exitCode;
  };
  try {
    for await (const keys of batches(pair, chosen)) {
      await tryBatch(pair, options, keys, (event) => {
        if (event.type === 'end') total = addSummaries(total, event.summary);
        else log.report(event);
      });
      if (total?.stopped) break;
    }
  } catch (error) {
    const known = toXsyncError(error);
    end(known);
    throw known;
  }
  if (!total) log.say('notice', 'Nothing that failed is to be tried.');
  return end();
}

async function tryBatch(pair: OpenPair, options: RunOptions, keys: readonly string[], report: Reporter): Promise<void> {
  const { runPair } = await import('../../engine/run.js');
  const sinceMs = Date.now();
  const summary = await runPair(pair, { ...options, only: keys }, report);
  if (!summary.stopped && !options.dryRun) clearSettled(pair.manifest, keys, sinceMs);
}

/** What was given up is tried only when it is named. */
async function* batches({ manifest }: OpenPair, chosen: ChoiceFlags): AsyncGenerator<string[], void> {
  const wanted = (row: FailureRow): boolean => !row.dropped || chosen.include !== undefined;
  const keys: string[] = [];
  for await (const page of chosenFailures(manifest, chosen)) {
    keys.push(...page.filter(wanted).map(({ key }) => key));
    while (keys.length >= BATCH) yield keys.splice(0, BATCH);
  }
  if (keys.length > 0) yield keys;
}

const EXAMPLES = `
Examples:
  xsync retry virginia:photos shanghai:photos
  xsync retry virginia:photos shanghai:photos --class person
  xsync retry --manifest pair.db '2024/*.jpg'

The pair's two paths come first, or --manifest FILE names it; neither is needed
while this machine knows only one pair. The exit code is 0 when everything that
was tried has arrived.`;
