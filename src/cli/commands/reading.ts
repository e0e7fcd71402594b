/**
 * What the read-only commands share: their options, an open side, and a walk over its objects.
 * Tests: test/cli/main.test.ts
 */
import type { Command } from 'commander';
import type { Filter } from '../../engine/filter/filter.js';
import { DamagedRows } from '../../engine/list/damaged.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import type { ObjectEntry } from '../../model/object.js';
import { PageGuard } from '../../model/paging.js';
import { filterOf, openSettings } from '../../open/job.js';
import type { OpenAccount, OpenSide } from '../../open.js';
import type { FolderInfo, ListOptions, ListPage, ObjectBytes, UnlistedFolder, VersionEntry } from '../../store/port.js';
import { type Context, type Io, runCommand } from '../context.js';
import { EXIT } from '../exit.js';
import {
  type AtFlags,
  type ConnectionFlags,
  configOption,
  type FilterFlags,
  filterOptions,
  type LinkFlags,
  type ListFlags,
  type LogFlags,
  linkOption,
  listOption,
  logOptions,
  networkOptions,
} from '../options.js';
import { plural } from '../render/format.js';

export type ReadingFlags = ConnectionFlags & LinkFlags & LogFlags;

/** The options after a command's own. */
export function readingOptions(command: Command): Command {
  linkOption(command);
  networkOptions(command);
  logOptions(command);
  return configOption(command);
}

export type ListingFlags = ReadingFlags & FilterFlags & ListFlags;

export function listingOptions(command: Command): Command {
  filterOptions(command);
  listOption(command);
  return readingOptions(command);
}

/** At least; a listing may have `--list-concurrency` requests in flight. */
const CONNECTIONS = 16;

/** Opens one side for a command's body, logs its retries with -vv, and closes it. */
export function onSide(
  io: Io,
  path: string,
  flags: ReadingFlags & Partial<ListFlags & AtFlags>,
  body: (side: OpenSide, context: Context) => Promise<number>,
): Promise<number> {
  return runCommand(io, flags, { bars: false }, (context) =>
    withSide(context, path, flags, (side) => body(side, context), { atMs: flags.at }),
  );
}

/** Opens one side for a command's body. @param as `file`: a local path that does not exist is a file */
export async function withSide<T>(
  { io, log }: Context,
  path: string,
  flags: ReadingFlags & Partial<ListFlags>,
  body: (side: OpenSide) => Promise<T>,
  as?: { file?: boolean; written?: boolean; atMs?: number },
): Promise<T> {
  const { openSide } = await import('../../open.js');
  const side = await openSide(path, openSettings(flags, Math.max(CONNECTIONS, flags.listConcurrency ?? 0), io.env), as);
  const view = side.view((event) => log.report({ type: 'retry', side: 'source', ...event }));
  for (const message of side.warnings ?? []) log.report({ type: 'notice', level: 'warn', message });
  const unhear = side.findings?.hear((message) => log.report({ type: 'notice', level: 'info', message }));
  try {
    return await body({ ...side, ...view });
  } finally {
    unhear?.();
    await side.close();
  }
}

/**
 * A line of a listing: an object, or a directory that stands for the objects below it, whose path ends in a slash. Paths
 * are relative to `side`.
 */
export type Found = { path: string; entry: ObjectEntry; version?: VersionEntry } | FoundFolder;

export interface FoundFolder {
  path: string;
  entry?: undefined;
  /** Absent: the store knows nothing of folders. */
  info?: FolderInfo;
  isBucket?: true;
}

/** What a listing command works on; without a side, the rows are the buckets of a remote. */
export interface Rows {
  pages: AsyncGenerator<Found[], void, void>;
  context: Context;
  side?: OpenSide;
}

export interface RowsOptions {
  oneLevel: boolean;
  /** A remote without a bucket lists its buckets; default: with `oneLevel`. */
  buckets?: boolean;
  /** A recursive listing also has the directories, each before its first object. */
  folders?: boolean;
  /** A directory has its time and size, where the store keeps them. */
  folderInfo?: boolean;
  /** Walks over every version and delete marker instead; `atMs`: those that were there at this time, ms since 1970. */
  versions?: (side: OpenSide, how: WalkOptions & { atMs?: number }) => AsyncGenerator<Found[], void, void>;
}

/** Runs a listing command. */
export function listingCommand(
  io: Io,
  path: string,
  flags: ListingFlags & AtFlags,
  options: RowsOptions,
  body: (rows: Rows) => Promise<void>,
): Promise<number> {
  return runCommand(io, flags, { bars: false }, async (context) => {
    const filter = await filterOf(flags);
    const account = (options.buckets ?? options.oneLevel) ? await accountAt(context, path, flags) : undefined;
    if (account) {
      try {
        await body({ pages: bucketsOf(account, filter), context });
      } finally {
        await account.close();
      }
      return EXIT.ok;
    }
    const { folders = false, versions } = options;
    const { maxDepth, at: atMs } = flags;
    const listed = async (side: OpenSide): Promise<number> => {
      // As with rclone, --max-depth says how far down a listing with directories goes.
      const oneLevel = folders && maxDepth !== undefined ? maxDepth === 1 : options.oneLevel;
      const how = { oneLevel, filter, context, concurrency: flags.listConcurrency, folders, maxDepth };
      const pages = versions ? versions(side, { ...how, atMs }) : walk(side, how);
      await body({ pages: withFolders(side, pages, { ...options, oneLevel }), context, side });
      return EXIT.ok;
    };
    return withSide(context, path, flags, listed, { atMs: versions ? undefined : atMs });
  });
}

