/** Tests: test/e2e/sync.test.ts */
import { atOption, versionsOption } from '../options.js';
import type { Program } from '../program.js';
import { copyOptions } from './copy.js';
import type { TransferCommandFlags } from './transfer.js';

export function addCopyto({ root, io, finish }: Program): void {
  const command = root
    .command('copyto <source> <destination>')
    .summary('copy a single object to a new name')
    .description('Copy the source object to the destination key or file.')
    .addHelpText('after', EXAMPLES);
  copyOptions(versionsOption(atOption(command.optionsGroup('Transfer:')))).action(
    async (source: string, destination: string, flags: TransferCommandFlags) => {
      const { transferCommand } = await import('./transfer.js');
      finish(await transferCommand(io, 'copyto', source, destination, flags));
    },
  );
}

const EXAMPLES = `
Examples:
  xsync copyto ./report.pdf s3://my-bucket/2024/final.pdf
  xsync copyto shanghai:bucket/backup.tar ./backup.tar`;
