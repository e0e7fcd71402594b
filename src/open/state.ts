/** The state directory: the manifest of a pair, and its lock. Tests: test/open/state.test.ts, test/cli/cleanup.test.ts */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { stateHome } from '../config/home.js';
import { pairId, samePair } from '../manifest/pair.js';
import type { Manifest, PairIdentity, PairLock, PlaceIdentity } from '../manifest/port.js';
import { lockPair } from '../manifest/sqlite/lock.js';
import { IN_MEMORY, openManifest, pairOf } from '../manifest/sqlite/open.js';
import { type ManifestReader, readManifest } from '../manifest/sqlite/reading.js';
import { reasonOf } from '../model/errno.js';
import { isXsyncError, XsyncError } from '../model/error.js';
import type { OpenPair, OpenSettings, OpenSide } from './settings.js';
import { workersOf } from './threads.js';

/**
 * The manifest of two open sides. Holds its lock until `close`.
 * @throws locked, config, not-writable, disk-full
 */
export function openState(
  sides: Pick<OpenPair, 'source' | 'dest' | 'aside' | 'others' | 'single' | 'classes' | 'links'>,
  settings: OpenSettings,
  command: string,
): OpenPair {
  const { pair, file } = stateOf(sides, settings);
  const lock = lockPair(file, { pid: process.pid, host: hostname(), sinceMs: Date.now(), command });
  try {
    const manifest = openManifest(file, pair);
    const name = nameFile(sides, settings.env);
    if (settings.manifest === undefined && hasLinks(sides)) writeFileSync(name, basename(file));
    const workers = workersOf(sides, settings);
    const close = async (): Promise<void> => {
      await workers?.close();
      const isMistake = holdsNothing(manifest);
      manifest.close();
      if (isMistake) removeManifest(file);
      if (isMistake && settings.manifest === undefined) rmSync(name, { force: true });
      lock.release();
      const { source, dest, aside, others = [] } = sides;
      await Promise.all([source, dest, aside, ...others].map((side) => side?.close()));
    };
    return { ...sides, manifest, settings: settingsOf(sides), workers, close };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** After runs that all failed before they did anything, most likely because a path was misspelled. */
function holdsNothing(manifest: Manifest): boolean {
  return (
    manifest.runs(TRIES).every(({ outcome }) => outcome === 'broken') &&
    [
      manifest.page(undefined, 1),
      manifest.failures(undefined, 1),
      manifest.doomed(undefined, 1),
      manifest.uploads(),
    ].every(({ length }) => length === 0) &&
    !manifest.anyIntended()
  );
}

/** More failed runs than this are a pair that is meant. */
const TRIES = 20;

/** The suffixes of the files that SQLite keeps for one database. https://sqlite.org/tempfiles.html */
export const COMPANIONS = ['', '-wal', '-shm'];

/** The caller holds the lock. The lock's own file stays: without it, two runs could lock two files of the same name. */
export function removeManifest(file: string): void {
  for (const end of COMPANIONS) rmSync(file + end, { force: true });
}

/**
 * The manifest of two sides for reading: takes no lock, creates no file, and may be open during a run.
 * @returns undefined when the pair has none yet
 * @throws config, not-readable
 */
export function readState(
  sides: Pick<OpenPair, 'source' | 'dest'>,
  settings: Pick<OpenSettings, 'manifest' | 'env'>,
): ManifestReader | undefined {
  const { pair, file } = stateOf(sides, settings);
  return readManifest(file, pair);
}

/**
 * Whether an earlier run has copied or compared objects between the two sides. A damaged manifest says that none has.
 * @throws not-readable, locked
 */
export function hasRows(
  sides: Pick<OpenPair, 'source' | 'dest'>,
  settings: Pick<OpenSettings, 'manifest' | 'env'>,
): boolean {
  const { pair, file } = stateOf(sides, settings);
  const reader = readIfSound(file);
  if (!reader) return false;
  try {
    return samePair(reader.pair, pair) && reader.page(undefined, 1).length > 0;
  } finally {
    reader.close();
  }
}

function readIfSound(file: string): ManifestReader | undefined {
  try {
    return readManifest(file);
  } catch (error) {
    if (isXsyncError(error, 'config')) return undefined;
    throw error;
  }
}

/**
 * Like `openState`, for reading: without the lock, and with an empty manifest in memory if there is none.
 * @throws config, not-readable
 */
export function openStateToRead(
  sides: Pick<OpenPair, 'source' | 'dest' | 'single' | 'links'>,
  settings: Pick<OpenSettings, 'manifest' | 'env'>,
): OpenPair {
  const manifest = readState(sides, settings) ?? openManifest(IN_MEMORY, stateOf(sides, settings).pair);
  const close = async (): Promise<void> => {
    manifest.close();
    await Promise.all([sides.source.close(), sides.dest.close()]);
  };
  return { ...sides, manifest, settings: settingsOf(sides), close };
}

/** The fingerprints of both sides, for `RunPair`. */
export function settingsOf({ source, dest }: Pick<OpenPair, 'source' | 'dest'>): string {
  return `${source.settings} ${dest.settings}`;
}

/** The pair of a manifest, and the path of its file, which need not exist. */
export function stateOf(
  sides: Pick<OpenPair, 'source' | 'dest'>,
  { manifest, env }: Pick<OpenSettings, 'manifest' | 'env'>,
): { pair: PairIdentity; file: string } {
  const linked = linkedState(sides, { manifest, env });
  if (linked) return linked;
  const pair = { source: placeOf(sides.source), dest: placeOf(sides.dest) };
  if (manifest !== undefined) return { pair: ownerOf(manifest, sides) ?? pair, file: manifest };
  const fileOf = (named: PairIdentity): string => join(stateDirectory(env), `${pairId(named)}.db`);
  const file = fileOf(pair);
  if (existsSync(file)) return { pair, file };
  const earlier = earlierNames(sides).find((named) => existsSync(fileOf(named)));
  return earlier ? { pair: earlier, file: fileOf(earlier) } : { pair, file };
}

/** The state of a pair whose paths led elsewhere when it was last opened, because a link in them has been changed. */
function linkedState(
  sides: Pick<OpenPair, 'source' | 'dest'>,
  { manifest, env }: Pick<OpenSettings, 'manifest' | 'env'>,
): { pair: PairIdentity; file: string } | undefined {
  const name = nameFile(sides, env);
  if (!existsSync(name)) return undefined;
  const file = join(stateDirectory(env), basename(readFileSync(name, 'utf8')));
  if (!file.endsWith('.db') || file !== (manifest ?? file) || !existsSync(file)) return undefined;
  // A damaged manifest does not say whose it is: opening it tells.
  return { pair: pairOf(file) ?? { source: placeOf(sides.source), dest: placeOf(sides.dest) }, file };
}

/** The earlier name of the pair that the manifest has, if it has one. */
function ownerOf(file: string, sides: Pick<OpenPair, 'source' | 'dest'>): PairIdentity | undefined {
  const names = earlierNames(sides);
  const owner = names.length > 0 && existsSync(file) ? pairOf(file) : undefined;
  return owner && names.find((named) => samePair(named, owner));
}

/** The names under which earlier versions may have kept the pair. */
function earlierNames({ source, dest }: Pick<OpenPair, 'source' | 'dest'>): PairIdentity[] {
  return placesOf(source).flatMap((from) => placesOf(dest).map((to) => ({ source: from, dest: to })));
}

/** The place, and then under its earlier names. */
function placesOf(side: OpenSide): PlaceIdentity[] {
  const place = placeOf(side);
  const { formerly = [] } = side.store.identity;
  return [place, ...formerly.map((endpoint) => ({ ...place, endpoint }))];
}

/** A side whose path is a file, as it was when the path was a folder. */
export function folderOfFile(side: OpenSide): OpenSide {
  const { bucket, givenAs, path } = side;
  return { ...side, bucket: join(bucket, path), givenAs: join(givenAs, path), path: '', prefix: '' };
}

/** The file that names the manifest of a pair by its paths as they are typed: the links in them may lead elsewhere. */
function nameFile({ source, dest }: Pick<OpenPair, 'source' | 'dest'>, env: NodeJS.ProcessEnv): string {
  const typed = (side: OpenSide) => placeOf({ ...side, bucket: side.givenAs });
  return join(stateDirectory(env), `${pairId({ source: typed(source), dest: typed(dest) })}.name`);
}

/** The links of a path have been followed. */
function hasLinks({ source, dest }: Pick<OpenPair, 'source' | 'dest'>): boolean {
  return source.givenAs !== source.bucket || dest.givenAs !== dest.bucket;
}

/**
 * The manifests on this machine whose destination is at, below or above a side, each with the pair's lock while it is in
 * use. Pairs with a run in progress are skipped.
 */
export async function* manifestsInto(
  side: OpenSide,
  settings: OpenSettings,
): AsyncGenerator<{ manifest: Manifest; into: PlaceIdentity }> {
  const place = placeOf(side);
  const endpoints = new Set(placesOf(side).map(({ endpoint }) => endpoint));
  for (const file of await manifestFiles(settings)) {
    const pair = pairOf(file);
    const into = pair?.dest;
    if (!pair || into?.kind !== place.kind || !endpoints.has(into.endpoint)) continue;
    if (!pathOf(into).startsWith(pathOf(place)) && !pathOf(place).startsWith(pathOf(into))) continue;
    const lock = lockIfFree(file);
    if (!lock) continue;
    const manifest = openManifest(file, pair);
    try {
      yield { manifest, into };
    } finally {
      manifest.close();
      lock.release();
    }
  }
}

/** The manifests on this machine, or the named one. @throws not-readable */
export async function manifestFiles({ manifest, env }: Pick<OpenSettings, 'manifest' | 'env'>): Promise<string[]> {
  if (manifest !== undefined) return [manifest];
  const directory = stateDirectory(env);
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new XsyncError('not-readable', `${directory} cannot be read: ${reasonOf(error)}`, { cause: error });
  });
  return names.filter((name) => name.endsWith('.db')).map((name) => join(directory, name));
}

function lockIfFree(file: string): PairLock | undefined {
  try {
    return lockPair(file, { pid: process.pid, host: hostname(), sinceMs: Date.now(), command: 'cleanup' });
  } catch (error) {
    if (isXsyncError(error, 'locked')) return undefined;
    throw error;
  }
}

/** `$XDG_STATE_HOME/xsync`: manifests and locks. */
export function stateDirectory(env: NodeJS.ProcessEnv): string {
  return join(stateHome(env), 'xsync');
}

/** The path of a place on its host: one folder on disk can be part of another pair's. */
export function pathOf({ bucket, prefix }: Pick<PlaceIdentity, 'bucket' | 'prefix'>): string {
  return `${bucket === '/' ? '' : bucket}/${prefix}`;
}

function placeOf({ store, bucket, prefix }: OpenSide): PlaceIdentity {
  const { kind, endpoint } = store.identity;
  return { kind, endpoint, bucket, prefix };
}
