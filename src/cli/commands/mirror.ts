/** Tests: test/e2e/mirror.test.ts */
import { XsyncError } from '../../model/error.js';
import {
  configOption,
  filterOptions,
  limitOptions,
  mirrorOptions,
  networkOptions,
  observeOptions,
  reportOptions,
  versionsOption,
} from '../options.js';
import type { Program } from '../program.js';
import type { TransferCommandFlags } from './transfer.js';

export function addMirror({ root, io, finish }: Program): void {
  const command = root
    .command('mirror <a> <b>')
    .summary('make two places equal that are both written to')
    .description(
      'Copy new and changed objects in both directions, and delete on each side what was deleted on the other. An ' +
        'object that has changed on both sides is kept on both: the newer one keeps the name.',
    )
    .addHelpText('after', EXAMPLES);
  mirrorOptions(command);
  filterOptions(command);
  limitOptions(command);
  networkOptions(command);
  observeOptions(command);
  reportOptions(command);
  versionsOption(configOption(command));
  // Declared only so that the error explains why.
  for (const option of command.options) if (option.name() === 'versions') option.hideHelp();
  command.action(async (a: string, b: string, flags: TransferCommandFlags & { versions?: true }) => {
    refuseVersions(flags);
    const { transferCommand } = await import('./transfer.js');
    finish(await transferCommand(io, 'mirror', a, b, flags));
  });
}

/** @throws usage */
export function refuseVersions({ versions }: { versions?: true }): void {
  if (!versions) return;
  const message = 'two buckets that are both written to have no common history that --versions could copy in order';
  throw new XsyncError('usage', message, {
    subject: '--versions',
    remedy: 'Mirror the current objects without it, or copy the history one way with "xsync copy --versions".',
  });
}

const EXAMPLES = `
Examples:
  xsync mirror virginia:photos shanghai:photos --dry-run
  xsync mirror ./notes s3://my-bucket/notes
  xsync mirror lab:data office:data --conflict newer --max-delete 100
  xsync conflicts virginia:photos shanghai:photos

The first run, or one without its manifest, deletes nothing: equal objects are
paired, and different ones are conflicts. No run has to be repeated with special
options: what one could not settle is looked at again by the next.`;
