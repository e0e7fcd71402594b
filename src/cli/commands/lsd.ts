/** Tests: test/cli/listings.test.ts */
import { flag } from '../define.js';
import type { Program } from '../program.js';
import { keyText } from '../render/printable.js';
import { bareName, lsdRow } from '../render/rows.js';
import { type ListingFlags, listingCommand, listingOptions } from './reading.js';

type LsdFlags = ListingFlags & { recursive?: true };

export function addLsd({ root, io, finish }: Program): void {
  const command = root
    .command('lsd <path>')
    .summary('list buckets or directories')
    .description(
      'List the directories directly below path with their times, as rclone lsd does. A remote without a bucket lists ' +
        'its buckets, with the time at which each was created.',
    )
    .optionsGroup('Listing:')
    .addHelpText('after', EXAMPLES);
  flag(command, '-R, --recursive', 'list recursively, including directories');
  listingOptions(command).action(async (path: string, flags: LsdFlags) => {
    const options = { oneLevel: !flags.recursive, folders: true, folderInfo: true };
    finish(
      await listingCommand(io, path, flags, options, async ({ pages, context: { out } }) => {
        for await (const page of pages) {
          const rows = page
            .filter(({ entry }) => entry === undefined)
            .map((found) => ({ found, name: bareName(found.path) }))
            .map(({ found, name }) => lsdRow(found, out.isTerminal ? keyText(name) : name));
          await out.write(rows.map((row) => `${row}\n`).join(''));
        }
      }),
    );
  });
}

const EXAMPLES = `
Examples:
  xsync lsd shanghai:
  xsync lsd s3://
  xsync lsd lab:bucket/2024

Size and number of what is in a directory are not counted: they are shown as -1
(of a directory on local disk, the size is its own). A store that keeps no times
of directories shows 2000-01-01.`;
