/** Tests: test/cli/listings.test.ts */
import { XsyncError } from '../../model/error.js';
import type { OpenSide } from '../../open.js';
import { flag, negated, own, value } from '../define.js';
import type { Program } from '../program.js';
import { keyText } from '../render/printable.js';
import { bareName, localTime, timeOf } from '../render/rows.js';
import { Hashes, parseHashType } from './hashes.js';
import { type Found, type ListingFlags, listingCommand, listingOptions } from './reading.js';

type LsfFlags = ListingFlags & {
  recursive?: true;
  filesOnly?: true;
  dirsOnly?: true;
  dirSlash: boolean;
  absolute?: true;
  csv?: true;
  format: string;
  separator?: string;
  hash: string;
};

export function addLsf({ root, io, finish }: Program): void {
  const command = root
    .command('lsf <path>')
    .summary('list objects for scripts, in a format of your choice')
    .description(
      'List one level below path, one name per line, with the options of rclone. Directories end in a slash.',
    )
    .optionsGroup('Listing:')
    .addHelpText('after', EXAMPLES);
  value(
    command,
    '-F, --format <letters>',
    'columns: p path, s size, t time, h hash, m MIME type, T storage class',
    parseFormat,
    ['p'],
  );
  value(
    command,
    '-s, --separator <text>',
    'text between the columns (default: ";"; with --csv: ",")',
    (_, text) => text,
  );
  own(command, '--hash <type>', 'type of hash for the column h', parseHashType, 'md5');
  flag(command, '--csv', 'quote columns as in CSV');
  flag(command, '-R, --recursive', 'list recursively, including directories');
  flag(command, '--files-only', 'list only files');
  flag(command, '--dirs-only', 'list only directories');
  flag(command, '--absolute', 'put a slash in front of each path');
  negated(command, '--no-dir-slash', 'do not append a slash to the names of directories');
  listingOptions(command).action(async (path: string, flags: LsfFlags) => {
    const options = { oneLevel: !flags.recursive, folders: true, folderInfo: flags.format.includes('t') };
    finish(
      await listingCommand(io, path, flags, options, async ({ pages, context: { out }, side }) => {
        const columns = new Columns(flags, side);
        const show = out.isTerminal ? keyText : (text: string) => text;
        for await (const page of pages) {
          const rows = page.filter(({ entry }) => (entry === undefined ? !flags.filesOnly : !flags.dirsOnly));
          const lines = await Promise.all(rows.map((found) => columns.line(found)));
          await out.write(lines.map((line) => `${show(line)}\n`).join(''));
        }
      }),
    );
  });
}

const LETTERS = 'psthmT';

/** @throws usage */
function parseFormat(option: string, text: string): string {
  const unknown = [...text].find((letter) => !LETTERS.includes(letter));
  if (unknown === undefined && text !== '') return text;
  throw new XsyncError('usage', `${option}: "${unknown ?? ''}" is not a column`, {
    subject: option,
    remedy: `Use the letters ${[...LETTERS].join(', ')}.`,
  });
}

class Columns {
  readonly #flags: LsfFlags;
  readonly #side: OpenSide | undefined;
  readonly #hashes: Hashes | undefined;

  constructor(flags: LsfFlags, side: OpenSide | undefined) {
    this.#flags = flags;
    this.#side = side;
    this.#hashes = side && new Hashes(side.store, flags.hash, { download: false });
  }

  async line(found: Found): Promise<string> {
    const { format, csv, separator = csv ? ',' : ';' } = this.#flags;
    const columns = await Promise.all([...format].map((letter) => this.#column(letter, found)));
    return columns.map((column) => (csv ? quoted(column, separator) : column)).join(separator);
  }

  async #column(letter: string, found: Found): Promise<string> {
    const { entry } = found;
    switch (letter) {
      case 'p':
        return this.#path(found);
      case 's':
        return String(entry?.size ?? -1);
      case 't':
        return localTime(timeOf(found));
      case 'h':
        return entry === undefined ? '' : ((await this.#hashes?.of(entry)) ?? '');
      case 'm':
        return entry === undefined ? 'inode/directory' : ((await this.#contentType(entry.key)) ?? '');
      default:
        return (entry && (entry.storageClass ?? this.#side?.store.capabilities.defaultStorageClass)) ?? '';
    }
  }

  #path({ path, entry }: Found): string {
    const { absolute, dirSlash } = this.#flags;
    return `${absolute ? '/' : ''}${entry === undefined && !dirSlash ? bareName(path) : path}`;
  }

  async #contentType(key: string): Promise<string | undefined> {
    return (await this.#side?.store.head(key))?.headers.contentType;
  }
}

/** As in RFC 4180. */
function quoted(text: string, separator: string): string {
  return text.includes(separator) || /["\r\n]|^ /.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const EXAMPLES = `
Examples:
  xsync lsf lab:bucket/2024
  xsync lsf -R --files-only --format tsp --separator ' ' s3://my-bucket
  xsync lsf --format ph --hash sha256 ./photos

In an object store, column m needs a request per object, and so does column h if
the listing does not show the hash. Times are local.`;
