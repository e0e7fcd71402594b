/**
 * Pages of a walk. The walk is kept between pages and found by the page's token. An unknown token (another process, a
 * retried page) starts a new walk after the last key returned, with the same result.
 * Tests: test/store/local/walk.test.ts
 */
import { stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { ABSENT, unlessErrno } from '../../model/errno.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import type { ObjectEntry } from '../../model/object.js';
import type { ListOptions, ListPage, UnlistedFolder } from '../port.js';
import { throwIfAborted } from '../signal.js';
import type { Calls } from './calls.js';
import { type Folder, kindOf } from './children.js';
import type { Directories } from './directories.js';
import { translate, translating } from './errors.js';
import { versionOf } from './files.js';
import { directoryOf, OWN_DIRECTORY, whyNot } from './keys.js';
import type { Names } from './names.js';
import type { Sidecars } from './sidecars.js';
import { ancestry, type Found, type Item, Walk } from './walk.js';

const PAGE = 1000;
/** Concurrent lookups of size and time; the thread pool has four threads by default. */
const LOOKUPS = 16;
/** Lookups after which others have their turn: those of files that the system has in its cache wait for nothing. */
const TURN = 256;
/** Walks kept for their next page; the oldest is dropped. */
const LIVE_WALKS = 64;

interface LiveWalk {
  walk: Walk;
  /** Of the walk's options. */
  enters: ListOptions['enters'];
  /** The own folder, not yet returned, if it could not be read. */
  own: UnlistedFolder[];
  /** Taken from the walk, not yet returned. */
  next: Item | undefined;
}

export class Listing {
  readonly #root: string;
  readonly #followLinks: boolean;
  readonly #directories: Directories;
  readonly #names: Names;
  readonly #sidecars: Sidecars;
  readonly #calls: Calls;
  readonly #walks = new Map<string, LiveWalk>();

  constructor(
    root: string,
    options: { followLinks: boolean; directories: Directories; names: Names; sidecars: Sidecars; calls: Calls },
  ) {
    this.#root = root;
    this.#followLinks = options.followLinks;
    this.#directories = options.directories;
    this.#names = options.names;
    this.#sidecars = options.sidecars;
    this.#calls = options.calls;
  }

  async page(options: ListOptions): Promise<ListPage> {
    throwIfAborted(options.signal);
    const { prefix = '', delimiter = '' } = options;
    if (delimiter !== '' && delimiter !== '/') {
      throw new XsyncError('unsupported', 'a directory tree supports only the delimiter /');
    }
    const size = Math.min(options.maxKeys ?? PAGE, PAGE);
    const name = (token: string) => JSON.stringify([prefix, delimiter, token, options.emptyFolders === true]);
    const live = this.#take(name(options.token ?? ''), options) ?? (await this.#start(options, prefix, delimiter));
    const items: Item[] = [];
    while (live?.next && items.length < size) {
      items.push(live.next);
      if (items.length % LOOKUPS === 0) throwIfAborted(options.signal);
      live.next = await live.walk.next();
    }
    const entries = await this.#lookUp(items, options.signal);
    const prefixes = items.flatMap((item) => ('prefix' in item ? [item.prefix] : []));
    const unread = items.flatMap((item) => ('unread' in item ? [{ prefix: item.unread, error: item.error }] : []));
    const unlisted = [...(live?.own.splice(0) ?? []), ...unread];
    const page = { entries, prefixes, ...(unlisted.length > 0 && { unlisted }) };
    const last = items.at(-1);
    if (!live?.next || !last) return page;
    const nextToken = tokenOf(last);
    this.#keep(name(nextToken), live);
    return { ...page, nextToken };
  }

  #take(name: string, { enters }: ListOptions): LiveWalk | undefined {
    const live = this.#walks.get(name);
    if (live?.enters !== enters) return undefined;
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
    const { marked, own } = await this.#records();
    const { enters, emptyFolders } = options;
    const walk = new Walk(folder, {
      names: this.#names,
      followLinks: this.#followLinks,
      enters,
      prefix,
      after: options.token ?? options.startAfter ?? '',
      rollUp: delimiter !== '',
      emptyFolders,
      ...(marked ? { isMarker: async (key) => (await this.#sidecars.markerVersion(key)) !== undefined } : {}),
    });
    return { walk, enters, own, next: await walk.next() };
  }

  /** Whether there may be markers; if that cannot be seen, the own folder counts as unlisted. */
  async #records(): Promise<{ marked: boolean; own: UnlistedFolder[] }> {
    try {
      return { marked: await this.#sidecars.any(), own: [] };
    } catch (error) {
      const prefix = `${OWN_DIRECTORY}/`;
      const fault = translate(error, 'read', this.#directories.path(OWN_DIRECTORY));
      if (!isXsyncError(fault) || fault.class === 'temporary') throw fault;
      return { marked: false, own: [{ prefix, error: fault }] };
    }
  }

  /** The deepest directory that contains all keys with the prefix; undefined if there is none. */
  async #folder(prefix: string): Promise<Folder | undefined> {
    let folder: Folder = { key: '', path: this.#root, above: await ancestry(this.#root, []) };
    const base = directoryOf(prefix);
    if (base === '') return prefix.startsWith('/') ? undefined : folder;
    if (whyNot(this.#root, base) !== undefined || this.#names.whyNot(base) !== undefined) return undefined;
    if (!(await this.#directories.toRead(`${base}/`, async () => true))) return undefined;
    for (const name of base.split('/')) {
      const path = this.#names.join(folder.path, name);
      folder = { key: `${folder.key}${name}/`, path, above: await ancestry(path, folder.above) };
    }
    return folder;
  }

  async #lookUp(items: readonly Item[], signal: AbortSignal | undefined): Promise<ObjectEntry[]> {
    const entries: ObjectEntry[] = [];
    for (let i = 0; i < items.length; i += LOOKUPS) {
      throwIfAborted(signal);
      if (i % TURN === 0) await setImmediate();
      const batch = items.slice(i, i + LOOKUPS).map((item) => ('key' in item ? this.#entry(item) : undefined));
      for (const entry of await Promise.all(batch)) if (entry) entries.push(entry);
    }
    return entries;
  }

  /** Undefined if the file was removed after its name was read. */
  async #entry({ key, path, kind, fault }: Found): Promise<ObjectEntry | undefined> {
    if (kind === 'marker') {
      const version = await this.#sidecars.markerVersion(key);
      return version && { key, size: 0, etag: version.etag, mtimeMs: version.mtimeMs };
    }
    const follows = this.#followLinks && kind === 'file';
    const look = async () => (follows ? stat(path, { bigint: true }) : this.#calls.lstat(path));
    try {
      const found = await translating('read', this.#directories.path(key), () => unlessErrno(ABSENT, look()));
      if (!found) return undefined;
      const { size, etag, mtimeMs } = versionOf(found);
      // A link is what the walk found behind it.
      const now = kind === 'file' ? kindOf(found) : kind;
      if (now === 'file') return { key, size, etag, mtimeMs };
      return { key, size: 0, etag, mtimeMs, ...specialOf(now), ...(fault && { fault }) };
    } catch (error) {
      // A folder can be listed without the right to look at what is in it.
      if (!isXsyncError(error) || error.class === 'temporary') throw error;
      return { key, size: 0, etag: '', mtimeMs: 0, special: 'other', fault: fault ?? error };
    }
  }
}

function tokenOf(item: Item): string {
  if ('key' in item) return item.key;
  return 'prefix' in item ? item.prefix : item.unread;
}

/** What an entry says of something that is no file. A folder has taken a file's place since its name was read. */
export function specialOf(kind: ReturnType<typeof kindOf>): Pick<ObjectEntry, 'special' | 'kind'> {
  return kind === 'symlink'
    ? { special: 'symlink' }
    : { special: 'other', kind: kind === 'directory' ? 'folder' : kind };
}

/** @throws bucket-not-found, not-readable */
export async function requireRoot(root: string): Promise<void> {
  const found = await translating('read', root, () => unlessErrno(ABSENT, stat(root)));
  if (found?.isDirectory()) return;
  throw new XsyncError('bucket-not-found', `${root} ${found ? 'is not a directory' : 'does not exist'}`, {
    subject: root,
  });
}
