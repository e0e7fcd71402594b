/** The pairs that this machine knows by their manifests, without any request. Tests: test/cli/pairs.test.ts */
import { join } from 'node:path';
import { loadConfig } from '../config/load.js';
import { pairId, samePair } from '../manifest/pair.js';
import type { LockHolder, Manifest, PairIdentity } from '../manifest/port.js';
import { holderOf } from '../manifest/sqlite/lock.js';
import { openManifest } from '../manifest/sqlite/open.js';
import { type ManifestReader, readManifest } from '../manifest/sqlite/reading.js';
import { XsyncError } from '../model/error.js';
import type { OpenSettings, OpenSide } from './settings.js';
import { Opener } from './sides.js';
import { folderOfFile, manifestFiles, stateDirectory, stateOf } from './state.js';

export interface KnownPair {
  /** Of its manifest. */
  file: string;
  pair: PairIdentity;
  /** Read-only. */
  manifest: Manifest;
  /** The run in progress on it. */
  atWork?: LockHolder;
}

/** The selected pair; undefined: all of them. */
export type Wanted = { source: string; destination: string } | undefined;

/** For places that are opened only to identify them. */
export function lookingSettings(
  env: NodeJS.ProcessEnv,
  { manifest, config }: { manifest?: string; config?: string },
): OpenSettings {
  return {
    ...{ config, manifest, env },
    transport: 'lean',
    lowLevelRetries: 1,
    timeoutMs: 0,
    contimeoutMs: 0,
    connections: 1,
  };
}

/**
 * The pairs of the state directory, or the one selected by two paths or by `settings.manifest`. Each manifest is
 * closed when the next one is requested.
 * @param broken called for each manifest of the state directory that cannot be read. Without it, and for a selected
 *   pair, the error is thrown.
 * @throws usage, config; bucket-not-found when the selected pair is unknown
 */
export async function* knownPairs(
  settings: OpenSettings,
  wanted: Wanted,
  broken?: (error: XsyncError) => void,
): AsyncGenerator<KnownPair, void, void> {
  const files = wanted ? [await fileOf(settings, wanted)] : await manifestFiles(settings);
  const all = wanted === undefined && settings.manifest === undefined;
  for (const file of files.sort()) {
    const manifest = read(file, all ? broken : undefined);
    if (!manifest) {
      if (settings.manifest === undefined) continue;
      throw unknown(file, `there is no manifest ${file}`);
    }
    try {
      yield { file, pair: manifest.pair, manifest, atWork: holderOf(file) };
    } finally {
      manifest.close();
    }
  }
}

function read(file: string, broken?: (error: XsyncError) => void): ManifestReader | undefined {
  try {
    return readManifest(file);
  } catch (error) {
    if (!broken || !(error instanceof XsyncError)) throw error;
    broken(error);
    return undefined;
  }
}

/** The manifest for writing, even during a run. @throws config, not-writable, disk-full */
export function openKnown({ file, pair }: Pick<KnownPair, 'file' | 'pair'>): Manifest {
  return openManifest(file, pair);
}

async function fileOf(settings: OpenSettings, { source, destination }: NonNullable<Wanted>): Promise<string> {
  const config = await loadConfig({ file: settings.config, env: settings.env });
  // No requests are made.
  const opener = new Opener({ ...settings, accelerate: 'off', congestion: 'system' }, config);
  const sides: OpenSide[] = [];
  try {
    for (const text of [source, destination]) sides.push(await opener.side(text, { readOnly: true }));
    const [from, to] = sides;
    const file = from && to && (await findFile(settings, candidates(from, to, settings.env)));
    if (file !== undefined) return file;
  } finally {
    await Promise.all(sides.map((side) => side.close()));
  }
  throw unknown(source, `nothing is known of ${source} → ${destination}: this machine has not copied between them`);
}

/** @throws not-readable */
async function findFile({ manifest, env }: OpenSettings, pairs: readonly PairIdentity[]): Promise<string | undefined> {
  if (manifest === undefined) {
    const files = await manifestFiles({ env });
    return pairs.map((pair) => join(stateDirectory(env), `${pairId(pair)}.db`)).find((file) => files.includes(file));
  }
  const reader = readManifest(manifest);
  reader?.close();
  return pairs.some((pair) => reader && samePair(pair, reader.pair)) ? manifest : undefined;
}

/** Only the stores know whether the paths are folders or a single object, so all combinations are tried. */
function candidates(source: OpenSide, dest: OpenSide, env: NodeJS.ProcessEnv): PairIdentity[] {
  const identity = (from: OpenSide, to: string): PairIdentity =>
    stateOf({ source: from, dest: { ...dest, prefix: to } }, { env }).pair;
  const object = { ...source, prefix: source.path };
  const name = source.path.slice(source.path.lastIndexOf('/') + 1);
  const asFolder = source.store.capabilities.local && source.path !== '' ? folderOfFile(source) : source;
  return [identity(asFolder, dest.prefix), identity(object, dest.prefix + name), identity(object, dest.path)];
}

function unknown(subject: string, message: string): XsyncError {
  return new XsyncError('bucket-not-found', message, {
    subject,
    remedy: 'list the known pairs with "xsync status"',
  });
}
