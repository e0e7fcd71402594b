/** The pairs that this machine knows, by their manifests: to be told of without asking any store. */
import { existsSync } from 'node:fs';
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
import { manifestFiles, stateDirectory, stateOf } from './state.js';

export interface KnownPair {
  /** Of its manifest. */
  file: string;
  pair: PairIdentity;
  /** For looking only. */
  manifest: Manifest;
  /** A run that is at work on it. */
  atWork?: LockHolder;
}

/** What a person says of the pair that is meant; nothing: all of them. */
export type Wanted = { source: string; destination: string } | undefined;

/** Of places that are opened only to learn which they are. */
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
    copyLinks: false,
  };
}

/**
 * The pairs of the state directory, or the one that is meant by two paths or by `settings.manifest`. Each manifest is
 * closed when the next one is asked for.
 * @param broken told of each manifest of the state directory that cannot be read, and the others follow; without it,
 *   the first one is thrown, as it always is of a pair that is meant
 * @throws usage, config; bucket-not-found when nothing is known of the pair that is meant
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

/** The manifest to write to, beside a run that may be at work. @throws config, not-writable, disk-full */
export function openKnown({ file, pair }: Pick<KnownPair, 'file' | 'pair'>): Manifest {
  return openManifest(file, pair);
}

async function fileOf(settings: OpenSettings, { source, destination }: NonNullable<Wanted>): Promise<string> {
  const config = await loadConfig({ file: settings.config, env: settings.env });
  // Nothing is asked over the network.
  const opener = new Opener({ ...settings, accelerate: 'off', congestion: 'system' }, config);
  const sides: OpenSide[] = [];
  try {
    for (const text of [source, destination]) sides.push(await opener.side(text, { readOnly: true }));
    const [from, to] = sides;
    const file = from && to && findFile(settings, candidates(from, to));
    if (file !== undefined) return file;
  } finally {
    await Promise.all(sides.map((side) => side.close()));
  }
  throw unknown(source, `nothing is known of ${source} → ${destination}: this machine has not copied between them`);
}

function findFile({ manifest, env }: OpenSettings, pairs: readonly PairIdentity[]): string | undefined {
  if (manifest === undefined) {
    return pairs.map((pair) => join(stateDirectory(env), `${pairId(pair)}.db`)).find((file) => existsSync(file));
  }
  const reader = readManifest(manifest);
  reader?.close();
  return pairs.some((pair) => reader && samePair(pair, reader.pair)) ? manifest : undefined;
}

/** Whether the paths mean folders or a single object is what only the stores could tell: each of them is tried. */
function candidates(source: OpenSide, dest: OpenSide): PairIdentity[] {
  const identity = (from: string, to: string): PairIdentity =>
    stateOf({ source: { ...source, prefix: from }, dest: { ...dest, prefix: to } }, { env: {} }).pair;
  const name = source.path.slice(source.path.lastIndexOf('/') + 1);
  return [
    identity(source.prefix, dest.prefix),
    identity(source.path, dest.prefix + name),
    identity(source.path, dest.path),
  ];
}

function unknown(subject: string, message: string): XsyncError {
  return new XsyncError('bucket-not-found', message, {
    subject,
    remedy: '"xsync status" alone lists the pairs that are known',
  });
}
