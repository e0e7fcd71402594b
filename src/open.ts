/** The composition root: from paths and configuration to wrapped stores, a manifest and a lock. */
import { type Config, loadConfig } from './config/load.js';
import { parseLocation } from './config/location.js';
import { isUnexplained, isXsyncError, XsyncError } from './model/error.js';
import { withFleet } from './open/fleet.js';
import type { OpenedInventory } from './open/inventory.js';
import { followed, linksOf } from './open/links.js';
import { openRebuilding, type Rebuilding } from './open/manifests.js';
import { openMirrorState } from './open/mirror.js';
import type { ListOf, ObjectList } from './open/object-list.js';
import type { OpenAccount, OpenPair, OpenSettings, OpenSide } from './open/settings.js';
import { type OpenAs, Opener } from './open/sides.js';
import { folderOfFile, hasRows, openState, openStateToRead } from './open/state.js';
import { classesFor, refuseUnknownClass } from './open/storage-classes.js';

/** A page may be empty and not be the last. */
const MOST_PAGES = 10;

export type { BandwidthSchedule, OpenAccount, OpenPair, OpenSettings, OpenSide } from './open/settings.js';
export { manifestFiles, manifestsInto, pathOf, readState, stateDirectory } from './open/state.js';
export { type CongestionSetting, examineCongestion } from './store/http/congestion.js';

/**
 * One side. Its prefix is a folder unless `path` names an object.
 * @param as `file`: a local path that does not exist is a file; `written`: it is written, with the encryption of the
 *   settings; `atMs`: as it stood at this time
 * @throws usage, config
 */
export async function openSide(text: string, settings: OpenSettings, as?: Omit<OpenAs, 'readOnly'>): Promise<OpenSide> {
  const side = await new Opener(settings, await readConfig(settings)).side(text, as);
  if (!as?.written) return side;
  try {
    refuseUnknownClass(settings.storageClass, side);
    return side;
  } catch (error) {
    await side.close();
    throw error;
  }
}

/** The account of a remote without a bucket, such as `lab:`; undefined for any other location. @throws usage, config */
export async function openAccount(text: string, settings: OpenSettings): Promise<OpenAccount | undefined> {
  return new Opener(settings, await readConfig(settings)).account(text);
}

interface PairOptions {
  command: string;
  single: boolean;
  dryRun: boolean;
  aside?: string;
  others?: readonly string[];
  sourceAtMs?: number;
  versions?: boolean;
  mirror?: boolean;
  inventories?: Inventories;
  list?: ListOf;
}

/** Locations of inventories, by side. */
export interface Inventories {
  source?: string;
  dest?: string;
}

/**
 * Both sides, their manifest and its lock.
 * @param options `single`: the destination names the object itself, if the source is one (copyto); `aside`: the place
 *   for overwritten and deleted objects, and `others`: more places to read, also opened; `sourceAtMs`: the source as it
 *   stood at this time; `versions`: an object that is deleted is one, too; `mirror`: both sides are written to
 * @throws usage, config, bucket-not-found (a local source that does not exist), locked
 */
