/** Tests: test/e2e/check.test.ts */
import { CHECK } from '../../engine/job/options.js';
import { parseDuration } from '../../engine/job/values.js';
import { XsyncError } from '../../model/error.js';
import type { OpenPair } from '../../open.js';
import { type Context, runCommand } from '../context.js';
import { flag, value } from '../define.js';
import { exitOfCheck } from '../exit.js';
import { onInterrupt } from '../interrupt.js';
import { jobOf, options } from '../job.js';
import {
  atOption,
  configOption,
  filterOptions,
  type LogFlags,
  linkOption,
  logOptions,
  networkOptions,
  repairOptions,
  tagFilterOptions,
} from '../options.js';
import type { Program } from '../program.js';
import type { ReportLists } from './check-lists.js';

/** Besides the options of a job. */
export type CheckFlags = LogFlags &
  ReportLists & {
    json?: true;
    /** Milliseconds. */
    stats?: number;
  };

export function addCheck({ root, io, finish }: Program): void {
  const command = root
    .command('check <source> <destination>')
    .summary('check that both sides hold the same objects')
    .description(
      'Compare both sides and copy nothing. Objects are compared by the manifest, else by checksum, else by size ' +
        'only, which the summary counts. Exits with 1 if anything differs.',
    )
    .optionsGroup('Check:')
    .addHelpText('after', EXAMPLES);
  const text = (_option: string, given: string): string => given;
  options(command, CHECK);
  atOption(command);
  command.optionsGroup('Lists (one key per line; - is standard output):');
  value(command, '--combined <file>', 'all keys, with = same, - only dst, + only src, * different, ! error', text);
  value(command, '--missing-on-src <file>', 'keys that exist only at the destination', text);
  value(command, '--missing-on-dst <file>', 'keys that exist only at the source', text);
  value(command, '--match <file>', 'keys of matching objects', text);
  value(command, '--differ <file>', 'keys of different objects', text);
  value(command, '--error <file>', 'keys that could not be compared', text);
  repairOptions(command);
  tagFilterOptions(filterOptions(command));
  linkOption(command);
  networkOptions(command);
  logOptions(command);
  flag(command, '--json', 'write events as JSON lines to standard output (docs/json.md)');
  value(command, '--stats <duration>', 'time between status lines; 0: none', parseDuration, [60_000, '1m']);
  configOption(command).action(async (source: string, destination: string, flags: CheckFlags) => {
    finish(
      await runCommand(io, { ...flags, stats: 0 }, { bars: false }, (context) =>
        checkCommand(context, source, destination, flags),
      ),
    );
  });
}

async function checkCommand(context: Context, source: string, destination: string, flags: CheckFlags): Promise<number> {
  const job = await jobOf('check', { source, destination }, flags);
  refuseMixedOutput(flags);
  const { log, io } = context;
  const interruption = onInterrupt(context);
  try {
    const [{ examine }, { checkLines }, { colours }, { CheckShow }] = await Promise.all([
      import('../../open/check-job.js'),
      import('../render/check.js'),
      import('../render/colour.js'),
      import('./check-show.js'),
    ]);
    const show = new CheckShow(context, flags, job.compare === 'size-only');
    const means = {
      stop: interruption.signal,
      env: io.env,
      warn: (message: string) => log.say('notice', `warning: ${message}`),
      opened: async (pair: OpenPair) => show.open(pair),
      checked: () => show.close(),
    };
    const { repaired, ...summary } = await examine(job, means, (event) => show.hear(event), log.report).finally(() =>
      show.close(),
    );
    const exitCode = exitOfCheck(summary, repaired);
    const fields = { ...summary, ...(repaired && { repaired }), exitCode };
    log.tell('notice', { type: 'end', ...fields }, () => checkLines(summary, repaired, colours(io.stderr, io.env)));
    return exitCode;
  } finally {
    interruption.dispose();
  }
}

/** @throws usage */
function refuseMixedOutput({ json, ...lists }: CheckFlags): void {
  const { combined, missingOnSrc, missingOnDst, match, differ, error } = lists;
  if (!json || ![combined, missingOnSrc, missingOnDst, match, differ, error].includes('-')) return;
  throw new XsyncError('usage', '--json and a list named "-" both write to standard output', {
    subject: '--json',
    remedy: 'name a file for the list',
  });
}

const EXAMPLES = `
Examples:
  xsync check virginia:photos shanghai:photos
  xsync check ./photos s3://my-bucket/photos --one-way --combined report.txt
  xsync check --download virginia:db shanghai:db --differ - --missing-on-dst -
  xsync check --repair virginia:photos shanghai:photos`;
