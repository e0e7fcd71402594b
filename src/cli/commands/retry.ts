/** Tests: test/cli/pairs.test.ts */
import type { Summary } from '../../engine/events.js';
import type { RunOptions } from '../../engine/options.js';
import { HISTORY, readFact } from '../../engine/record/facts.js';
import { retryBatches } from '../../engine/record/failed.js';
import { toXsyncError, XsyncError } from '../../model/error.js';
import { historyOf } from '../../open/history.js';
import { backupOf, copyConnections, openSettings, runOptions } from '../../open/job.js';
import type { KnownPair } from '../../open/known.js';
import { isMirrored } from '../../open/mirror.js';
import type { OpenPair } from '../../open.js';
import { type Context, type Io, runCommand } from '../context.js';
import { EXIT, exitOfError, exitOfSummary } from '../exit.js';
import { onInterrupt } from '../interrupt.js';
import { jobOf } from '../job.js';
import {
  type ConnectionFlags,
  configOption,
  type LinkFlags,
  type LogFlags,
  networkOptions,
  type ReportFlags,
  reportOptions,
  type TransferFlags,
  transferOptions,
} from '../options.js';
import type { Program } from '../program.js';
import { type ChoiceFlags, choiceOptions, chosenFailures } from './failed.js';
import {
  isUrl,
  namesOf,
  onePair,
  type PairNames,
  pairAndPatterns,
  pairsOf,
  tellBroken,
  type wantedPair,
} from './pairs.js';

type RetryFlags = ChoiceFlags & TransferFlags & LinkFlags & ConnectionFlags & ReportFlags & LogFlags;

export function addRetry({ root, io, finish }: Program): void {
  const command = root
    .command('retry [source] [destination] [pattern...]')
    .summary('retry failed objects now')
    .description(
      'Retry the failed objects of a pair at once: all except those that were given up, or those whose keys match a ' +
        'pattern. Nothing is listed and nothing is deleted.',
    )
    .optionsGroup('Failed objects:')
    .addHelpText('after', EXAMPLES);
  choiceOptions(command);
  transferOptions(command);
  networkOptions(command);
  reportOptions(command);
  configOption(command).action(async () => {
    const flags = command.opts<RetryFlags>();
    finish(await runCommand(io, flags, { bars: true }, (context) => retry(context, flags, command.args)));
  });
}

async function retry(context: Context, flags: RetryFlags, args: readonly string[]): Promise<number> {
  const [source, url, ...keys] = args;
  if (isUrl(url)) return (await import('./outbox.js')).replayDead(context, flags, { source, url, keys });
  const { pair: wanted, patterns } = await pairAndPatterns(context.io, flags, args);
  const chosen = { ...flags, include: patterns.length > 0 ? patterns : undefined };
  const broken: XsyncError[] = [];
  const isNamed = wanted !== undefined || flags.manifest !== undefined;
  const pairs = isNamed ? [await pairOf(context.io, flags, wanted)] : await failedPairs(context.io, flags, broken);
  const mirrored = pairs.find((pair) => pair.mirrored);
  if (mirrored && isNamed) throw refusal(mirrored);
  if (mirrored) context.log.say('notice', `warning: ${refusal(mirrored).message}`);
  if (pairs.length === 0) context.log.say('notice', NOTHING);
  const interruption = onInterrupt(context);
  try {
    let exitCode = tellBroken(context, broken);
    for (const pair of pairs) {
      if (pair.mirrored) continue;
      const code = await retryPair(context, flags, pair, chosen, interruption.signal);
      if (exitCode === EXIT.ok) exitCode = code;
      if (interruption.signal.aborted) break;
    }
    return exitCode;
  } finally {
    interruption.dispose();
  }
}

/** A retry goes one way, and would overwrite what has changed on the other side. */
function refusal({ source, destination }: FailedPair): XsyncError {
  return new XsyncError(
    'usage',
    `${source} and ${destination} are a mirror, which tries failed objects again in each run`,
    {
      subject: source,
      remedy: 'Run xsync mirror with these paths.',
    },
  );
}

const NOTHING = 'No failed objects to retry.';

type FailedPair = PairNames & { file: string; mirrored: boolean };

async function pairOf(io: Io, flags: RetryFlags, wanted: ReturnType<typeof wantedPair>): Promise<FailedPair> {
  const describe = async (known: KnownPair) => ({ ...(await namesOf(known)), ...factsOf(known) });
  return { ...(await onePair(io, flags, wanted, describe)), ...wanted };
}

/** All pairs of this machine with failed objects; errors of manifests that cannot be read go to `broken`. */
async function failedPairs(io: Io, flags: RetryFlags, broken: XsyncError[]): Promise<FailedPair[]> {
  const found: FailedPair[] = [];
  for await (const known of pairsOf(io, flags, undefined, broken)) {
    // What a bridge pulls is tried again by its pushing end.
    if (known.pair.source.kind === 'bridge') continue;
    if (known.manifest.failureCount() > 0) found.push({ ...(await namesOf(known)), ...factsOf(known) });
  }
  return found;
}

function factsOf({ file, manifest }: KnownPair): { file: string; mirrored: boolean } {
  return { file, mirrored: isMirrored(manifest) };
}

async function retryPair(
  context: Context,
  flags: RetryFlags,
  { source, destination, exact, file }: FailedPair,
  chosen: ChoiceFlags,
  stop: AbortSignal,
): Promise<number> {
  const { io } = context;
  const job = await jobOf('copy', { source, destination }, { ...flags, manifest: file, include: undefined });
  const options = { ...runOptions(job, undefined, stop), command: 'retry', resume: undefined };
  const settings = openSettings(job, copyConnections(job), io.env);
  const { openPair } = await import('../../open.js');
  const how = { command: 'retry', single: exact, dryRun: options.dryRun, aside: job.backupDir };
  const pair = await openPair(job.source, job.destination, settings, how);
  try {
    // A plain copy would add a version that is not part of the history.
    const history = readFact(pair.manifest, HISTORY) && historyOf({ ...job, versions: true });
    return await tryAll(context, pair, { ...options, history, backup: backupOf(pair, job) }, chosen);
  } finally {
    await pair.close();
  }
}

async function tryAll({ log }: Context, pair: OpenPair, options: RunOptions, chosen: ChoiceFlags): Promise<number> {
  // Objects that were given up are retried only when a pattern names them.
  const keys = retryBatches(chosenFailures(pair.manifest, chosen), chosen.include !== undefined);
  const first = await keys.next();
  if (first.done) {
    log.say('notice', NOTHING);
    return EXIT.ok;
  }
  const all = async function* (): AsyncGenerator<string[], void> {
    yield first.value;
    yield* keys;
  };
  const { runKeys } = await import('../../engine/run.js');
  let last: Summary | undefined;
  try {
    const summary = await runKeys(pair, all(), options, (event) => {
      if (event.type === 'end') last = event.summary;
      else log.report(event);
    });
    const exitCode = exitOfSummary(summary, { errorOnNoTransfer: false });
    log.end(summary, exitCode);
    return exitCode;
  } catch (error) {
    const known = toXsyncError(error);
    if (last) log.end(last, exitOfError(known), known);
    throw known;
  }
}

const EXAMPLES = `
Examples:
  xsync retry virginia:photos shanghai:photos
  xsync retry virginia:photos shanghai:photos --class person
  xsync retry --manifest pair.db '2024/*.jpg'

Give the two paths of the pair first, or --manifest FILE. Without them, all
pairs of this machine that have failed objects are retried. The exit code is 0
if every retry succeeded.`;
