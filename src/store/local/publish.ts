/**
 * Moves finished files to their final paths, atomically: readers see the old object or the new one.
 * Tests: test/store/local/objects.test.ts
 */

import { constants } from 'node:fs';
import { copyFile, readdir, rename, rm } from 'node:fs/promises';
import { isErrno } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import type { Calls } from './calls.js';
import type { Directories } from './directories.js';
import { mtimeOf, type Version, versionOf } from './files.js';
import { BESIDE, directoryOf, isOwn, nameOf } from './keys.js';
import type { Names, Path } from './names.js';
import type { About, Sidecars } from './sidecars.js';
import type { Syncs } from './syncs.js';
import { type OpenFile, ownName, removeAbandoned } from './temporaries.js';

/** How often deletions may remove the directory of a new object before that is an error. */
const ATTEMPTS = 20;

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
  /** Undefined if there is no such object. */
  etagOf(key: string): Promise<string | undefined>;
}

export class Publisher {
  readonly #directories: Directories;
  readonly #names: Names;
  readonly #sidecars: Sidecars;
  readonly #calls: Calls;
  readonly #syncs: Syncs;
  readonly #etagOf: PublisherOptions['etagOf'];

  /** Mounted directories that were cleared of what killed runs left. */
  readonly #cleared = new Set<string>();

  constructor(options: PublisherOptions) {
    this.#names = options.names;
    this.#directories = options.directories;
    this.#sidecars = options.sidecars;
    this.#calls = options.calls;
    this.#syncs = options.syncs;
    this.#etagOf = options.etagOf;
  }

  /**
   * Makes the file at `temporary` the object `key`. The record of its headers is written before the file appears. A
   * crash in between leaves the old object without its headers, and the next run copies it again. It never leaves the
   * new object without its headers, which the next run would not notice.
   */
  async publish(key: string, temporary: Pick<OpenFile, 'path' | 'fd'>, about: Description): Promise<Version> {
    const version = await this.#finish(temporary.fd, about.mtimeMs);
    await this.#requireReplaced(key, about.replaces);
    try {
      await this.#sidecars.record(key, version, about);
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
    await this.#directories.make(key.slice(0, -1));
    return this.#sidecars.recordMarker(key, about.mtimeMs, about);
  }

  async #finish(fd: number, mtimeMs: number | undefined): Promise<Version> {
    if (mtimeMs !== undefined) await this.#calls.utimes(fd, mtimeOf(mtimeMs));
    await this.#syncs.file(fd);
    return versionOf(await this.#calls.stat(fd));
  }

  /** @returns false if the target is on another file system */
  async #rename(from: string, key: string): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#directories.toCreate(key, async (path) => this.#calls.rename(from, path));
        break;
      } catch (error) {
        if (isErrno(error, 'EXDEV')) return false;
        if (!isErrno(error, 'ENOENT') || attempt === ATTEMPTS) throw error;
        this.#directories.forget();
      }
    }
    await this.#directories.sync(key);
    return true;
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
      try {
        copied = await this.#finish(fd, about.mtimeMs ?? version.mtimeMs);
      } finally {
        await this.#calls.close(fd);
      }
      await this.#sidecars.record(key, copied, about);
      await rename(beside, this.#names.join(base, nameOf(key)));
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