export async function openPair(
  sourceText: string,
  destText: string,
  settings: OpenSettings,
  options: PairOptions,
): Promise<OpenPair> {
  const config = await readConfig(settings);
  const opener = new Opener(settings, config);
  const { mirror = false } = options;
  let source = await opener.side(sourceText, {
    ...{ atMs: options.sourceAtMs, written: mirror, readOnly: mirror && options.dryRun },
  });
  let dest: OpenSide | undefined;
  let aside: OpenSide | undefined;
  const others: OpenSide[] = [];
  const inventories: OpenedInventory[] = [];
  let list: ObjectList | undefined;
  const read = async (side: OpenSide, option: string, text: string | undefined): Promise<void> => {
    const { versions = false } = options;
    if (text !== undefined) inventories.push(await readInventory(opener, side, { option, text, versions }));
  };
  try {
    let object = await objectNamed(source, options.versions);
    const file = object !== undefined && options.single;
    dest = await opener.side(destText, { readOnly: options.dryRun, file, written: true });
    const classes = classesFor(settings.storageClass, { source, dest }, config);
    if (object !== undefined && wasFolder(source, dest, settings)) object = undefined;
    const single = object !== undefined;
    if (mirror) refuseObject(source, single);
    if (mirror) await refuseUnusable(source, single, false, !options.dryRun);
    await refuseUnusable(dest, single, options.single, !options.dryRun);
    await source.refuseUnreadable?.();
    if (object !== undefined) aimAtObject(source, dest, object, options.single);
    if (single) refuseInventories(options.inventories, source);
    if (options.list) {
      list = await readList(opener, source, options.list, single);
      source = list.source;
    }
    await read(source, '--source-inventory', options.inventories?.source);
    await read(dest, '--dest-inventory', options.inventories?.dest);
    const kept = { readOnly: options.dryRun, written: true };
    aside = options.aside === undefined ? undefined : await opener.side(options.aside, kept);
    await aside?.refuseUnwritable?.(!options.dryRun);
    for (const text of options.others ?? []) others.push(await opener.side(text, { readOnly: true }));
    const threads = options.dryRun ? { ...settings, workers: 1 } : settings;
    if (mirror) {
      const back = classesFor(settings.storageClass, { source: dest, dest: source }, config);
      return openMirrorState({ source, dest, single, classes }, back, threads, options.command);
    }
    const linked = withLinks({ source, dest }, settings);
    const pair = openState({ ...linked, aside, others, single, classes }, threads, options.command);
    const opened = await withFleet(pair, options.dryRun ? { ...settings, queue: undefined } : settings);
    if (inventories.length === 0 && !list) return opened;
    return { ...opened, listed: list?.filter, close: () => closeAll([opened, ...inventories, list]) };
  } catch (error) {
    await closeAll([source, dest, aside, ...others, ...inventories, list]);
    throw error;
  }
}

async function closeAll(opened: readonly ({ close(): Promise<void> | void } | undefined)[]): Promise<void> {
  await Promise.all(opened.map((one) => one?.close()));
}

/** The side reads its objects from the inventory, and tells which one it is. */
async function readInventory(
  opener: Opener,
  side: OpenSide,
  named: { option: string; text: string; versions: boolean },
): Promise<OpenedInventory> {
  const { openInventory } = await import('./open/inventory.js');
  const opened = await openInventory(side, named, (text, as) => opener.side(text, as));
  side.inventory = opened.inventory;
  for (const warning of opened.warnings) warn(side, warning);
  return opened;
}

/** @throws usage: the source is a single object; as `readObjectList` */
async function readList(opener: Opener, source: OpenSide, listOf: ListOf, single: boolean): Promise<ObjectList> {
  if (single) {
    const option = listOf.batchManifest === undefined ? '--files-from-versions' : '--batch-manifest';
    throw new XsyncError(
      'usage',
      `${option}: ${source.text} is a single object, and the list names those below a path`,
      {
        subject: option,
        remedy: `Name the bucket or a folder of it, or leave out ${option}.`,
      },
    );
  }
  const { readObjectList } = await import('./open/object-list.js');
  const list = await readObjectList(source, listOf, await opener.spool(), (text, as) => opener.side(text, as));
  for (const warning of list.warnings) warn(list.source, warning);
  return list;
}

/** @throws usage */
function refuseInventories({ source, dest }: Inventories = {}, { text }: OpenSide): void {
  if (source === undefined && dest === undefined) return;
  const option = source === undefined ? '--dest-inventory' : '--source-inventory';
  throw new XsyncError('usage', `${option}: ${text} is a single object, which needs no listing`, {
    subject: option,
    remedy: `Leave out ${option}.`,
  });
}

