/** Tests: test/cli/stores.test.ts */
import { flag } from '../define.js';
import type { Program } from '../program.js';
import { keyText } from '../render/printable.js';
import { lsRow, timeOf } from '../render/rows.js';
import { type Found, type ListingFlags, listingCommand, listingOptions } from './reading.js';

type LsFlags = ListingFlags & { long?: true; oneLevel?: true };

export function addLs({ root, io, finish }: Program): void {
  const command = root
    .command('ls <path>')
    .summary('list objects with size and key')
    .description(
      'List every object below path recursively, with its size in bytes and its key relative to path. A remote without ' +
        'a bucket lists its buckets.',
    )
    .optionsGroup('Listing:')
    .addHelpText('after', EXAMPLES);
  flag(command, '-l, --long', 'also print the modification time (UTC)');
  flag(command, '-1, --one-level', 'list only one level; directories end in /');
  listingOptions(command).action(async (path: string, flags: LsFlags) => {
    // The buckets of a remote are never entered.
    const options = { oneLevel: flags.oneLevel === true, buckets: true };
    finish(
      await listingCommand(io, path, flags, options, async ({ pages, context: { out } }) => {
        const line = (found: Found): string => {
          const path = out.isTerminal ? keyText(found.path) : found.path;
          return `${lsRow(found, flags.long ? `${isoTime(found)} ${path}` : path)}\n`;
        };
        for await (const page of pages) await out.write(page.map(line).join(''));
      }),
    );
  });
}

/** `2024-01-31 12:34:56.789`, UTC; blank where there is none. */
function isoTime(found: Found): string {
  if (found.entry === undefined && found.info === undefined) return ' '.repeat(23);
  return new Date(timeOf(found)).toISOString().replace('T', ' ').slice(0, -1);
}

const EXAMPLES = `
Examples:
  xsync ls s3://my-bucket/photos
  xsync ls shanghai:
  xsync ls -1 shanghai:bucket
  xsync ls lab:bucket --min-size 1G

On a terminal control characters in keys are shown escaped; in a pipe keys are
verbatim.`;
