/**
 * Files under construction, in `.xsync/tmp`. A run that was killed leaves its own behind; the first write of a later
 * run removes those older than a day (never at start, so that reading a tree changes nothing in it).
 */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { ABSENT, isErrno, unlessErrno } from './errors.js';
import { makeDirectories } from './files.js';
import { OWN_DIRECTORY } from './keys.js';

const DAY_MS = 24 * 60 * 60 * 1000;

export class Temporaries {
  readonly #own: string;
  readonly #directory: string;
  #ready: Promise<void> | undefined;

  constructor(root: string) {
    this.#own = `${root}/${OWN_DIRECTORY}`;
    this.#directory = `${this.#own}/tmp`;
  }

  /** A new empty file; the caller renames or removes it. */
  async create(): Promise<{ path: string; file: FileHandle }> {
    for (let attempt = 1; ; attempt++) {
      this.#ready ??= this.#prepare();
      try {
        await this.#ready;
        const path = `${this.#directory}/${randomUUID()}`;
        return { path, file: await open(path, 'wx') };
      } catch (error) {
        this.#ready = undefined;
        // Another run that ended took the empty directory away.
        if (!isErrno(error, 'ENOENT') || attempt === 5) throw error;
      }
    }
  }

  /** Leaves no empty directory of ours behind. */
  async close(): Promise<void> {
    this.#ready = undefined;
    for (const path of [this.#directory, `${this.#own}/uploads`, `${this.#own}/meta`, this.#own]) {
      await unlessErrno([...ABSENT, 'ENOTEMPTY', 'EEXIST', 'EACCES', 'EPERM', 'EROFS'], rmdir(path));
    }
  }

  async #prepare(): Promise<void> {
    await makeDirectories(this.#directory);
    for (const name of await readdir(this.#directory)) {
      const path = `${this.#directory}/${name}`;
      const found = await unlessErrno(ABSENT, stat(path));
      if (found && found.mtimeMs < Date.now() - DAY_MS) await rm(path, { force: true });
    }
  }
}
