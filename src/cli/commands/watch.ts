/** Tests: test/e2e/watch.test.ts */
import { CONFLICT, WATCH } from '../../engine/job/options.js';
import { options } from '../job.js';
import { deleteOptions, versionsOption } from '../options.js';
import type { Program } from '../program.js';
import { copyOptions } from './copy.js';
import type { WatchCommandFlags } from './watching.js';

export function addWatch({ root, io, finish }: Program): void {
  const command = root
    .command('watch <source> <destination>')
    .summary('copy changes until stopped')
    .description(
      'Poll the source until stopped and copy new and changed objects; with --delete, also delete objects that no ' +
        'longer exist. Errors that can be fixed from outside are logged once and do not end the watch.',
    )
    .addHelpText('after', EXAMPLES);
  options(command.optionsGroup('Watch:'), WATCH);
  options(command.optionsGroup('Conflicts of --mirror (docs/mirror.md):'), CONFLICT);
  deleteOptions(command);
  copyOptions(versionsOption(command.optionsGroup('Transfer:')));
  for (const option of command.options) if (UNFIT.includes(option.name())) option.hideHelp();
  command.action(async (source: string, destination: string, flags: WatchCommandFlags) => {
    const { watchCommand } = await import('./watching.js');
    finish(await watchCommand(io, source, destination, flags));
  });
}

/** Declared only so that the error explains why; they make no sense for a watch. */
const UNFIT = [
  'dry-run',
  'max-transfer',
  'max-cost',
  'max-duration',
  'cutoff-mode',
  'delete-before',
  'error-on-no-transfer',
  'interactive',
];

const EXAMPLES = `
Examples:
  xsync watch virginia:photos shanghai:photos --interval 30s --delete
  xsync watch virginia:photos shanghai:photos --mirror --events :8080/changes
  xsync watch s3://logs oss://logs --events sqs://us-east-1/123456789012/changes
  xsync status virginia:photos shanghai:photos     (in another terminal)

SIGTERM or Ctrl-C finishes the transfers in flight; SIGHUP reads the
configuration again. See docs/watch.md.`;
