/**
 * Temporary files and folders in `.xsync/tmp`. A killed run leaves its own behind. The first write of a later run
 * removes them (not its start, so that reading a tree does not change it): those of dead processes on this host at
 * once, those of other hosts, whose processes cannot be checked, after a day.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { ABSENT, isErrno, unlessErrno } from '../../model/errno.js';
import type { Calls } from './calls.js';
import { makeDirectories } from './files.js';
import { OWN_DIRECTORY } from './keys.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const ATTEMPTS = 5;

/** Prefix of names created on this host; a hash, because a host name may contain any character. */
const HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

export interface OpenFile {
  path: string;
  /** The descriptor. */
  fd: number;
}

export class Temporaries {
  readonly #own: string;
  readonly #directory: string;
  readonly #calls: Calls;
  #ready: Promise<void> | undefined;

  constructor(root: string, calls: Calls) {
    this.#calls = calls;
    this.#own = `${root}/${OWN_DIRECTORY}`;
    this.#directory = `${this.#own}/tmp`;
  }

  /** Creates and opens an empty file. The caller closes it, and renames or removes it. */
  create(): Promise<OpenFile> {
    return this.#inside(async (path) => ({ path, fd: await this.#calls.open(path, 'wx') }));
  }

  /** Creates an empty directory. The caller renames or removes it. @returns its path */
  createDirectory(): Promise<string> {
    return this.#inside(async (path) => {
      await mkdir(path);
      return path;
    });
  }

  /** Removes our empty directories. */
  async close(): Promise<void> {
    this.#ready = undefined;
    for (const path of [this.#directory, `${this.#own}/uploads`, `${this.#own}/meta`, this.#own]) {
      await unlessErrno([...ABSENT, 'ENOTEMPTY', 'EEXIST', 'EACCES', 'EPERM', 'EROFS'], rmdir(path));
    }
  }

  async #inside<T>(make: (path: string) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      this.#ready ??= this.#prepare();
      try {
        await this.#ready;
        return await make(`${this.#directory}/${HOST}-${process.pid}-${randomUUID()}`);
      } catch (error) {
        this.#ready = undefined;
        // Another run removed the empty directory when it ended.
        if (!isErrno(error, 'ENOENT') || attempt === ATTEMPTS) throw error;
      }
    }
  }

  async #prepare(): Promise<void> {
    await makeDirectories(this.#directory);
    for (const name of await readdir(this.#directory)) {
      const path = `${this.#directory}/${name}`;
      const found = await unlessErrno(ABSENT, stat(path));
      if (found && (isOfDeadProcess(name) || found.mtimeMs < Date.now() - DAY_MS))
        await rm(path, { recursive: true, force: true });
    }
  }
}

function isOfDeadProcess(name: string): boolean {
  const [host, pid] = name.split('-');
  if (host !== HOST) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return isErrno(error, 'ESRCH');
  }
}
