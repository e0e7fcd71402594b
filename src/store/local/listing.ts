/**
 * Pages of a walk. The walk is kept between pages and found by the page's token. An unknown token (another process, a
 * retried page) starts a new walk after the last key returned, with the same result.
 */
import { lstat, stat } from 'node:fs/promises';
import { ABSENT, unlessErrno } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import type { ObjectEntry } from '../../model/object.js';
import type { ListOptions, ListPage } from '../port.js';
import { throwIfAborted } from '../signal.js';
import type { Directories } from './directories.js';
import { translating } from './errors.js';
import { versionOf } from './files.js';
import { directoryOf, whyNot } from './keys.js';
import type { Sidecars } from './sidecars.js';
import { ancestry, type Folder, type Found, type RolledUp, Walk } from './walk.js';

const PAGE = 1000;
/** Concurrent lookups of size and time; the thread pool has four threads by default. */
const LOOKUPS = 16;
/** Walks kept for their next page; the oldest is dropped. */
const LIVE_WALKS = 64;

type Item = Found | RolledUp;

interface LiveWalk {
  walk: Walk;
  /** Taken from the walk, not yet returned. */
  next: Item | undefined;
}

export class Listing {
  readonly #root: string;
  readonly #followLinks: boolean;
  readonly #directories: Directories;
  readonly #sidecars: Sidecars;
  readonly #walks = new Map<string, LiveWalk>();

  constructor(root: string, options: { followLinks: boolean; directories: Directories; sidecars: Sidecars }) {
    this.#root = root;
    this.#followLinks = options.followLinks;
    this.#directories = options.directories;
    this.#sidecars = options.sidecars;
  }

  async page(options: ListOptions): Promise<ListPage> {
    throwIfAborted(options.signal);
    const { prefix = '', delimiter = '' } = options;
    if (delimiter !== '' && delimiter !== '/') {
      throw new XsyncError('unsupported', 'a directory tree supports only the delimiter /');
    }
    const size = Math.min(options.maxKeys ?? PAGE, PAGE);
    const name = (token: string) => JSON.stringify([prefix, delimiter, token]);
    const live = this.#take(name(options.token ?? '')) ?? (await this.#start(options, prefix, delimiter));
    const items: Item[] = [];
    while (live?.next && items.length < size) {
      items.push(live.next);
      if (items.length % LOOKUPS === 0) throwIfAborted(options.signal);
      live.next = await live.walk.next();
    }
    const entries = await this.#lookUp(items, options.signal);
    const prefixes = items.flatMap((item) => ('prefix' in item ? [item.prefix] : []));
    const last = items.at(-1);
    if (!live?.next || !last) return { entries, prefixes };
    const nextToken = 'prefix' in last ? last.prefix : last.key;
    this.#keep(name(nextToken), live);
    return { entries, prefixes, nextToken };
  }

  #take(name: string): LiveWalk | undefined {
    const live = this.#walks.get(name);
    this.#walks.delete(name);
    return live;
  }

  #keep(name: string, live: LiveWalk): void {
    this.#walks.set(name, live);
    const [oldest] = this.#walks.keys();
    if (this.#walks.size > LIVE_WALKS && oldest !== undefined) this.#walks.delete(oldest);
  }

  async #start(options: ListOptions, prefix: string, delimiter: string): Promise<LiveWalk | undefined> {
    await requireRoot(this.#root);
    const folder = await this.#folder(prefix);
    if (!folder) return undefined;
    const marked = await this.#sidecars.any();
    const walk = new Walk(folder, {
      followLinks: this.#followLinks,
      prefix,
      after: options.token ?? options.startAfter ?? '',
      rollUp: delimiter !== '',
      ...(marked ? { isMarker: async (key) => (await this.#sidecars.markerVersion(key)) !== undefined } : {}),
    });
    return { walk, next: await walk.next() };
  }

  /** The deepest directory that contains all keys with the prefix; undefined if there is none. */
  async #folder(prefix: string): Promise<Folder | undefined> {
    let folder: Folder = { key: '', path: this.#root, above: await ancestry(this.#root, []) };
    const base = directoryOf(prefix);
    if (base === '') return prefix.startsWith('/') ? undefined : folder;
    if (whyNot(this.#root, base) !== undefined || !(await this.#directories.readable(base))) return undefined;
    for (const name of base.split('/')) {
      const path = `${folder.path}/${name}`;
      folder = { key: `${folder.key}${name}/`, path, above: await ancestry(path, folder.above) };
    }
    return folder;
  }

  async #lookUp(items: readonly Item[], signal: AbortSignal | undefined): Promise<ObjectEntry[]> {
    const entries: ObjectEntry[] = [];
    for (let i = 0; i < items.length; i += LOOKUPS) {
      throwIfAborted(signal);
      const batch = items.slice(i, i + LOOKUPS).map((item) => ('prefix' in item ? undefined : this.#entry(item)));
      for (const entry of await Promise.all(batch)) if (entry) entries.push(entry);
    }
    return entries;
  }

  /** Undefined if the file was removed after its name was read. */
  async #entry({ key, path, kind }: Found): Promise<ObjectEntry | undefined> {
    if (kind === 'marker') {
      const version = await this.#sidecars.markerVersion(key);
      return version && { key, size: 0, etag: version.etag, mtimeMs: version.mtimeMs };
    }
    const look = this.#followLinks && kind === 'file' ? stat : lstat;
    const found = await translating('read', path, () => unlessErrno(ABSENT, look(path, { bigint: true })));
    if (!found) return undefined;
    const { size, etag, mtimeMs } = versionOf(found);
    const special = kind === 'file' && !found.isFile() ? 'other' : kind;
    return special === 'file' ? { key, size, etag, mtimeMs } : { key, size: 0, etag, mtimeMs, special };
  }
}

/** @throws bucket-not-found, not-readable */
export async function requireRoot(root: string): Promise<void> {
  const found = await translating('read', root, () => unlessErrno(ABSENT, stat(root)));
  if (found?.isDirectory()) return;
  throw new XsyncError('bucket-not-found', `${root} ${found ? 'is not a directory' : 'does not exist'}`, {
    subject: root,
  });
}
