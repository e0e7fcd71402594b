import type { Command } from 'commander';
import {
  compareOptions,
  configOption,
  filterOptions,
  limitOptions,
  linkOption,
  networkOptions,
  observeOptions,
  reportOptions,
  transferOptions,
} from '../options.js';
import type { Program } from '../program.js';
import type { TransferCommandFlags } from './transfer.js';

export function addCopy({ root, io, finish }: Program): void {
  const command = root
    .command('copy <source> <destination>')
    .summary('copy what is new or changed; never delete')
    .description(
      'Copies what is new or changed from source to destination. Nothing is deleted. When source names ' +
        'a single object, it is copied below the destination under its own name.',
    )
    .addHelpText('after', EXAMPLES);
  copyOptions(command).action(async (source: string, destination: string, flags: TransferCommandFlags) => {
    const { transferCommand } = await import('./transfer.js');
    finish(await transferCommand(io, 'copy', source, destination, flags));
  });
}

/** The options of every command that copies. */
export function copyOptions(command: Command): Command {
  transferOptions(command);
  linkOption(command);
  compareOptions(command);
  filterOptions(command);
  limitOptions(command);
  networkOptions(command);
  observeOptions(command);
  reportOptions(command);
  return configOption(command);
}

const EXAMPLES = `
Examples:
  xsync copy ./photos s3://my-bucket/photos
  xsync copy virginia:src-bucket/2024 shanghai:dst-bucket/2024 --dry-run
  xsync copy oss://logs ./logs --include '*.gz' --max-age 7d --bwlimit 10M

After an interruption of any kind, kill -9 included, run the same command again:
what has arrived is not sent a second time.`;
