/**
 * Opens the directories below a root, so that no key reaches outside it.
 *
 * A directory is used through a descriptor (`/proc/self/fd/N/name`), so that a component that is replaced by a link in
 * the meantime leads nobody elsewhere. Its real path is compared with the path in the key each time, or once for all files
 * that are handled in the same turn of the event loop. Without `followLinks` they must be equal, so that no component is a
 * link (or, on case-insensitive file systems, another spelling). With it, reads may follow links anywhere, and writes must
 * stay below the root. Where there is no `/proc/self/fd` (macOS), the directory is checked just before it is used; a
 * replacement between the two is not noticed.
 */
import { closeSync, constants, existsSync, fstatSync, openSync, readlinkSync } from 'node:fs';
import { lstat, mkdir, realpath, rmdir, stat } from 'node:fs/promises';
import { ABSENT, isErrno, unlessErrno } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import type { Calls } from './calls.js';
import { inTheWay } from './errors.js';
import { makeDirectories } from './files.js';
import { directoryOf, nameOf } from './keys.js';
import { Names, type Path } from './names.js';
import type { Syncs } from './syncs.js';

/** Descriptors of idle directories to keep. */
const KEPT = 32;
/** Linux: the descriptor only names the directory, which need not be readable. open(2); not in Node's constants. */
const O_PATH = 0o10000000;
const DESCRIPTORS = '/proc/self/fd';
/** How often to create a directory that others remove at once. */
const ATTEMPTS = 20;

let descriptors: boolean | undefined;

/** Whether paths may lead through descriptors. Some systems emulate only a part of `/proc`. */
function haveDescriptors(): boolean {
  descriptors ??= process.platform === 'linux' && tryDescriptors();
  return descriptors;
}

function tryDescriptors(): boolean {
  const fd = openSync('/', O_PATH | constants.O_DIRECTORY);
  try {
    return readlinkSync(`${DESCRIPTORS}/${fd}`) === '/' && existsSync(`${DESCRIPTORS}/${fd}${DESCRIPTORS}`);
  } catch {
    return false; // There is no /proc.
  } finally {
    closeSync(fd);
  }
}

interface Place {
  /** The directory as the start of a path. */
  base: Path;
  real: Buffer;
  fd?: number;
  /** `st_dev`; undefined where there are no descriptors. */
  device?: number;
  users: number;
  /** To be closed by its last user. */
  dropped: boolean;
}

export interface DirectoriesOptions {
  followLinks: boolean;
  syncs: Syncs;
  calls: Calls;
  /** UTF-8 when absent. */
  names?: Names;
  /** Whether to use `/proc/self/fd`; when absent, if it works. */
  descriptors?: boolean;
}

export class Directories {
  readonly #root: string;
  readonly #followLinks: boolean;
  readonly #syncs: Syncs;
  readonly #calls: Calls;
  readonly #names: Names;
  readonly #descriptors: boolean;
  readonly #open = new Map<string, Place>();
  /** New directories whose names may not be durable, each with the sync in progress. */
  readonly #unsynced = new Map<string, Promise<void> | undefined>();
  /** Directories that were where they had been, in this turn of the event loop. */
  readonly #seen = new Set<Place>();
  #realRoot: Buffer | undefined;

  constructor(root: string, options: DirectoriesOptions) {
    this.#root = root;
    this.#followLinks = options.followLinks;
    this.#syncs = options.syncs;
    this.#calls = options.calls;
    this.#names = options.names ?? new Names();
    this.#descriptors = options.descriptors ?? haveDescriptors();
  }

  /** For messages. */
  path(key: string): string {
    return key === '' ? this.#root : `${this.#root === '/' ? '' : this.#root}/${key}`;
  }

  /** For paths that are only looked at. */
  pathOf(key: string): Path {
    return key === '' ? this.#root : this.#names.join(this.#root, key);
  }

