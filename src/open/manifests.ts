/** The manifests of this machine as files: their contents, and how one is replaced. Tests: test/cli/pairs.test.ts */
import { existsSync, renameSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { statusOf } from '../engine/record/status.js';
import type { LockHolder, PairIdentity, RunRow } from '../manifest/port.js';
import { manifestError } from '../manifest/sqlite/errors.js';
import { holderOf, lockPair } from '../manifest/sqlite/lock.js';
import { openManifest, pairOf } from '../manifest/sqlite/open.js';
import { mustBelong } from '../manifest/sqlite/owner.js';
import { readManifest } from '../manifest/sqlite/reading.js';
import { XsyncError } from '../model/error.js';
import { knownPairs, type Wanted } from './known.js';
import type { OpenPair, OpenSettings } from './settings.js';
import { COMPANIONS, manifestFiles, removeManifest, settingsOf, stateOf } from './state.js';

export interface ManifestInfo {
  file: string;
  /** Of the file and its companions. */
  bytes: number;
  pair: PairIdentity;
  format: number;
  rows: number;
  uploads: number;
  failed: number;
  lastRun?: Pick<RunRow, 'command' | 'startedMs' | 'endedMs' | 'outcome'>;
  /** Everything that was at the source before this is at the destination, ms since 1970. */
  synchronisedMs?: number;
  atWork?: LockHolder;
}

/** A manifest that cannot be read. */
export interface BrokenManifest {
  file: string;
  bytes: number;
  error: XsyncError;
}

/** Of the selected pair, or of all on this machine, including those that cannot be read. */
export async function* manifestInfos(
  settings: OpenSettings,
  wanted: Wanted,
): AsyncGenerator<ManifestInfo | BrokenManifest, void, void> {
  if (wanted || settings.manifest !== undefined) {
    const files: string[] = [];
    for await (const { file } of knownPairs(settings, wanted)) files.push(file);
    yield* files.flatMap((file) => infoOf(file) ?? []);
    return;
  }
  for (const file of (await manifestFiles(settings)).sort()) {
    try {
      const info = infoOf(file);
      if (info) yield info;
    } catch (error) {
      if (!(error instanceof XsyncError)) throw error;
      yield { file, bytes: bytesOf(file), error };
    }
  }
}

/** @throws config */
function infoOf(file: string): ManifestInfo | undefined {
  // Before it is opened: SQLite may create temporary files.
  const bytes = bytesOf(file);
  const manifest = readManifest(file);
  if (!manifest) return undefined;
  try {
    const [last] = manifest.runs(1);
    const { command, startedMs, endedMs, outcome } = last ?? {};
    return {
      file,
      bytes,
      pair: manifest.pair,
      format: manifest.format,
      rows: manifest.count(),
      uploads: manifest.uploads().length,
      failed: manifest.failureCount(),
      lastRun: command === undefined ? undefined : ({ command, startedMs, endedMs, outcome } as RunRow),
      synchronisedMs: statusOf(manifest, Date.now()).synchronised?.untilMs,
      atWork: holderOf(file),
    };
  } finally {
    manifest.close();
  }
}

function bytesOf(file: string): number {
  return COMPANIONS.reduce((sum, end) => sum + (statSync(file + end, { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** The damage that SQLite finds in the file, if any. @throws config when it cannot be read at all */
export function damageOf(file: string): string[] {
  const manifest = readManifest(file);
  try {
    return manifest?.damage() ?? [];
  } finally {
    manifest?.close();
  }
}

export interface Rebuilding extends OpenPair {
  /** The final path of the manifest. */
  file: string;
  /** Replaces the old manifest, which is kept under the returned name. */
  finish(): string | undefined;
}

/**
 * Opens an empty manifest that will replace the pair's own. Holds the lock until `close`. The old one is unchanged
 * until `finish`.
 * @throws locked; config when the file is another pair's; not-writable, disk-full
 */
export function openRebuilding(
  sides: Pick<OpenPair, 'source' | 'dest' | 'single' | 'links'>,
  settings: Pick<OpenSettings, 'manifest' | 'env'>,
): Rebuilding {
  const { pair, file } = stateOf(sides, settings);
  const owner = existsSync(file) ? pairOf(file) : undefined;
  if (owner) mustBelong({ name: file }, owner, pair);
  const lock = lockPair(file, { pid: process.pid, host: hostname(), sinceMs: Date.now(), command: 'manifest rebuild' });
  const fresh = `${file}.rebuilding`;
  const removeFresh = (): void => removeManifest(fresh);
  try {
    // Left by a rebuild that was killed.
    removeFresh();
    const manifest = openManifest(fresh, pair);
    const finish = (): string | undefined => {
      manifest.close();
      return replace(file, fresh);
    };
    const close = async (): Promise<void> => {
      manifest.close();
      removeFresh();
      lock.release();
      await Promise.all([sides.source.close(), sides.dest.close()]);
    };
    return { ...sides, manifest, settings: settingsOf(sides), file, finish, close };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** @returns the new name of the old one */
function replace(file: string, fresh: string): string | undefined {
  const aside = existsSync(file) ? freeName(file) : undefined;
  try {
    if (aside !== undefined) {
      for (const end of COMPANIONS) if (existsSync(file + end)) renameSync(file + end, aside + end);
    }
    renameSync(fresh, file);
    return aside;
  } catch (error) {
    throw manifestError(error, file);
  }
}

/** Does not end in `.db`, so that it is not taken for a pair's manifest. */
function freeName(file: string): string {
  const dated = `${file}.${new Date().toISOString().slice(0, 19).replaceAll(':', '')}Z`;
  for (let n = 1; ; n++) {
    const name = n === 1 ? dated : `${dated}-${n}`;
    if (!existsSync(name)) return name;
  }
}

/**
 * Forgets a pair: removes its manifest. Objects at both sides stay; the next run compares them.
 * @throws locked while a run uses it; not-writable
 */
export function forgetPair(file: string): void {
  const lock = lockPair(file, { pid: process.pid, host: hostname(), sinceMs: Date.now(), command: 'manifest forget' });
  try {
    removeManifest(file);
  } catch (error) {
    throw manifestError(error, file);
  } finally {
    lock.release();
  }
}
