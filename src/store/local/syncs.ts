/** Syncs files and directories so that writes survive a power loss, unless syncing is turned off. */
import { constants, fsync } from 'node:fs';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Path } from './names.js';

const syncFile = promisify(fsync);

export class Syncs {
  readonly #wanted: boolean;
  readonly #syncDirectory: (path: Path) => Promise<void>;
  /** By directory: the sync in progress, and the one that starts after it. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();

  constructor(wanted: boolean, sync = syncDirectory) {
    this.#wanted = wanted;
    this.#syncDirectory = sync;
  }

  /** Syncs the bytes, size and times of an open file. */
  async file(fd: number): Promise<void> {
    if (this.#wanted) await syncFile(fd);
  }

  /**
   * Syncs the names in a directory as they are at the time of the call. A sync in progress may have missed the latest
   * name, so callers during it share the next one.
   */
  async directory(path: Path): Promise<void> {
    if (!this.#wanted) return;
    const name = path.toString('latin1');
    const running = this.#running.get(name);
    if (!running) return this.#begin(name, path);
    return this.#next.get(name) ?? this.#follow(name, path, running);
  }

  #follow(name: string, path: Path, running: Promise<void>): Promise<void> {
    const begin = () => {
      this.#next.delete(name);
      return this.#begin(name, path);
    };
    // The callers of the sync in progress receive its error; the next one starts in either case.
    const next = running.then(begin, begin);
    this.#next.set(name, next);
    return next;
  }

  #begin(name: string, path: Path): Promise<void> {
    const sync = this.#syncDirectory(path).finally(() => {
      if (this.#running.get(name) === sync) this.#running.delete(name);
    });
    this.#running.set(name, sync);
    return sync;
  }
}

async function syncDirectory(path: Path): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