async function accountAt({ io }: Context, path: string, flags: ListingFlags): Promise<OpenAccount | undefined> {
  const { openAccount } = await import('../../open.js');
  return openAccount(path, openSettings(flags, CONNECTIONS, io.env));
}

async function* bucketsOf(account: OpenAccount, filter: Filter | undefined): AsyncGenerator<Found[], void, void> {
  for await (const page of account.buckets()) {
    const rows = page.map(({ name, createdMs }) => ({
      path: `${name}/`,
      isBucket: true as const,
      ...(createdMs !== undefined && { info: { mtimeMs: createdMs } }),
    }));
    yield rows.filter(({ path }) => filter?.showsFolder(path) ?? true);
  }
}

async function* withFolders(
  side: OpenSide,
  pages: AsyncGenerator<Found[], void, void>,
  { oneLevel, folders = false, folderInfo = false }: RowsOptions,
): AsyncGenerator<Found[], void, void> {
  const above = new Folders();
  const listed = side.store.capabilities.local;
  for await (const page of pages) {
    const rows = folders && !oneLevel && !listed ? page.flatMap((found) => [...above.above(found), found]) : page;
    yield folderInfo ? await Promise.all(rows.map((found) => timed(side, found))) : rows;
  }
}

async function timed({ store, prefix }: OpenSide, found: Found): Promise<Found> {
  if (found.entry !== undefined) return found;
  return { ...found, info: await store.folder?.(prefix + found.path) };
}

/** Directories of a recursive listing, each before its first object. Sorted keys keep a directory together. */
class Folders {
  #last: string[] = [];

