/** Tests: test/cli/stores.test.ts */
import { filterOf } from '../../open/job.js';
import { flag } from '../define.js';
import type { Program } from '../program.js';
import { keyText } from '../render/printable.js';
import { type Found, type ListingFlags, listingOptions, onSide, walk } from './reading.js';

type LsFlags = ListingFlags & { long?: true; oneLevel?: true };

export function addLs({ root, io, finish }: Program): void {
  const command = root
    .command('ls <path>')
    .summary('list objects with size and key')
    .description('List every object below path recursively, with its size in bytes and its key relative to path.')
    .optionsGroup('Listing:')
    .addHelpText('after', EXAMPLES);
  flag(command, '-l, --long', 'also print the modification time (UTC)');
  flag(command, '-1, --one-level', 'list only one level; directories end in /');
  listingOptions(command).action(async (path: string, flags: LsFlags) => {
    finish(
      await onSide(io, path, flags, async (side, context) => {
        const { out } = context;
        const filter = await filterOf(flags);
        for await (const page of walk(side, {
          oneLevel: flags.oneLevel === true,
          filter,
          context,
          concurrency: flags.listConcurrency,
        })) {
          await out.write(page.map((found) => `${line(found, flags.long === true, out.isTerminal)}\n`).join(''));
        }
        return 0;
      }),
    );
  });
}

/** Enough for sizes below 1 GB, as in rclone; larger sizes take more. */
const SIZE_WIDTH = 9;

function line({ path, entry }: Found, long: boolean, terminal: boolean): string {
  const size = entry === undefined ? '-' : String(entry.size);
  const time = entry === undefined ? ' '.repeat(23) : isoTime(entry.mtimeMs);
  return `${size.padStart(SIZE_WIDTH)} ${long ? `${time} ` : ''}${terminal ? keyText(path) : path}`;
}

/** `2024-01-31 12:34:56.789`, UTC. */
function isoTime(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').slice(0, -1);
}

const EXAMPLES = `
Examples:
  xsync ls s3://my-bucket/photos
  xsync ls -1 shanghai:bucket
  xsync ls lab:bucket --min-size 1G

On a terminal control characters in keys are shown escaped; in a pipe keys are
verbatim.`;
