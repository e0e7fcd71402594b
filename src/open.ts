/**
 * The composition root: from what a person typed and configured to wrapped stores, a manifest and a lock. The only
 * module that knows the adapters; each is loaded when it is first needed, so that a local copy loads no SDK.
 */
import { readdir, stat } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type Config, loadConfig } from './config/load.js';
import { type ConfiguredLocation, parseLocation } from './config/location.js';
import type { RunPair, RunSide } from './engine/options.js';
import { pairId } from './manifest/pair.js';
import type { Manifest, PairIdentity, PairLock, PlaceIdentity } from './manifest/port.js';
import { lockPair } from './manifest/sqlite/lock.js';
import { openManifest, pairOf } from './manifest/sqlite/open.js';
import { isUnexplained, isXsyncError, XsyncError } from './model/error.js';
import { type Congestion, type CongestionSetting, examineCongestion, openCongestion } from './store/http/congestion.js';
import { HttpTransport } from './store/http/transport.js';
import type { ObjectStore } from './store/port.js';
import { dryRun } from './store/wrap/dry-run.js';
import { meter } from './store/wrap/meter.js';
import { retry } from './store/wrap/retry.js';
import { Limiter, throttle } from './store/wrap/throttle.js';
import { VERSION } from './version.js';

export { type CongestionSetting, examineCongestion };

/** Bytes per second in each direction at an instant (ms since 1970); absent: no limit. */
export type BandwidthSchedule = (nowMs: number) => { up?: number; down?: number };

export interface OpenSettings {
  /** Config file; the usual places when absent. */
  config?: string;
  /** Manifest file; one per pair in the state directory when absent. */
  manifest?: string;
  /** `lean`: our own HTTP client. `sdk`: the vendors' SDKs, as a second opinion. */
  transport: 'lean' | 'sdk';
  /** Attempts of one request. */
  lowLevelRetries: number;
  /** No byte either way for so long is a fault, in ms. 0: the transport's default. */
  timeoutMs: number;
  contimeoutMs: number;
  /** Connections per server, at most. */
  connections: number;
  tpslimit?: number;
  tpslimitBurst?: number;
  bandwidth?: BandwidthSchedule;
  /** Congestion control of the lean transport's connections; `auto` when absent. */
  congestion?: CongestionSetting;
  /** In place of what the remotes' configs say. */
  accelerate?: 'auto' | 'off';
  copyLinks: boolean;
  env: NodeJS.ProcessEnv;
}

export interface OpenSide extends RunSide {
  bucket: string;
  /** Key or prefix below the bucket as typed; for local disk empty or the file's name. */
  path: string;
  /** What `accelerate: auto` chose and why, starting with `on` or `off`; absent when it had nothing to choose. */
  acceleration?: string;
  close(): Promise<void>;
}

export interface OpenPair extends RunPair {
  source: OpenSide;
  dest: OpenSide;
  close(): Promise<void>;
}

/**
 * One side alone, its prefix a folder's unless `path` names an object.
 * @throws usage, config
 */
export async function openSide(text: string, settings: OpenSettings): Promise<OpenSide> {
  return new Opener(settings, await readConfig(settings)).side(text);
}

/**
 * Both sides, their manifest and its lock.
 * @param options `single`: the destination names the object itself, if the source is one (copyto)
 * @throws usage, config, bucket-not-found (a local source that does not exist), locked
 */
export async function openPair(
  sourceText: string,
  destText: string,
  settings: OpenSettings,
  options: { command: string; single: boolean; dryRun: boolean },
): Promise<OpenPair> {
  const opener = new Opener(settings, await readConfig(settings));
  const source = await opener.side(sourceText);
  let dest: OpenSide | undefined;
  try {
    const object = await objectNamed(source);
    const single = object !== undefined;
    dest = await opener.side(destText, { readOnly: options.dryRun, file: single && options.single });
    await refuseUnusable(dest, single, options.single);
    if (single) aimAtObject(source, dest, object, options.single);
    const pair = { source: placeOf(source), dest: placeOf(dest) };
    const file = settings.manifest ?? join(stateDirectory(settings.env), `${pairId(pair)}.db`);
    return openManifestFor(pair, file, { source, dest, single }, options.command);
  } catch (error) {
    await Promise.all([source.close(), dest?.close()]);
    throw error;
  }
}

/**
 * The manifests on this machine whose destination is at or below a side, each with the pair's lock while it is used.
 * Pairs that a run is at work on are left out.
 */
