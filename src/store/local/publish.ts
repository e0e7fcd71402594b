/**
 * Moves finished files to their final paths, atomically: readers see the old object or the new one.
 * Tests: test/store/local/objects.test.ts
 */

import { constants } from 'node:fs';
import { copyFile, lstat, readdir, rename, rm } from 'node:fs/promises';
import { isErrno, unlessErrno } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import type { FileAttributes } from './attributes.js';
import type { Calls } from './calls.js';
import type { Directories } from './directories.js';
import { removeEmpty } from './empty.js';
import { inTheWay } from './errors.js';
import { mtimeOf, type Version, versionOf } from './files.js';
import { BESIDE, directoryOf, isOwn, nameOf } from './keys.js';
import type { Names, Path } from './names.js';
import { type About, guessAbout, type Sidecars } from './sidecars.js';
import type { Syncs } from './syncs.js';
import { type OpenFile, ownName, removeAbandoned } from './temporaries.js';

/** How often deletions may remove the directory of a new object, or others make one in its place. */
const ATTEMPTS = 20;
/** A directory has the name of the file that is moved there. */
const BLOCKED: readonly string[] = ['EISDIR', 'ENOTEMPTY', 'EEXIST'];

export interface Description extends Partial<About> {
  /** Milliseconds since 1970; the file's time is unchanged when absent. */
  mtimeMs?: number;
  /** As in `PutOptions`. */
  replaces?: string;
}

interface PublisherOptions {
  directories: Directories;
  names: Names;
  sidecars: Sidecars;
  calls: Calls;
  syncs: Syncs;
  files: FileAttributes;
  /** Undefined if there is no such object. */
  etagOf(key: string): Promise<string | undefined>;
}

export class Publisher {
  readonly #directories: Directories;
  readonly #names: Names;
  readonly #sidecars: Sidecars;
  readonly #calls: Calls;
  readonly #syncs: Syncs;
  readonly #files: FileAttributes;
  readonly #etagOf: PublisherOptions['etagOf'];

  /** Mounted directories that were cleared of what killed runs left. */
  readonly #cleared = new Set<string>();

  constructor(options: PublisherOptions) {
    this.#names = options.names;
    this.#directories = options.directories;
    this.#sidecars = options.sidecars;
    this.#calls = options.calls;
    this.#syncs = options.syncs;
    this.#files = options.files;
    this.#etagOf = options.etagOf;
  }

  /**
   * Makes the file at `temporary` the object `key`. The record of its headers is written before the file appears. A
   * crash in between leaves the old object without its headers, and the next run copies it again. It never leaves the
   * new object without its headers, which the next run would not notice.
   */
  async publish(
    key: string,
    temporary: Pick<OpenFile, 'path' | 'fd' | 'device'>,
    about: Description,
  ): Promise<Version> {
    const recorded = await this.#give(temporary.fd, key, about);
    const version = await this.#finish(temporary, about.mtimeMs);
    await this.#requireReplaced(key, about.replaces);
    try {
      await this.#sidecars.record(key, version, recorded);
      const moved = await this.#rename(temporary.path, key);
      return moved ? version : await this.#copyIn(temporary.path, key, version, about);
    } catch (error) {
      await this.#sidecars.remove(key);
      throw error;
    }
  }