  /**
   * Does `work` with the path of a file or directory, to read it. With `followLinks` the path may lead anywhere.
   * @returns undefined if its directory is missing, or must not be read
   */
  async toRead<T>(key: string, work: (path: Path) => Promise<T>): Promise<T | undefined> {
    if (this.#followLinks) return work(this.pathOf(key));
    const place = await this.#find(directoryOf(key));
    if (!place) return undefined;
    if (this.#mayUse(directoryOf(key), place)) return this.#within(place, key, work);
    this.#release(place);
    return undefined;
  }

  /**
   * Does `work` with the path of a file or directory, to change it. @returns undefined if its directory is missing
   * @throws key-not-representable: it leads through a link to another place
   */
  async toChange<T>(key: string, work: (path: Path) => Promise<T>): Promise<T | undefined> {
    const place = await this.#toWrite(directoryOf(key));
    return place && this.#within(place, key, work);
  }

  /** As `toChange`, for many files of one directory, with its own path. */
  async inside<T>(directory: string, work: (path: Path) => Promise<T>): Promise<T | undefined> {
    const place = await this.#toWrite(directory);
    return place && this.#within(place, '', work);
  }

  /** As `toChange`, but creates the missing directories, the root included. */
  async toCreate<T>(key: string, work: (path: Path) => Promise<T>): Promise<T> {
    return this.#within(await this.#make(directoryOf(key)), key, work);
  }

  /** Creates the directory and its parents. @throws key-not-representable */
  async make(directory: string): Promise<void> {
    this.#release(await this.#make(directory));
    await Promise.all(this.#syncNew(directory));
  }

  /** A directory to create files in, which the caller must release. A second release does nothing. */
  async hold(directory: string): Promise<{ base: Path; device?: number; release(): void }> {
    const place = await this.#make(directory);
    let held = true;
    const release = () => {
      if (held) this.#release(place);
      held = false;
    };
    return { base: place.base, device: place.device, release };
  }

  /** Syncs the names in the directory of a key, and those of the directories above it that are new. */
  async sync(key: string): Promise<void> {
    const directory = directoryOf(key);
    await Promise.all([this.#syncNames(directory), ...this.#syncNew(directory)]);
  }

  /** Syncs the names of a directory and of those above it, as far as they are new. */
  #syncNew(directory: string): Promise<void>[] {
    const syncs: Promise<void>[] = [];
    for (let at = directory; this.#unsynced.size > 0 && at !== ''; at = directoryOf(at)) {
      if (this.#unsynced.has(at)) syncs.push(this.#unsynced.get(at) ?? this.#syncName(at));
    }
    return syncs;
  }

  async #syncName(directory: string): Promise<void> {
    const sync = this.#syncNames(directoryOf(directory));
    this.#unsynced.set(directory, sync);
    try {
      await sync;
      this.#unsynced.delete(directory);
    } catch (error) {
      this.#unsynced.set(directory, undefined);
      throw error;
    }
  }

  /** A directory that is gone needs none. */
  async #syncNames(directory: string): Promise<void> {
    const { device } = this.#open.get(directory) ?? {};
    await unlessErrno(ABSENT, this.#syncs.directory(this.pathOf(directory), device));
  }

  /** Removes the directory and its parents as long as they are empty and `mayGo` allows it. */
  async prune(directory: string, mayGo: (directory: string) => Promise<boolean>): Promise<void> {
    for (let at = directory; at !== ''; at = directoryOf(at)) {
      if (!(await mayGo(at))) return;
      this.#drop(at);
      try {
        await this.toChange(at, (path) => rmdir(path));
      } catch (error) {
        if (!isErrno(error, 'ENOENT')) return;
      }
    }
  }

  /** Forgets all directories, after something else removed one. */
  forget(): void {
    for (const directory of [...this.#open.keys()]) this.#drop(directory);
  }

  async #within<T>(place: Place, key: string, work: (path: Path) => Promise<T>): Promise<T> {
    try {
      return await work(key === '' ? place.base : this.#names.join(place.base, nameOf(key)));
    } finally {
      this.#release(place);
    }
  }

  async #make(directory: string): Promise<Place> {
    for (let attempt = 1; ; attempt++) {
      const there = await this.#toWrite(directory);
      if (there) return there;
      // Others may remove it, or its parent, at once, because it is empty.
      if (attempt > ATTEMPTS) throw removed(this.path(directory));
      if (directory === '') await makeDirectories(this.#root);
      else await this.toCreate(directory, (path) => this.#makeOne(directory, path));
    }
  }

  async #makeOne(directory: string, path: Path): Promise<void> {
    try {
      await mkdir(path);
      // Its name must be durable before the write of a file in it is reported.
      this.#unsynced.set(directory, undefined);
    } catch (error) {
      // Another transfer removed its parent, or created it and may have removed it since. Or it is a file or a link.
      if (isErrno(error, 'ENOENT')) return;
      if (!isErrno(error, 'EEXIST')) throw error;
      const found = await unlessErrno(ABSENT, lstat(path));
      if (!found || found.isDirectory()) return;
      const target = found.isSymbolicLink() ? await unlessErrno(ABSENT, stat(path)) : found;
      if (!target) throw leadsElsewhere(this.path(directory), 'nowhere');
      if (!target.isDirectory()) throw inTheWay(this.path(directory), 'file');
    }
  }

  async #toWrite(directory: string): Promise<Place | undefined> {
    const place = await this.#find(directory);
    if (!place || this.#mayUse(directory, place) || this.#isInside(place)) return place;
    const { real } = place;
    this.#release(place);
    throw leadsElsewhere(this.path(directory), real.toString());
  }

  #mayUse(directory: string, { real }: Place): boolean {
    const root = this.#realRoot;
    return root !== undefined && real.equals(directory === '' ? root : Buffer.from(this.#names.join(root, directory)));
  }

  #isInside({ real }: Place): boolean {
    const root = this.#realRoot;
    if (!this.#followLinks || root === undefined) return false;
    const below = Buffer.from(this.#names.join(root, ''));
    return real.equals(root) || real.subarray(0, below.length).equals(below);
  }

  /** The directory where its path leads at present; undefined if it is missing. */
  async #find(directory: string): Promise<Place | undefined> {
    const known = this.#open.get(directory);
    if (known && this.#isWhereItWas(known)) return this.#take(directory, known);
    if (known) this.#drop(directory);
    const found = await unlessErrno(ABSENT, this.#look(this.pathOf(directory)));
    if (!found) return undefined;
    if (directory === '') this.#realRoot ??= found.real;
    else if (this.#realRoot === undefined) {
      const root = await unlessErrno(ABSENT, this.#look(this.#root));
      if (root) this.#close(root);
      this.#realRoot = root?.real;
    }
    // Another caller may have opened it at the same time.
    this.#drop(directory);
    return this.#take(directory, { ...found, users: 0, dropped: false });
  }

  async #look(path: Path): Promise<Pick<Place, 'base' | 'real' | 'fd' | 'device'>> {
    if (!this.#descriptors) {
      return { base: path, real: await realpath(path, 'buffer') };
    }
    const fd = await this.#calls.open(path, O_PATH | constants.O_DIRECTORY);
    const base = `${DESCRIPTORS}/${fd}`;
    try {
      const real = readlinkSync(base, 'buffer');
      const { nlink, dev: device } = fstatSync(fd);
      // Removed since it was opened: the link then leads to a name with " (deleted)" at its end.
      if (nlink === 0) throw removed(path.toString());
      return { base, real, fd, device };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Looks once in each turn of the event loop: many files of a directory are handled in one. */
  #isWhereItWas(place: Place): boolean {
    if (this.#seen.has(place)) return true;
    if (place.fd === undefined || !readlinkSync(place.base, 'buffer').equals(place.real)) return false;
    if (this.#seen.size === 0) setImmediate(() => this.#seen.clear());
    this.#seen.add(place);
    return true;
  }

  #take(directory: string, place: Place): Place {
    place.users++;
    this.#open.delete(directory);
    this.#open.set(directory, place);
    if (this.#open.size > KEPT) this.#dropIdle();
    return place;
  }

  #release(place: Place): void {
    place.users--;
    if (place.users === 0 && place.dropped) this.#close(place);
  }

  #dropIdle(): void {
    const idle = [...this.#open].find(([, { users }]) => users === 0);
    if (idle) this.#drop(idle[0]);
  }

  #drop(directory: string): void {
    const place = this.#open.get(directory);
    this.#open.delete(directory);
    if (!place) return;
    place.dropped = true;
    if (place.users === 0) this.#close(place);
  }

  #close({ fd }: Pick<Place, 'fd'>): void {
    if (fd !== undefined) closeSync(fd);
  }
}

/** The error of the operating system. */
function removed(path: string): Error {
  return Object.assign(new Error(`ENOENT: no such directory, mkdir '${path}'`), { code: 'ENOENT', syscall: 'mkdir' });
}

function leadsElsewhere(path: string, real: string): XsyncError {
  return new XsyncError('key-not-representable', `${path} leads through a link to ${real}; nothing is written there`, {
    subject: path,
    remedy: 'Remove the link, or exclude what is below it.',
  });
}