/**
 * Both sides for reading, and their manifest without its lock, so that a run may be in progress. A pair without a
 * manifest gets an empty one in memory; none is created on disk. When the source is a single object, so is the
 * destination: the named one, or one of the same name below it.
 * @throws usage, config
 */
export function openToRead(
  sourceText: string,
  destText: string,
  settings: OpenSettings,
  how: Looking = {},
): Promise<OpenPair> {
  return openLooking(sourceText, destText, settings, { ...how, readOnly: true }, (sides) =>
    openStateToRead(sides, settings),
  );
}

/**
 * Like openToRead, but also for writing: with the pair's manifest and its lock.
 * @throws usage, config, locked, not-writable
 */
export function openToRepair(
  sourceText: string,
  destText: string,
  settings: OpenSettings,
  how: Looking = {},
): Promise<OpenPair> {
  return openLooking(sourceText, destText, settings, { ...how, readOnly: false }, async (sides) => {
    await refuseUnusable(sides.dest, sides.single, true, true);
    return openState(sides, settings, 'check --repair');
  });
}

/** Like openToRead, with an empty manifest that will replace the pair's own. @throws usage, config, locked */
export function openToRebuild(sourceText: string, destText: string, settings: OpenSettings): Promise<Rebuilding> {
  return openLooking(sourceText, destText, settings, { readOnly: true }, (sides) => openRebuilding(sides, settings));
}

/** As in PairOptions. */
type Looking = Pick<PairOptions, 'sourceAtMs' | 'versions'>;

async function openLooking<P>(
  sourceText: string,
  destText: string,
  settings: OpenSettings,
  { readOnly, sourceAtMs, versions }: Looking & { readOnly: boolean },
  open: (sides: Pick<OpenPair, 'source' | 'dest' | 'single' | 'classes' | 'links'>) => P | Promise<P>,
): Promise<P> {
  const config = await readConfig(settings);
  const opener = new Opener(settings, config);
  const source = await opener.side(sourceText, { readOnly: true, atMs: sourceAtMs });
  let dest: OpenSide | undefined;
  try {
    dest = await opener.side(destText, { readOnly, written: !readOnly });
    const classes = readOnly ? undefined : classesFor(settings.storageClass, { source, dest }, config);
    let object = await objectNamed(source, versions);
    if (object !== undefined && wasFolder(source, dest, settings)) object = undefined;
    const single = object !== undefined;
    if (object !== undefined) {
      const there = (await headNamed(dest)) ?? (versions ? await deletedAt(dest) : undefined);
      aimAtObject(source, dest, object, there !== undefined);
    }
    return await open({ ...withLinks({ source, dest }, settings), single, classes });
  } catch (error) {
    await Promise.all([source.close(), dest?.close()]);
    throw error;
  }
}

/** Both sides, with what their links are to the pair. */
function withLinks({ source, dest }: Pick<OpenPair, 'source' | 'dest'>, { links: mode }: OpenSettings) {
  const { links, follows } = linksOf(mode ?? 'auto', { source: source.store, dest: dest.store });
  const followedSource = follows === undefined ? source : { ...followed(source, follows), follows };
  return { source: followedSource, dest, ...(links && { links }) };
}

/**
 * Checks that the configuration can be read and names these places. Opens nothing.
 * @throws usage, config
 */
export async function checkPlaces(texts: readonly string[], settings: OpenSettings): Promise<void> {
  const config = await readConfig(settings);
  for (const text of texts) parseLocation(text, config);
}

function readConfig(settings: OpenSettings): Promise<Config> {
  return loadConfig({ file: settings.config, env: settings.env });
}

/**
 * The key of the object that a source names, or undefined when it names a folder. A path that names both is a folder,
 * with a warning.
 */
async function objectNamed(side: OpenSide, versions = false): Promise<string | undefined> {
  const key = (await headNamed(side)) ?? (versions ? await deletedAt(side) : undefined);
  if (key === undefined || side.store.capabilities.local || !(await hasObjects(side))) return key;
  warn(side, `${side.text} is both an object and a folder; the folder is used (${side.text}/ means only the folder)`);
  return undefined;
}

