/** Tests: test/cli/main.test.ts */
import { effectiveMtime, type ObjectEntry } from '../../model/object.js';
import type { ObjectCatalog, VersionEntry } from '../../store/port.js';
import { flag } from '../define.js';
import { type AtFlags, atOption } from '../options.js';
import type { Program } from '../program.js';
import { bareName, timeOf } from '../render/rows.js';
import { type Found, type ListingFlags, listingCommand, listingOptions } from './reading.js';
import { walkVersions } from './versions.js';

type LsjsonFlags = ListingFlags &
  AtFlags & { versions?: true; recursive?: true; hash?: true; metadata?: true; filesOnly?: true; dirsOnly?: true };

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
  flag(command, '--versions', 'include every version and delete marker, with VersionID, IsLatest and IsDeleteMarker');
  atOption(command);
  listingOptions(command).action(async (path: string, flags: LsjsonFlags) => {
    const versions = flags.versions ? walkVersions : undefined;
    const options = { oneLevel: !flags.recursive, folders: true, folderInfo: true, versions };
    finish(
      await listingCommand(io, path, flags, options, async ({ pages, context: { out }, side }) => {
        let separator = '[\n';
        for await (const page of pages) {
          const rows = page.filter(({ entry }) => (entry === undefined ? !flags.filesOnly : !flags.dirsOnly));
          for (const item of await Promise.all(rows.map((found) => itemOf(side?.store, found, flags)))) {
            await out.write(separator + JSON.stringify(item));
            separator = ',\n';
          }
        }
        await out.write(separator === '[\n' ? '[\n]\n' : '\n]\n');
      }),
    );
  });
}

/** The field names of rclone, plus ETag. */
async function itemOf(store: ObjectCatalog | undefined, found: Found, flags: LsjsonFlags): Promise<object> {
  const { path, entry } = found;
  const bare = bareName(path);
  const name = bare.slice(bare.lastIndexOf('/') + 1);
  if (entry === undefined) {
    const ModTime = new Date(timeOf(found)).toISOString();
    const bucket = found.isBucket && { IsBucket: true };
    return {
      Path: bare,
      Name: name,
      Size: -1,
      MimeType: 'inode/directory',
      ModTime,
      IsDir: true,
      ...bucket,
    };
  }
  const { version } = found;
  const known = Object.keys(entry.checksums ?? {}).some((checksum) => checksum !== 'etagHint');
  const asks = (flags.metadata || (flags.hash && !known)) && !version?.deleteMarker;
  const info = asks ? await store?.head(entry.key, { versionId: version?.versionId }) : undefined;
  return {
    Path: path,
    Name: path.slice(path.lastIndexOf('/', path.length - 2) + 1),
    Size: entry.size,
    MimeType: info?.headers.contentType,
    ModTime: new Date(info === undefined ? entry.mtimeMs : effectiveMtime(info)).toISOString(),
    IsDir: false,
    ...(flags.hash ? { Hashes: hashesOf(info ?? entry) } : {}),
    ETag: entry.etag,
    Tier: entry.storageClass ?? store?.capabilities.defaultStorageClass,
    ...(flags.metadata ? { Metadata: info?.metadata } : {}),
    ...(version && versionFields(version)),
  };
}

function versionFields({ versionId, isLatest, deleteMarker }: VersionEntry): object {
  return { VersionID: versionId, IsLatest: isLatest, IsDeleteMarker: deleteMarker === true };
}

function hashesOf({ checksums = {} }: ObjectEntry): object {
  const { md5ofParts: _, etagHint: __, ...hashes } = checksums;
  return hashes;
}

const EXAMPLES = `
Examples:
  xsync lsjson s3://my-bucket/photos
  xsync lsjson -R --hash lab:bucket | jq -r '.[] | select(.Size > 1e9) | .Path'`;
