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
import { openSettings } from '../../open/job.js';
import type { OpenSide } from '../../open.js';
import type { ListOptions, ListPage, UnlistedFolder } from '../../store/port.js';
import { type Context, type Io, runCommand } from '../context.js';
import {
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
  flags: ReadingFlags & Partial<ListFlags>,
  body: (side: OpenSide, context: Context) => Promise<number>,
): Promise<number> {
  return runCommand(io, flags, { bars: false }, (context) =>
    withSide(context, path, flags, (side) => body(side, context)),
  );
}

export async function withSide<T>(
  { io, log }: Context,
  path: string,
  flags: ReadingFlags & Partial<ListFlags>,
  body: (side: OpenSide) => Promise<T>,
): Promise<T> {
  const { openSide } = await import('../../open.js');
  const side = await openSide(path, openSettings(flags, Math.max(CONNECTIONS, flags.listConcurrency ?? 0), io.env));
  const view = side.view((event) => log.report({ type: 'retry', side: 'source', ...event }));
  const unhear = side.findings?.hear((message) => log.report({ type: 'notice', level: 'info', message }));
  try {
    return await body({ ...side, ...view });
  } finally {
    unhear?.();
    await side.close();
  }
}

/** A line of a listing: an object, or a directory that stands for the objects below it. Paths are relative to `side`. */
export type Found = { path: string; entry: ObjectEntry } | { path: string; entry?: undefined };

/**
 * The objects below the side's prefix that pass the filter, a page at a time; with `oneLevel` only those directly
 * below it, and directories. A path that names an object returns that object.
 * @throws bucket-not-found (exit 3) when there is nothing under a path that was given
 */
export async function* walk(
  side: OpenSide,
  { oneLevel, filter, ...options }: { oneLevel: boolean; filter?: Filter; context: Context; concurrency: number },
): AsyncGenerator<Found[], void, void> {
  await filter?.hidden?.renew(keysOf(side, { ...options, onUnlisted: () => {}, onDamaged: () => {} }));
  let found = false;
  const missing: XsyncError[] = [];
  const how = {
    ...options,
    onUnlisted: ({ error }: UnlistedFolder) => void missing.push(error),
    onDamaged: (fault: XsyncError) => void missing.push(fault),
    enters: filter && ((folder: string) => filter.mayContain(folder.slice(side.prefix.length))),
  };
  for await (const { entries, prefixes } of oneLevel ? level(side, how) : everything(side, how)) {
    found ||= entries.length + prefixes.length > 0;
    const objects = entries
      .map((entry) => ({ path: entry.key.slice(side.prefix.length), entry }))
      .filter(({ path, entry }) => filter?.test(path, entry.size, entry.mtimeMs).included ?? true);
    const folders = prefixes
      .map((prefix) => ({ path: prefix.slice(side.prefix.length) }))
      .filter(({ path }) => filter?.mayContain(path) ?? true);
    yield [...objects, ...folders].sort((a, b) => compareKeys(a.path, b.path));
  }
  const [first] = missing;
  if (first) throw incomplete(first, missing.length);
  if (!found && side.path !== '') yield [await objectAt(side)];
}

/** The listing lacks what is in some folders, or in damaged rows. */
function incomplete({ message, subject, code, remedy, cause }: XsyncError, count: number): XsyncError {
  const more = count > 1 ? ` (and ${plural(count - 1, code === 'not-readable' ? 'more folder' : 'more row')})` : '';
  return new XsyncError(code, `the list is not complete: ${message}${more}`, { subject, remedy, cause });
}

type Listing = { context: Context; concurrency: number } & Pick<ListOptions, 'enters'> & {
    onUnlisted: (folder: UnlistedFolder) => void;
    onDamaged: (fault: XsyncError) => void;
  };

type Level = Pick<ListPage, 'prefixes'> & { entries: readonly ObjectEntry[] };

async function* level(side: OpenSide, { onUnlisted, onDamaged, enters }: Listing): AsyncGenerator<Level> {
  const { store, prefix, text } = side;
  const guard = new PageGuard(text);
  const damaged = new DamagedRows(side, onDamaged);
  let token: string | undefined;
  do {
    const page = damaged.without(await store.list({ prefix, token, delimiter: '/', enters }));
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

async function* everything(side: OpenSide, { context, concurrency, ...how }: Listing): AsyncGenerator<Level> {
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