  /** The last look before a file is replaced: the system has no conditional rename. @throws precondition-failed */
  async #requireReplaced(key: string, etag: string | undefined): Promise<void> {
    if (etag === undefined || ((await this.#etagOf(key)) ?? '') === etag) return;
    throw new XsyncError('precondition-failed', `${key} holds another version`, { subject: key });
  }

  /** Creates a folder marker: the directory, and the record that it is an object. */
  async publishMarker(key: string, about: Description): Promise<Version> {
    const directory = key.slice(0, -1);
    await this.#directories.make(directory);
    const version = await this.#sidecars.recordMarker(key, about.mtimeMs, about);
    try {
      // Before it was marked, a file may have taken its place.
      await this.#directories.make(directory);
      return version;
    } catch (error) {
      await this.#sidecars.remove(key);
      throw error;
    }
  }

  /**
   * Creates a symbolic link under a reserved name, and renames it.
   * @param make creates it at a path
   */
  async publishLink(key: string, about: Description, make: (path: Path) => Promise<void>): Promise<void> {
    const { base, release } = await this.#directories.hold(directoryOf(key));
    const beside = this.#names.join(base, `${BESIDE}${await ownName()}`);
    try {
      await this.#clearOnce(directoryOf(key), base);
      await make(beside);
      await this.#requireReplaced(key, about.replaces);
      await this.#sidecars.record(key, versionOf(await lstat(beside, { bigint: true })), about);
      await this.#insist(key, () => rename(beside, this.#names.join(base, nameOf(key))));
      await this.#directories.sync(key);
    } finally {
      await rm(beside, { force: true });
      release();
    }
  }

  /** @returns what the file does not hold itself */
  async #give(fd: number, key: string, about: Description): Promise<Partial<About>> {
    return this.#files.used ? this.#files.set(fd, about, guessAbout(key).headers.contentType) : about;
  }

  async #finish({ fd, device }: Pick<OpenFile, 'fd' | 'device'>, mtimeMs: number | undefined): Promise<Version> {
    if (mtimeMs !== undefined) await this.#calls.utimes(fd, mtimeOf(mtimeMs));
    await this.#syncs.file(fd, device);
    return versionOf(await this.#calls.stat(fd));
  }

  /** @returns false if the target is on another file system */
  async #rename(from: string, key: string): Promise<boolean> {
    try {
      await this.#insist(key, () => this.#directories.toCreate(key, async (path) => this.#calls.rename(from, path)));
    } catch (error) {
      if (isErrno(error, 'EXDEV')) return false;
      throw error;
    }
    await this.#directories.sync(key);
    return true;
  }

  /**
   * Repeats `move`, which moves a file to its final path: directories come and go, and an empty one makes room.
   * @throws key-not-representable: a directory that is not empty has the name of the file
   */
  async #insist(key: string, move: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await move();
      } catch (error) {
        if (isErrno(error, ...BLOCKED)) await this.#makeRoom(key, attempt);
        else if (!isErrno(error, 'ENOENT') || attempt === ATTEMPTS) throw error;
        this.#directories.forget();
      }
    }
  }

  async #makeRoom(key: string, attempt: number): Promise<void> {
    const isMarked = async (directory: string) => (await this.#sidecars.markerVersion(`${directory}/`)) !== undefined;
    const how = { directories: this.#directories, names: this.#names, isMarked };
    const path = this.#directories.path(key);
    try {
      if (attempt < ATTEMPTS && (await removeEmpty(how, key))) return;
    } catch (error) {
      // Of rmdir: https://man7.org/linux/man-pages/man2/rmdir.2.html
      throw isErrno(error, 'EBUSY') ? inTheWay(path, 'mount') : error;
    }
    throw inTheWay(path, 'folder');
  }

  /** For a large file, before its bytes are written. @throws as its publication would, if its name is taken */
  async refuseBlocked(key: string): Promise<void> {
    const found = await unlessErrno(['ENOENT'], lstat(this.#directories.pathOf(key)));
    if (found?.isDirectory()) await this.#makeRoom(key, 1);
  }

  /** For a directory that is a separate mount: copies the bytes there under a reserved name, then renames. */
  async #copyIn(from: string, key: string, version: Version, about: Description): Promise<Version> {
    const { base, release } = await this.#directories.hold(directoryOf(key));
    const beside = this.#names.join(base, `${BESIDE}${await ownName()}`);
    try {
      await this.#clearOnce(directoryOf(key), base);
      await copyFile(from, beside, constants.COPYFILE_EXCL);
      const fd = await this.#calls.open(beside, 'r+');
      let copied: Version;
      let recorded: Partial<About>;
      try {
        recorded = await this.#give(fd, key, about);
        copied = await this.#finish({ fd }, about.mtimeMs ?? version.mtimeMs);
      } finally {
        await this.#calls.close(fd);
      }
      await this.#sidecars.record(key, copied, recorded);
      await this.#insist(key, () => rename(beside, this.#names.join(base, nameOf(key))));
      await rm(from);
      return copied;
    } finally {
      await rm(beside, { force: true });
      release();
    }
  }

  /** Removes what killed runs left in the directory. */
  async #clearOnce(directory: string, base: Path): Promise<void> {
    if (this.#cleared.has(directory)) return;
    this.#cleared.add(directory);
    const names = (await readdir(base)).filter((name) => isOwn('/', name));
    await removeAbandoned(base.toString(), names);
  }
}
