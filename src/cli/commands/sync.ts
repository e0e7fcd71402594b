/** Tests: test/e2e/sync.test.ts */
import { atOption, deleteOptions, inventoryOptions, renamesOption, versionsOption } from '../options.js';
import type { Program } from '../program.js';
import { copyOptions } from './copy.js';
import type { TransferCommandFlags } from './transfer.js';

export function addSync({ root, io, finish }: Program): void {
  const command = root
    .command('sync <source> <destination>')
    .summary('copy new and changed objects; delete what is gone from the source')
    .description(
      'Copy new and changed objects, then delete objects at the destination that no longer exist at the source. By ' +
        'default, deletes only objects that xsync put there, and nothing if the source could not be listed completely.',
    )
    .addHelpText('after', EXAMPLES);
  deleteOptions(command);
  copyOptions(renamesOption(inventoryOptions(versionsOption(atOption(command.optionsGroup('Transfer:')))))).action(
    async (source: string, destination: string, flags: TransferCommandFlags) => {
      const { transferCommand } = await import('./transfer.js');
      finish(await transferCommand(io, 'sync', source, destination, flags));
    },
  );
}

const EXAMPLES = `
Examples:
  xsync sync virginia:photos shanghai:photos --dry-run
  xsync sync ./site s3://my-bucket/site --max-delete 10%
  xsync sync virginia:db shanghai:db --backup-dir shanghai:old/db/2026-11-21

Without a terminal, a run that had nothing to do prints nothing. The exit code
is 0 if everything was copied, and 7 if a guard refused to delete. Objects at
the destination that xsync did not write stay there: the summary counts them.`;
