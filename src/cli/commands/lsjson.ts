/** Tests: test/cli/main.test.ts */
import { effectiveMtime, type ObjectEntry } from '../../model/object.js';
import { filterOf } from '../../open/job.js';
import type { ObjectCatalog } from '../../store/port.js';
import { flag } from '../define.js';
import type { Program } from '../program.js';
import { type Found, type ListingFlags, listingOptions, onSide, walk } from './reading.js';

type LsjsonFlags = ListingFlags & { recursive?: true; hash?: true; metadata?: true; filesOnly?: true; dirsOnly?: true };

export function addLsjson({ root, io, finish }: Program): void {
  const command = root
    .command('lsjson <path>')
    .summary('list objects as JSON')
    .description('List one level below path as a JSON array, one item per line, with the field names of rclone lsjson.')
    .optionsGroup('Listing:')
    .addHelpText('after', EXAMPLES);
  flag(command, '-R, --recursive', 'list recursively, including directories');
  flag(command, '--hash', 'include the checksums that the store guarantees (may need a request per object)');
  flag(command, '-M, --metadata', 'include MimeType, Metadata and the source modification time (a request per object)');
  flag(command, '--files-only', 'list only files');
  flag(command, '--dirs-only', 'list only directories');
  listingOptions(command).action(async (path: string, flags: LsjsonFlags) => {
    finish(
      await onSide(io, path, flags, async (side, context) => {
        const { out } = context;
        const filter = await filterOf(flags);
        const recursive = flags.recursive === true;
        const folders = new Folders();
        let separator = '[\n';
        for await (const page of walk(side, {
          oneLevel: !recursive,
          filter,
          context,
          concurrency: flags.listConcurrency,
        })) {
          const all = recursive ? page.flatMap((found) => [...folders.above(found), found]) : page;
          const items = all.filter(({ entry }) => (entry === undefined ? !flags.filesOnly : !flags.dirsOnly));
          for (const item of await Promise.all(items.map((found) => itemOf(side.store, found, flags)))) {
            await out.write(separator + JSON.stringify(item));
            separator = ',\n';
          }
        }
        await out.write(separator === '[\n' ? '[\n]\n' : '\n]\n');
        return 0;
      }),
    );
  });
}

/** Directories of a recursive listing, each before its first object. Sorted keys keep a directory together. */
class Folders {
  #last: string[] = [];

  above({ path }: Found): Found[] {
    const folders = path.split('/').slice(0, -1);
    const same = folders.findIndex((name, index) => name !== this.#last[index]);
    this.#last = folders;
    if (same < 0) return [];
    return folders.slice(same).map((_, index) => ({ path: `${folders.slice(0, same + index + 1).join('/')}/` }));
  }
}

/** The field names of rclone, plus ETag and StorageClass (rclone: Tier). */
async function itemOf(store: ObjectCatalog, found: Found, flags: LsjsonFlags): Promise<object> {
  const { path, entry } = found;
  const bare = path.replace(/\/$/, '');
  const name = bare.slice(bare.lastIndexOf('/') + 1);
  if (entry === undefined) return { Path: bare, Name: name, Size: -1, ModTime: '', IsDir: true };
  const known = Object.keys(entry.checksums ?? {}).some((checksum) => checksum !== 'etagHint');
  const info = flags.metadata || (flags.hash && !known) ? await store.head(entry.key) : undefined;
  return {
    Path: path,
    Name: path.slice(path.lastIndexOf('/', path.length - 2) + 1),
    Size: entry.size,
    MimeType: info?.headers.contentType,
    ModTime: new Date(info === undefined ? entry.mtimeMs : effectiveMtime(info)).toISOString(),
    IsDir: false,
    ...(flags.hash ? { Hashes: hashesOf(info ?? entry) } : {}),
    ETag: entry.etag,
    StorageClass: entry.storageClass,
    ...(flags.metadata ? { Metadata: info?.metadata } : {}),
  };
}

function hashesOf({ checksums = {} }: ObjectEntry): object {
  const { md5ofParts: _, etagHint: __, ...hashes } = checksums;
  return hashes;
}

const EXAMPLES = `
Examples:
  xsync lsjson s3://my-bucket/photos
  xsync lsjson -R --hash lab:bucket | jq -r '.[] | select(.Size > 1e9) | .Path'`;