/**
 * Whether the pair has a manifest as a pair of folders: then it stays one, whatever the source's path names now. Adds a
 * warning to the source. @throws guard: the source is a file on disk, which cannot be used as a folder
 */
function wasFolder(source: OpenSide, dest: OpenSide, settings: OpenSettings): boolean {
  if (source.path === '' || source.path.endsWith('/')) return false;
  const { local } = source.store.capabilities;
  if (!hasRows({ source: local ? folderOfFile(source) : source, dest }, settings)) return false;
  if (local) {
    throw new XsyncError('guard', `${source.text} is a file now, and was a folder in earlier runs`, {
      subject: source.text,
      remedy: `Restore the folder, or run "xsync manifest forget ${source.text} ${dest.text}" to copy the file.`,
    });
  }
  warn(
    source,
    `${source.text} is an object now; it is used as the folder that it was in earlier runs (write ${source.text}/)`,
  );
  return true;
}

function warn(side: OpenSide, message: string): void {
  side.warnings = [...(side.warnings ?? []), message];
}

/** Whether there are objects below the side's prefix. What cannot be listed cannot be copied either. */
async function hasObjects({ store, prefix }: OpenSide): Promise<boolean> {
  try {
    for (let token: string | undefined, pages = 0; pages < MOST_PAGES; pages++) {
      const page = await store.list({ prefix, token, maxKeys: 1 });
      if (page.entries.length > 0) return true;
      token = page.nextToken;
      if (token === undefined) break;
    }
    return false;
  } catch (error) {
    if (isXsyncError(error, 'access-denied', 'unsupported')) return false;
    throw error;
  }
}

/** The key of the object at the path, or undefined if there is none. */
async function headNamed(side: OpenSide): Promise<string | undefined> {
  if (side.path === '' || side.path.endsWith('/')) return undefined;
  if (side.store.capabilities.local) return side.path;
  try {
    await side.store.head(side.path);
    return side.path;
  } catch (error) {
    // Without permission to list, a missing object is a 403; the listing that follows shows which it is.
    if (isXsyncError(error, 'object-not-found', 'access-denied') || isUnexplained(error)) return undefined;
    throw error;
  }
}

/** The key of the object that was at the path, if it has versions. */
async function deletedAt({ store, path }: OpenSide): Promise<string | undefined> {
  if (path === '' || path.endsWith('/')) return undefined;
  const page = await store.listVersions?.({ prefix: path, maxKeys: 1 });
  return page?.versions[0]?.key === path ? path : undefined;
}

/** @throws usage: a mirror is of folders */
function refuseObject({ text }: OpenSide, single: boolean): void {
  if (!single) return;
  throw new XsyncError('usage', `${text} is a single object, and a mirror is of two folders`, {
    subject: text,
    remedy: 'Name the folder, and the object with --include.',
  });
}

/** @throws usage when a local file is where a folder is needed; not-writable */
async function refuseUnusable(side: OpenSide, single: boolean, exact: boolean, tries: boolean): Promise<void> {
  const { store, path, text } = side;
  if (!store.capabilities.local) return side.refuseUnwritable?.(tries);
  if (path !== '' && !(single && exact)) {
    throw new XsyncError('usage', `${text} is a file, not a folder`, {
      subject: text,
      remedy: single ? 'use copyto to replace the file itself' : 'choose another destination',
    });
  }
  await side.refuseUnwritable?.(tries);
}

/** Narrows a pair to one object: both prefixes become full keys. */
function aimAtObject(source: OpenSide, dest: OpenSide, sourceKey: string, exact: boolean): void {
  const name = sourceKey.slice(sourceKey.lastIndexOf('/') + 1);
  const named = exact && dest.path !== '' && !dest.path.endsWith('/');
  source.prefix = sourceKey;
  dest.prefix = named ? dest.path : dest.prefix + name;
}