  above({ path }: Found): FoundFolder[] {
    const folders = path.split('/').slice(0, -1);
    const same = folders.findIndex((name, index) => name !== this.#last[index]);
    this.#last = folders;
    if (same < 0) return [];
    const names = folders.slice(same).map((_, index) => `${folders.slice(0, same + index + 1).join('/')}/`);
    // The object that marks a directory stands for itself.
    return names.filter((name) => name !== path).map((name) => ({ path: name }));
  }
}

/** Bytes per read, and reads in flight: 32 MiB use the full throughput of a distant store. */
const PIECE = 8 * 1024 * 1024;
const IN_FLIGHT = 4;

/** The bytes of an object, in order. Every read is pinned to one version, so old and new bytes never mix. */
export async function* pieces(
  store: ObjectBytes,
  key: string,
  { etag, start, end }: { etag: string; start: number; end: number },
): AsyncGenerator<Uint8Array, void, void> {
  const read = async (offset: number): Promise<Uint8Array> => {
    const target = new Uint8Array(Math.min(PIECE, end - offset));
    await store.read(key, target, { offset, ifMatch: etag });
    return target;
  };
  const reads: Promise<Uint8Array>[] = [];
  for (let offset = start; offset < end || reads.length > 0; offset += PIECE) {
    if (offset < end) {
      const piece = read(offset);
      // It may never be awaited, if an earlier read fails.
      piece.catch(() => {});
      reads.push(piece);
    }
    if (reads.length >= IN_FLIGHT || offset + PIECE >= end) yield (await reads.shift()) ?? new Uint8Array();
  }
}

export interface WalkOptions {
  oneLevel: boolean;
  /** Also folders without objects, where a store has them, and those whose objects --max-depth hides. */
  folders?: boolean;
  maxDepth?: number;
  filter?: Filter;
  context: Context;
  concurrency: number;
}

/**
 * The objects below the side's prefix that pass the filter, a page at a time; with `oneLevel` only those directly
 * below it, and directories. A path that names an object returns that object.
 * @throws bucket-not-found (exit 3) when there is nothing under a path that was given
 */
export async function* walk(
  side: OpenSide,
  { oneLevel, filter, folders: wanted = false, maxDepth, ...options }: WalkOptions,
): AsyncGenerator<Found[], void, void> {
  await filter?.hidden?.renew(keysOf(side, { ...options, onUnlisted: () => {}, onDamaged: () => {} }));
  let found = false;
  let last: string | undefined;
  const missing: XsyncError[] = [];
  const how = {
    ...options,
    onUnlisted: ({ error }: UnlistedFolder) => void missing.push(error),
    onDamaged: (fault: XsyncError) => void missing.push(fault),
    emptyFolders: wanted,
    enters: filter && ((folder: string) => filter.mayContain(folder.slice(side.prefix.length))),
    shows: filter && ((folder: string) => filter.showsFolder(folder.slice(side.prefix.length))),
  };
  for await (const { entries, prefixes } of sourceOf(side, oneLevel, how)) {
    found ||= entries.length + prefixes.length > 0;
    const all = entries.map((entry) => ({ path: entry.key.slice(side.prefix.length), entry }));
    const objects = all.filter(({ path, entry }) => filter?.test(path, entry.size, entry.mtimeMs).included ?? true);
    const deep = wanted && !oneLevel && maxDepth !== undefined ? foldersAt(maxDepth, all) : [];
    const folders = [...deep, ...prefixes.map((prefix) => prefix.slice(side.prefix.length))]
      .filter((path) => path !== last && (filter?.showsFolder(path) ?? true))
      .map((path) => ({ path }));
    last = deep.at(-1) ?? last;
    yield [...objects, ...folders].sort((a, b) => compareKeys(a.path, b.path));
  }
  const [first] = missing;
  if (first) throw incomplete(first, missing.length);
  if (!found && side.path !== '') yield [await objectAt(side)];
}

/** The folders of a page that hold what lies below `depth` levels, each once. */
function foldersAt(depth: number, objects: readonly { path: string }[]): string[] {
  const names = objects.map(({ path }) => path.split('/')).filter((parts) => parts.length > depth);
  return [...new Set(names.map((parts) => `${parts.slice(0, depth).join('/')}/`))];
}

/** The listing lacks what is in some folders, or in damaged rows. */
export function incomplete({ message, subject, code, remedy, cause }: XsyncError, count: number): XsyncError {
  const more = count > 1 ? ` (and ${plural(count - 1, code === 'not-readable' ? 'more folder' : 'more row')})` : '';
  return new XsyncError(code, `the list is not complete: ${message}${more}`, { subject, remedy, cause });
}

type Listing = { context: Context; concurrency: number } & Pick<ListOptions, 'enters' | 'emptyFolders'> & {
    /** Whether a folder is listed itself, even if it is not entered. */
    shows?: ListOptions['enters'];
    onUnlisted: (folder: UnlistedFolder) => void;
    onDamaged: (fault: XsyncError) => void;
  };

type Level = Pick<ListPage, 'prefixes'> & { entries: readonly ObjectEntry[] };

async function* level(
  side: OpenSide,
  { onUnlisted, onDamaged, shows: enters, emptyFolders }: Listing,
): AsyncGenerator<Level> {
  const { store, prefix, text } = side;
  const guard = new PageGuard(text);
  const damaged = new DamagedRows(side, onDamaged);
  let token: string | undefined;
  do {
    const page = damaged.without(await store.list({ prefix, token, delimiter: '/', enters, emptyFolders }));
    const { entries, prefixes } = page;
    for (const folder of page.unlisted ?? []) onUnlisted(folder);
    token = page.nextToken;
    guard.follow({ first: entries[0]?.key, last: entries.at(-1)?.key ?? prefixes.at(-1), token });
    yield page;
  } while (token !== undefined);
}

async function* keysOf(side: OpenSide, listing: Listing): AsyncGenerator<string[]> {
  for await (const { entries } of everything(side, listing))
    yield entries.map(({ key }) => key.slice(side.prefix.length));
}

/** Where folders are more than a part of keys, they are read one by one, so that the empty ones are seen. */
function sourceOf(side: OpenSide, oneLevel: boolean, how: Listing): AsyncGenerator<Level> {
  if (oneLevel) return level(side, how);
  return how.emptyFolders && side.store.capabilities.local ? folderByFolder(side, how) : everything(side, how);
}

/** Depth first. */
async function* folderByFolder(side: OpenSide, how: Listing): AsyncGenerator<Level> {
  for await (const page of level(side, how)) {
    yield page;
    for (const prefix of page.prefixes) {
      if (how.enters?.(prefix) ?? true) yield* folderByFolder({ ...side, prefix }, how);
    }
  }
}

async function* everything(
  side: OpenSide,
  { context, concurrency, emptyFolders: _, shows: __, ...how }: Listing,
): AsyncGenerator<Level> {
  const { listPages } = await import('../../engine/list/list.js');
  const onInexact = (why: string): void => {
    const message = `${side.text} cannot be listed from an arbitrary key (${why}); it is listed sequentially`;
    context.log.report({ type: 'notice', level: 'warn', message });
  };
  for await (const entries of listPages(side, concurrency, onInexact, how)) yield { entries, prefixes: [] };
}

/** With nothing below it, the path may be an object itself. */
async function objectAt(side: OpenSide): Promise<Found> {
  try {
    const entry = await side.store.head(side.path);
    return { path: side.path.slice(side.path.lastIndexOf('/') + 1), entry };
  } catch (error) {
    if (!isXsyncError(error, 'object-not-found')) throw error;
    throw new XsyncError('bucket-not-found', `there is nothing at ${side.text}`, { subject: side.text, cause: error });
  }
}
