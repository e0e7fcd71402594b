/** Makes what was written survive a power loss, or leaves that to the system when told to. */
import { constants, fsync } from 'node:fs';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';

const syncFile = promisify(fsync);

export class Syncs {
  readonly #wanted: boolean;
  readonly #syncDirectory: (path: string) => Promise<void>;
  /** By directory: the one under way, and the one that begins after it. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();

  constructor(wanted: boolean, sync = syncDirectory) {
    this.#wanted = wanted;
    this.#syncDirectory = sync;
  }

  /** The bytes, size and times of an open file. */
  async file(fd: number): Promise<void> {
    if (this.#wanted) await syncFile(fd);
  }

  /**
   * The names in a directory, as they are at the time of the call. One that is under way may have missed the latest
   * name, so it is not joined; all who come during it share the next.
   */
  async directory(path: string): Promise<void> {
    if (!this.#wanted) return;
    const running = this.#running.get(path);
    if (!running) return this.#begin(path);
    return this.#next.get(path) ?? this.#follow(path, running);
  }

  #follow(path: string, running: Promise<void>): Promise<void> {
    const begin = () => {
      this.#next.delete(path);
      return this.#begin(path);
    };
    // Who waits for the one under way is told of its failure; it says nothing of the next.
    const next = running.then(begin, begin);
    this.#next.set(path, next);
    return next;
  }

  #begin(path: string): Promise<void> {
    const sync = this.#syncDirectory(path).finally(() => {
      if (this.#running.get(path) === sync) this.#running.delete(path);
    });
    this.#running.set(path, sync);
    return sync;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
