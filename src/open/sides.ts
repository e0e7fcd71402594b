/** From a location to a wrapped store. Each adapter is loaded when it is first needed: a local copy loads no SDK. */
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Config } from '../config/load.js';
import { type ConfiguredLocation, parseLocation } from '../config/location.js';
import { XsyncError } from '../model/error.js';
import { type Congestion, openCongestion } from '../store/http/congestion.js';
import { HttpTransport } from '../store/http/transport.js';
import type { ObjectStore } from '../store/port.js';
import { dryRun } from '../store/wrap/dry-run.js';
import { share } from '../store/wrap/share.js';
import { Limiter, throttle } from '../store/wrap/throttle.js';
import { VERSION } from '../version.js';
import { fingerprintOf } from './fingerprint.js';
import type { OpenSettings, OpenSide } from './settings.js';

interface Opened {
  store: ObjectStore;
  path: string;
  notes?: string[];
  acceleration?: string;
  /** Bytes go through transfer acceleration. */
  accelerated?: boolean;
  close(): Promise<void>;
}

type NetworkRemote = Extract<ConfiguredLocation['remote'], { type: 's3' | 'oss' }>;

/** Opens the sides of one command, under one set of limits. */
export class Opener {
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
    const bare = as.readOnly ? dryRun(opened.store) : opened.store;
    // The limits are a network's.
    const limit = (store: ObjectStore) => (store.capabilities.local ? store : throttle(store, this.#limiter));
    const { path } = opened;
    return {
      ...share(bare, { attempts: this.#settings.lowLevelRetries }, limit),
      bucket: opened.store.identity.bucket,
      path,
      prefix: path === '' || path.endsWith('/') ? path : `${path}/`,
      text,
      notes: opened.notes ?? [],
      acceleration: opened.acceleration,
      prices: location.remote.type === 's3' || location.remote.type === 'oss' ? location.remote.prices : undefined,
      accelerated: opened.accelerated,
      settings: fingerprintOf(location.remote, this.#settings.env),
      close: opened.close,
    };
  }

  async #open(location: ConfiguredLocation, asFile: boolean): Promise<Opened> {
    const { remote, bucket, path } = location;
    if (remote.type === 'local') return openLocal(bucket, remote.copy_links || this.#settings.copyLinks, asFile);
    if (remote.type === 'memory') {
      const { MemoryStore } = await import('../store/memory/store.js');
      const store = new MemoryStore({ bucket, endpoint: `memory:${location.name}` });
      return { store, path, close: () => store.close() };
    }
    const { transport, note } = await this.#transport();
    const wanted = this.#accelerating(remote);
    const { store, acceleration } = await this.#openRemote(location, wanted, transport);
    const accelerated = acceleration?.startsWith('on') ?? wanted.accelerate === 'on';
    const notes = note === undefined ? [] : [note];
    if (acceleration !== undefined) notes.push(`${location.text}: acceleration ${acceleration}`);
    const close = async (): Promise<void> => {
      await store.close();
      await transport.close();
    };
    return { store, path, notes, acceleration, accelerated, close };
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
      const { openS3SdkStore } = await import('../store/s3/sdk.js');
      return openS3SdkStore(remote, bucket, { ...limits, env });
    }
    if (remote.type === 's3') {
      const { openS3Store } = await import('../store/s3/open.js');
      return openS3Store(remote, bucket, { transport, place });
    }
    if (way === 'sdk') {
      const { createOssSdkStore } = await import('../store/oss/sdk.js');
      return { store: createOssSdkStore(remote, bucket, { ...limits, env }) };
    }
    const { openOssStore } = await import('../store/oss/open.js');
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
    import('../store/local/store.js'),
    import('../store/local/place.js'),
  ]);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new XsyncError('not-readable', `cannot look at ${path}: ${error.message}`, { subject: path, cause: error });
  });
  const isFile = found ? !found.isDirectory() : asFile;
  const store = createLocalStore({ root: await realPlace(isFile ? dirname(path) : path), copyLinks });
  return { store, path: isFile ? basename(path) : '', close: () => store.close() };
}
