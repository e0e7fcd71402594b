/** Tests: test/cli/stores.test.ts */
import { filterOf } from '../../open/job.js';
import { flag } from '../define.js';
import { type AtFlags, atOption } from '../options.js';
import type { Program } from '../program.js';
import { formatBytes, formatCount } from '../render/format.js';
import { type ListingFlags, listingOptions, onSide, walk } from './reading.js';

type SizeFlags = ListingFlags & AtFlags & { json?: true };

export function addSize({ root, io, finish }: Program): void {
  const command = root
    .command('size <path>')
    .summary('count objects and bytes')
    .description('Print the number and total size of the objects below path.')
    .optionsGroup('Listing:')
    .addHelpText('after', EXAMPLES);
  flag(command, '--json', 'print JSON: {"count":…,"bytes":…}');
  atOption(command);
  listingOptions(command).action(async (path: string, flags: SizeFlags) => {
    const { json, ...rest } = flags;
    finish(
      await onSide(io, path, rest, async (side, context) => {
        const { out } = context;
        const filter = await filterOf(flags);
        let count = 0;
        let bytes = 0;
        for await (const page of walk(side, { oneLevel: false, filter, context, concurrency: flags.listConcurrency })) {
          count += page.length;
          for (const { entry } of page) bytes += entry?.size ?? 0;
        }
        await out.write(
          json
            ? `${JSON.stringify({ count, bytes })}\n`
            : `Total objects: ${formatCount(count)}\nTotal size: ${formatBytes(bytes)} (${bytes} bytes)\n`,
        );
        return 0;
      }),
    );
  });
}

const EXAMPLES = `
Examples:
  xsync size shanghai:bucket
  xsync size s3://logs/2024 --min-age 30d --json`;
