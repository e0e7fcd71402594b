/** Tests: test/cli/main.test.ts */
import type { Command } from 'commander';
import { XsyncError } from '../../model/error.js';
import { own } from '../define.js';
import {
  atOption,
  compareOptions,
  configOption,
  filterOptions,
  inventoryOptions,
  limitOptions,
  networkOptions,
  objectListOptions,
  observeOptions,
  reportOptions,
  tagFilterOptions,
  tagsAgainOption,
  transferOptions,
  versionsOption,
} from '../options.js';
import type { Program } from '../program.js';
import type { TransferCommandFlags } from './transfer.js';

export function addCopy({ root, io, finish }: Program): void {
  const command = root
    .command('copy <source> [destination]')
    .summary('copy new and changed objects; delete nothing')
    .description(
      'Copy new and changed objects from source to destination. Nothing is deleted. A single object is copied ' +
        'below the destination under its own name. With --urls the only argument is the destination.',
    )
    .usage('[options] <source> <destination>')
    .addHelpText('after', EXAMPLES);
  command.optionsGroup('Transfer:');
  own(command, '--urls <file>', 'copy the objects of a list of URLs, presigned or public; - for standard input', text);
  copyOptions(objectListOptions(inventoryOptions(versionsOption(atOption(command))))).action(
    async (first: string, second: string | undefined, { urls, ...flags }: TransferCommandFlags & { urls?: string }) => {
      const [source, destination] = placesOf(command, [first, second], urls);
      const { transferCommand } = await import('./transfer.js');
      finish(await transferCommand(io, 'copy', source, destination, flags));
    },
  );
}

const text = (_option: string, given: string): string => given;

/** @throws usage */
function placesOf(
  command: Command,
  [first, second]: [string, string | undefined],
  urls: string | undefined,
): [string, string] {
  if (urls !== undefined && second === undefined) return [`urls://${urls}`, first];
  if (second === undefined) command.error("error: missing required argument 'destination'");
  if (urls === undefined) return [first, second];
  throw new XsyncError('usage', '--urls takes the place of the source', {
    subject: '--urls',
    remedy: 'Name only the destination.',
  });
}

/** The options of every command that copies. */
export function copyOptions(command: Command): Command {
  transferOptions(command);
  compareOptions(command);
  tagsAgainOption(tagFilterOptions(filterOptions(command)));
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
  xsync copy --urls list.tsv virginia:bucket/import

After any interruption, including kill -9, run the same command again: finished
objects and parts are not sent again.`;
