/** Tests: test/cli/main.test.ts */
import type { Command } from 'commander';
import {
  atOption,
  compareOptions,
  configOption,
  filterOptions,
  limitOptions,
  networkOptions,
  observeOptions,
  reportOptions,
  transferOptions,
  versionsOption,
} from '../options.js';
import type { Program } from '../program.js';
import type { TransferCommandFlags } from './transfer.js';

export function addCopy({ root, io, finish }: Program): void {
  const command = root
    .command('copy <source> <destination>')
    .summary('copy new and changed objects; delete nothing')
    .description(
      'Copy new and changed objects from source to destination. Nothing is deleted. A single object is copied ' +
        'below the destination under its own name.',
    )
    .addHelpText('after', EXAMPLES);
  copyOptions(versionsOption(atOption(command.optionsGroup('Transfer:')))).action(
    async (source: string, destination: string, flags: TransferCommandFlags) => {
      const { transferCommand } = await import('./transfer.js');
      finish(await transferCommand(io, 'copy', source, destination, flags));
    },
  );
}

/** The options of every command that copies. */
export function copyOptions(command: Command): Command {
  transferOptions(command);
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
  xsync copy lab:bucket ./as-it-was --at 2h
  xsync copy lab:archive ./archive --restore bulk,7

After any interruption, including kill -9, run the same command again: finished
objects and parts are not sent again.`;
