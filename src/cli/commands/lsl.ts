/** Tests: test/cli/listings.test.ts */
import type { Program } from '../program.js';
import { keyText } from '../render/printable.js';
import { lslRow } from '../render/rows.js';
import { type ListingFlags, listingCommand, listingOptions } from './reading.js';

export function addLsl({ root, io, finish }: Program): void {
  const command = root
    .command('lsl <path>')
    .summary('list objects with size, time and key')
    .description(
      'List every object below path recursively, with its size in bytes, its modification time in local time and its ' +
        'key relative to path, as rclone lsl does.',
    )
    .addHelpText('after', EXAMPLES);
  listingOptions(command).action(async (path: string, flags: ListingFlags) => {
    finish(
      await listingCommand(io, path, flags, { oneLevel: false }, async ({ pages, context: { out } }) => {
        for await (const page of pages) {
          const rows = page.map((found) => lslRow(found, out.isTerminal ? keyText(found.path) : found.path));
          await out.write(rows.map((row) => `${row}\n`).join(''));
        }
      }),
    );
  });
}

const EXAMPLES = `
Examples:
  xsync lsl s3://my-bucket/photos
  xsync lsl ./photos --max-age 1d`;