export async function* manifestsInto(
  side: OpenSide,
  settings: OpenSettings,
): AsyncGenerator<{ manifest: Manifest; prefix: string }> {
  const { kind, endpoint, bucket, prefix } = placeOf(side);
  for (const file of await manifestFiles(settings)) {
    const pair = pairOf(file);
    const into = pair?.dest;
    if (!pair || into?.kind !== kind || into.endpoint !== endpoint || into.bucket !== bucket) continue;
    if (!into.prefix.startsWith(prefix)) continue;
    const lock = lockIfFree(file);
    if (!lock) continue;
    const manifest = openManifest(file, pair);
    try {
      yield { manifest, prefix: into.prefix };
    } finally {
      manifest.close();
      lock.release();
    }
  }
}

async function manifestFiles({ manifest, env }: OpenSettings): Promise<string[]> {
  if (manifest !== undefined) return [manifest];
  const directory = stateDirectory(env);
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new XsyncError('not-readable', `cannot read ${directory}: ${error.message}`, { cause: error });
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
  return join(env.XDG_STATE_HOME || join(env.HOME || homedir(), '.local', 'state'), 'xsync');
}

function readConfig(settings: OpenSettings): Promise<Config> {
  return loadConfig({ file: settings.config, env: settings.env });
}

function openManifestFor(
  pair: PairIdentity,
  file: string,
  sides: Pick<OpenPair, 'source' | 'dest' | 'single'>,
  command: string,
): OpenPair {
  const lock = lockPair(file, { pid: process.pid, host: hostname(), sinceMs: Date.now(), command });
  try {
    const manifest = openManifest(file, pair);
    const close = async (): Promise<void> => {
      manifest.close();
      lock.release();
      await Promise.all([sides.source.close(), sides.dest.close()]);
    };
    return { ...sides, manifest, close };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** The key of the object that a source names, or undefined when it names a folder. */
async function objectNamed(side: OpenSide): Promise<string | undefined> {
  if (side.path === '' || side.path.endsWith('/')) return undefined;
  if (side.store.capabilities.local) return side.path;
  try {
    await side.store.head(side.path);
    return side.path;
  } catch (error) {
    // Without the right to list, a missing object is a 403; the listing that follows tells which it is.
    if (isXsyncError(error, 'object-not-found', 'access-denied') || isUnexplained(error)) return undefined;
    throw error;
  }
}

/** @throws usage when a local file is where a folder is needed; not-writable */
async function refuseUnusable({ store, path, text }: OpenSide, single: boolean, exact: boolean): Promise<void> {
  if (!store.capabilities.local) return;
  if (path !== '' && !(single && exact)) {
    throw new XsyncError('usage', `${text} is a file, and a folder is needed`, {
      subject: text,
      remedy: single ? 'use copyto to replace the file itself' : 'choose another destination',
    });
  }
  const { refuseUnwritable } = await import('./store/local/place.js');
  await refuseUnwritable(store.identity.bucket);
}

/** Narrows a pair to one object: both prefixes become full keys. */
function aimAtObject(source: OpenSide, dest: OpenSide, sourceKey: string, exact: boolean): void {
  const name = sourceKey.slice(sourceKey.lastIndexOf('/') + 1);
  const named = exact && dest.path !== '' && !dest.path.endsWith('/');
  source.prefix = sourceKey;
  dest.prefix = named ? dest.path : dest.prefix + name;
}

function placeOf({ store, prefix }: OpenSide): PlaceIdentity {
  const { kind, endpoint, bucket } = store.identity;
  return { kind, endpoint, bucket, prefix };
}

interface Opened {
  store: ObjectStore;
  path: string;
  notes?: string[];
  acceleration?: string;
  close(): Promise<void>;
}

type NetworkRemote = Extract<ConfiguredLocation['remote'], { type: 's3' | 'oss' }>;

class Opener {
  readonly #settings: OpenSettings;
  readonly #config: Config;
  readonly #limiter: Limiter;
  #congestion: Promise<Congestion> | undefined;

  constructor(settings: OpenSettings, config: Config) {
    const { tpslimit, tpslimitBurst, bandwidth } = settings;
    this.#settings = settings;
    this.#config = config;
    this.#limiter = new Limiter({
      requestsPerSecond: tpslimit,
      burst: tpslimitBurst,
      up: bandwidth && ((now) => bandwidth(now).up),
      down: bandwidth && ((now) => bandwidth(now).down),
    });
  }

  /** @param as `readOnly`: every write is refused; `file`: a local path that does not exist is meant as a file's */
  async side(text: string, as: { readOnly?: boolean; file?: boolean } = {}): Promise<OpenSide> {
    const location = parseLocation(text, this.#config);
    const opened = await this.#open(location, as.file === true);
    const metered = meter(as.readOnly ? dryRun(opened.store) : opened.store);
    // The limits are a network's.
    const limited = opened.store.capabilities.local ? metered : throttle(metered, this.#limiter);
    const { path } = opened;
    const side: OpenSide = {
      store: retry(limited, {
        attempts: this.#settings.lowLevelRetries,
        onRetry: ({ error, ...event }) => side.onRetry?.({ ...event, code: error.code, message: error.message }),
      }),
      bucket: opened.store.identity.bucket,
      path,
      prefix: path === '' || path.endsWith('/') ? path : `${path}/`,
      text,
      notes: opened.notes ?? [],
      acceleration: opened.acceleration,
      traffic: () => metered.counts(),
      close: opened.close,
    };
    return side;
  }

  async #open(location: ConfiguredLocation, asFile: boolean): Promise<Opened> {
    const { remote, bucket, path } = location;
    if (remote.type === 'local') return openLocal(bucket, remote.copy_links || this.#settings.copyLinks, asFile);
    if (remote.type === 'memory') {
      const { MemoryStore } = await import('./store/memory/store.js');
      const store = new MemoryStore({ bucket, endpoint: `memory:${location.name}` });
      return { store, path, close: () => store.close() };
    }
    const { transport, note } = await this.#transport();
    const { store, acceleration } = await this.#openRemote(location, this.#accelerating(remote), transport);
    const notes = note === undefined ? [] : [note];
    if (acceleration !== undefined) notes.push(`${location.text}: acceleration ${acceleration}`);
    const close = async (): Promise<void> => {
      await store.close();
      await transport.close();
    };
    return { store, path, notes, acceleration, close };
  }

  #accelerating<R extends NetworkRemote>(remote: R): R {
    const { accelerate } = this.#settings;
    return accelerate === undefined ? remote : { ...remote, accelerate };
  }

  async #openRemote(
    { name, bucket, text }: ConfiguredLocation,
    remote: NetworkRemote,
    transport: HttpTransport,
  ): Promise<{ store: ObjectStore; acceleration?: string }> {
    const { transport: way, env, contimeoutMs, timeoutMs } = this.#settings;
    const place = `${name}:${text.includes('://') ? '//' : ''}${bucket}`;
    const limits = { connectTimeoutMs: contimeoutMs || undefined, idleTimeoutMs: timeoutMs || undefined };
    if (remote.type === 's3' && way === 'sdk') {
      const { openS3SdkStore } = await import('./store/s3/sdk.js');
      return openS3SdkStore(remote, bucket, { ...limits, env });
    }
    if (remote.type === 's3') {
      const { openS3Store } = await import('./store/s3/open.js');
      return openS3Store(remote, bucket, { transport, place });
    }
    if (way === 'sdk') {
      const { createOssSdkStore } = await import('./store/oss/sdk.js');
      return { store: createOssSdkStore(remote, bucket, { ...limits, env }) };
    }
    const { openOssStore } = await import('./store/oss/open.js');
    return openOssStore(remote, bucket, { transport, env, place });
  }

  /** `note`: what became of the congestion control, said for the first transport alone. */
  async #transport(): Promise<{ transport: HttpTransport; note?: string }> {
    const { connections, timeoutMs, contimeoutMs, congestion = 'auto', transport: way } = this.#settings;
    const first = this.#congestion === undefined;
    // The SDKs open connections of their own.
    this.#congestion ??= openCongestion(way === 'sdk' ? 'system' : congestion);
    const { sockets, note } = await this.#congestion;
    const transport = new HttpTransport({
      connections,
      idleTimeoutMs: timeoutMs || undefined,
      connectTimeoutMs: contimeoutMs || undefined,
      congestion: sockets,
      userAgent: `xsync/${VERSION}`,
    });
    return { transport, note: first ? note : undefined };
  }
}

/** A folder is a root; a file is an object in its folder's root; what does not exist yet is a root to be made. */
async function openLocal(path: string, copyLinks: boolean, asFile: boolean): Promise<Opened> {
  const [{ createLocalStore }, { realPlace }] = await Promise.all([
    import('./store/local/store.js'),
    import('./store/local/place.js'),
  ]);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new XsyncError('not-readable', `cannot look at ${path}: ${error.message}`, { subject: path, cause: error });
  });
  const isFile = found ? !found.isDirectory() : asFile;
  const store = createLocalStore({ root: await realPlace(isFile ? dirname(path) : path), copyLinks });
  return { store, path: isFile ? basename(path) : '', close: () => store.close() };
}
