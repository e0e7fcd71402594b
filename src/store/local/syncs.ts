/**
 * Syncs files and directories so that writes survive a power loss, unless syncing is turned off.
 *
 * Where many files are written, one sync of the whole file system (syncfs) confirms all that was done before it began, as
 * databases commit transactions in groups. A file takes part twice: its bytes are durable before it is renamed, and its
 * name before the write is reported. The first files, and all of those where syncfs cannot be had, are synced one by one.
 */
import { constants, fdatasync, fsync } from 'node:fs';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { WholeFileSystem } from '../../native/sync-fs.js';
import type { Path } from './names.js';

/** Files that are synced one by one before groups begin: fewer are not worth what loading syncfs costs. */
const FIRST = 64;
/**
 * Milliseconds that a group may take, and for each of its members. If it takes longer, most of the bytes are those of
 * other programs, for which syncfs waits as well.
 */
const GROUP_MS = 1000;
const MEMBER_MS = 20;
/** Number of syncs that are made one by one after such a group. */
const ALONE = 1000;

/** Large files are synced each time that so many bytes have been written. */
const AHEAD_BYTES = 32 * 1024 * 1024;

/** The calls of the operating system. */
export interface SyncCalls {
  file(fd: number): Promise<void>;
  /** Bytes and size only. */
  data(fd: number): Promise<void>;
  directory(path: Path): Promise<void>;
  /** Opens the file system that the tree is on; undefined if it cannot be synced as a whole. */
  whole(): Promise<WholeFileSystem | undefined>;
  /** Milliseconds of a monotonic clock. */
  now(): number;
}

const CALLS: SyncCalls = {
  file: promisify(fsync),
  data: promisify(fdatasync),
  directory: syncDirectory,
  whole: async () => undefined,
  now: () => performance.now(),
};

export class Syncs {
  readonly #wanted: boolean;
  readonly #calls: SyncCalls;
  /** By directory, or `WHOLE`: the sync in progress, and the one that starts after it. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();
  #files = 0;
  #opening: Promise<WholeFileSystem | undefined> | undefined;
  /** Undefined also after a failure. */
  #whole: WholeFileSystem | undefined;
  /** Of the next group. */
  #members = 0;
  /** Syncs to make one by one. */
  #alone = 0;
  /** Bytes of which `ahead` has heard since it last synced a file. */
  #ahead = 0;

  constructor(wanted: boolean, calls: Partial<SyncCalls> = {}) {
    this.#wanted = wanted;
    this.#calls = { ...CALLS, ...calls };
  }

  /**
   * Syncs the bytes, size and times of an open file.
   * @param device `st_dev` of the file; when absent, it is synced alone
   */
  async file(fd: number, device?: number): Promise<void> {
    if (!this.#wanted) return;
    if (++this.#files > FIRST) this.#opening ??= this.#open();
    await this.#inGroup(device, () => this.#calls.file(fd));
  }

  /**
   * Syncs the bytes that a large file has so far, now and then, so that its last sync waits for few.
   * @param written bytes since the last call for any file
   * @throws the operating system's error, which the kernel reports once: the last sync would succeed
   */
  async ahead(fd: number, written: number): Promise<void> {
    this.#ahead += written;
    if (!this.#wanted || this.#ahead < AHEAD_BYTES) return;
    this.#ahead = 0;
    await this.#calls.data(fd);
  }

  /**
   * Syncs the names in a directory as they are at the time of the call.
   * @param device as for a file
   */
  async directory(path: Path, device?: number): Promise<void> {
    if (!this.#wanted) return;
    const alone = () => this.#share(path.toString('latin1'), () => this.#calls.directory(path));
    await this.#inGroup(device, alone);
  }

  /** Call it when no sync is in progress. */
  async close(): Promise<void> {
    const opened = await this.#opening;
    this.#opening = undefined;
    this.#whole = undefined;
    await opened?.close();
  }

  async #open(): Promise<WholeFileSystem | undefined> {
    this.#whole = await this.#calls.whole();
    return this.#whole;
  }

  /** @param alone syncs what is the caller's own, if there is no group */
  async #inGroup(device: number | undefined, alone: () => Promise<void>): Promise<void> {
    const whole = this.#whole;
    if (whole === undefined || whole.device !== device) return alone();
    if (this.#alone > 0) {
      this.#alone--;
      return alone();
    }
    this.#members++;
    try {
      await this.#share(WHOLE, () => this.#syncWhole(whole));
    } catch {
      // Somebody's bytes were not written. Each member finds out whether they were its own.
      this.#whole = undefined;
      await alone();
    }
  }

  async #syncWhole(whole: WholeFileSystem): Promise<void> {
    const members = this.#members;
    this.#members = 0;
    const start = this.#calls.now();
    await whole.sync();
    if (this.#calls.now() - start > GROUP_MS + MEMBER_MS * members) this.#alone = ALONE;
  }

  /** A sync in progress may have missed what its callers did last, so callers during it share the next one. */
  async #share(name: string, sync: () => Promise<void>): Promise<void> {
    const running = this.#running.get(name);
    if (!running) return this.#begin(name, sync);
    return this.#next.get(name) ?? this.#follow(name, sync, running);
  }

  #follow(name: string, sync: () => Promise<void>, running: Promise<void>): Promise<void> {
    const begin = () => {
      this.#next.delete(name);
      return this.#begin(name, sync);
    };
    // The callers of the sync in progress receive its error; the next one starts in either case.
    const next = running.then(begin, begin);
    this.#next.set(name, next);
    return next;
  }

  #begin(name: string, sync: () => Promise<void>): Promise<void> {
    const begun = sync().finally(() => {
      if (this.#running.get(name) === begun) this.#running.delete(name);
    });
    this.#running.set(name, begun);
    return begun;
  }
}

/** No path. */
const WHOLE = '';

async function syncDirectory(path: Path): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
