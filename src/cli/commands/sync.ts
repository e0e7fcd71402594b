import { deleteOptions } from '../options.js';
import type { Program } from '../program.js';
import { copyOptions } from './copy.js';
import type { TransferCommandFlags } from './transfer.js';

export function addSync({ root, io, finish }: Program): void {
  const command = root
    .command('sync <source> <destination>')
    .summary('make the destination match, deletes included')
    .description(
      'Copies what is new or changed, then deletes at the destination what the source does not have any more: ' +
        'only what xsync put there, unless told otherwise, and nothing when the source could not be listed whole.',
    )
    .addHelpText('after', EXAMPLES);
  deleteOptions(command);
  copyOptions(command).action(async (source: string, destination: string, flags: TransferCommandFlags) => {
    const { transferCommand } = await import('./transfer.js');
    finish(await transferCommand(io, 'sync', source, destination, flags));
  });
}

const EXAMPLES = `
Examples:
  xsync sync virginia:photos shanghai:photos --dry-run
  xsync sync ./site s3://my-bucket/site --max-delete 10%
  xsync sync virginia:db shanghai:db --backup-dir shanghai:old/db/2026-11-21

From cron: off a terminal nothing is said of a run that found nothing to do; the
exit code is 0 when both sides match, and 7 when a guard refused to delete.`;
