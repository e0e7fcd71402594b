/** Tests: test/cli/stores.test.ts */
import { flag } from '../define.js';
import { type AtFlags, atOption } from '../options.js';
import type { Program } from '../program.js';
import { keyText } from '../render/printable.js';
import { lsRow, SIZE_WIDTH, timeOf } from '../render/rows.js';
import { type Found, type ListingFlags, listingCommand, listingOptions } from './reading.js';
import { walkVersions } from './versions.js';

type LsFlags = ListingFlags & AtFlags & { long?: true; oneLevel?: true; versions?: true };

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
  flag(
    command,
    '--versions',
    'list every version and delete marker, the newest of a key first, with time and version ID',
  );
  atOption(command);
  listingOptions(command).action(async (path: string, flags: LsFlags) => {
    // The buckets of a remote are never entered.
    const { versions = false } = flags;
    const options = { oneLevel: flags.oneLevel === true, buckets: true, versions: versions ? walkVersions : undefined };
    finish(
      await listingCommand(io, path, flags, options, async ({ pages, context: { out } }) => {
        const line = (found: Found): string => {
          const path = out.isTerminal ? keyText(found.path) : found.path;
          if (versions) return `${versionRow(found, path)}\n`;
          return `${lsRow(found, flags.long ? `${isoTime(found)} ${path}` : path)}\n`;
        };
        for await (const page of pages) await out.write(page.map(line).join(''));
      }),
    );
  });
}

/** `        7 2024-01-31 12:34:56.789 VERSION key`; the size of a delete marker is `deleted`. */
function versionRow(found: Found, path: string): string {
  if (found.entry === undefined) return lsRow(found, `${isoTime(found)} - ${path}`);
  const { versionId, deleteMarker = false } = found.version ?? {};
  const rest = `${isoTime(found)} ${versionId} ${path}`;
  return deleteMarker ? `${'deleted'.padStart(SIZE_WIDTH)} ${rest}` : lsRow(found, rest);
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
  xsync ls lab:bucket/photos --at 2h
  xsync ls lab:bucket/photos --versions

On a terminal control characters in keys are shown escaped; in a pipe keys are
verbatim.`;
