/** `hashsum`, and `md5sum`, which is `hashsum md5`. Tests: test/cli/listings.test.ts */
import type { Command } from 'commander';
import type { Io } from '../context.js';
import { flag } from '../define.js';
import type { Program } from '../program.js';
import { plural } from '../render/format.js';
import { keyText } from '../render/printable.js';
import { HASH_TYPES, Hashes, parseHashType } from './hashes.js';
import { type ListingFlags, listingCommand, listingOptions } from './reading.js';

type HashsumFlags = ListingFlags & { download?: true; base64?: true };

export function addHashsum({ root, io, finish }: Program): void {
  const command = root
    .command('hashsum <type> <path>')
    .summary('print the hash of each object')
    .description(
      `Print a hash of every object below path, in the format of sha256sum. Types: ${HASH_TYPES.join(', ')}.`,
    )
    .addHelpText('after', EXAMPLES);
  hashOptions(command).action(async (type: string, path: string, flags: HashsumFlags) => {
    finish(await printHashes(io, parseHashType('hashsum', type), path, flags));
  });
}

export function addMd5sum({ root, io, finish }: Program): void {
  const command = root
    .command('md5sum <path>')
    .summary('print the MD5 of each object')
    .description('Print the MD5 of every object below path, in the format of md5sum.')
    .addHelpText('after', EXAMPLES);
  hashOptions(command).action(async (path: string, flags: HashsumFlags) => {
    finish(await printHashes(io, 'md5', path, flags));
  });
}

function hashOptions(command: Command): Command {
  command.optionsGroup('Hashes:');
  flag(command, '--download', 'read every object and compute its hash');
  flag(command, '--base64', 'print hashes in base64, not hex');
  return listingOptions(command);
}

/** Lengths in hex digits, for the column of a hash that is not known. */
const WIDTH: Readonly<Record<string, number>> = { md5: 32, sha1: 40, sha256: 64, sha512: 128 };
const IN_PARALLEL = 8;

function printHashes(io: Io, type: string, path: string, flags: HashsumFlags): Promise<number> {
  return listingCommand(io, path, flags, { oneLevel: false }, async ({ pages, context: { out, log }, side }) => {
    if (!side) return;
    const hashes = new Hashes(side.store, type, { download: flags.download === true });
    const width = WIDTH[type] ?? 0;
    let unknown = 0;
    for await (const page of pages) {
      const rows = page.flatMap(({ path: name, entry }) => (entry === undefined ? [] : [{ name, entry }]));
      const found: (string | undefined)[] = [];
      for (let at = 0; at < rows.length; at += IN_PARALLEL) {
        const batch = rows.slice(at, at + IN_PARALLEL);
        found.push(...(await Promise.all(batch.map(({ entry }) => hashes.of(entry)))));
      }
      const lines = rows.map(({ name }, index) => {
        const hash = found[index];
        if (hash === undefined) unknown++;
        const shown = flags.base64 && hash !== undefined ? base64Of(hash) : hash;
        return `${(shown ?? '').padEnd(shown === undefined ? width : 0)}  ${out.isTerminal ? keyText(name) : name}\n`;
      });
      await out.write(lines.join(''));
    }
    if (unknown === 0) return;
    log.say('notice', `${plural(unknown, 'object')} without a ${type} at the store; --download computes it`);
  });
}

/** For URLs, with padding, as in rclone. */
function base64Of(hash: string): string {
  return Buffer.from(hash, 'hex').toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

const EXAMPLES = `
Examples:
  xsync md5sum s3://my-bucket/photos
  xsync hashsum sha256 ./photos
  xsync hashsum sha256 --download lab:bucket/2024

For an object store, prints the hashes that the store guarantees, which may need
a request per object. A hash that the store does not have is left blank.`;
