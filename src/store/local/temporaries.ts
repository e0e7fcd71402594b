/**
 * Temporary files and folders in `.xsync/tmp`. A killed run leaves its own behind. The first write of a later run
 * removes them (not its start, so that reading a tree does not change it): those of dead processes at once if their
 * names say that they ran here, all others when nothing has changed them for a day.
 *
 * "Here" is this start of this host's kernel and this container, because a process ID means nothing elsewhere. The age
 * is that of the inode (ctime) by the clock of the file system: a file under construction already has its source's
 * modification time, and the clocks of hosts that share a file system differ.
 * Tests: test/store/local/objects.test.ts
 */
import { createHash, randomUUID } from 'node:crypto';
import { lstat, mkdir, open, readdir, readlink, rm, rmdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { ABSENT, isErrno, unlessErrno } from '../../model/errno.js';
import { procText } from '../../native/proc.js';
import type { Calls } from './calls.js';
import type { Directories } from './directories.js';
import { BESIDE, OWN_DIRECTORY } from './keys.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const ATTEMPTS = 5;
const DIRECTORY = `${OWN_DIRECTORY}/tmp`;

const short = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8);

/** Prefix of names created on this host; a hash, because a host name may contain any character. */
const HOST = short(hostname());

/** This start of the kernel and this PID namespace; undefined where the system does not tell (not Linux). */
async function findSpace(): Promise<string | undefined> {
  const boot = procText('/proc/sys/kernel/random/boot_id');
  const container = await readlink('/proc/self/ns/pid').catch(() => undefined);
  return boot && container ? short(boot + container) : undefined;
}

let space: Promise<string | undefined> | undefined;

/** A name that tells its owner. */
export async function ownName(): Promise<string> {
  space ??= findSpace();
  const where = await space;
  return `${HOST}-${process.pid}${where ? `.${where}` : ''}-${randomUUID()}`;
}

/** Whether the name is one of `ownName`, or begins with `BESIDE`, and its process ran here and is dead. */
async function isOfDeadProcess(name: string): Promise<boolean> {
  const [host, owner = ''] = name.slice(name.startsWith(BESIDE) ? BESIDE.length : 0).split('-');
  const [pid, where] = owner.split('.');
  // Names of earlier versions do not tell where.
  if (host !== HOST || (where !== undefined && where !== (await space))) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return isErrno(error, 'ESRCH');
  }
}

/** Removes those of `names` in `folder`, all temporary, that nobody works on. */
export async function removeAbandoned(folder: string, names: readonly string[], afterMs = DAY_MS): Promise<void> {
  if (names.length === 0) return;
  // In a folder of the tree, a name that is never listed.
  const nowMs = await timeIn(`${folder}/${names[0]?.startsWith(BESIDE) ? BESIDE : ''}${await ownName()}`);
  for (const name of names) {
    const path = `${folder}/${name}`;
    const found = await unlessErrno(ABSENT, lstat(path));
    const abandoned = found && ((await isOfDeadProcess(name)) || nowMs - found.ctimeMs > afterMs);
    if (abandoned) await rm(path, { recursive: true, force: true });
  }
}

/** The file system's time, ms since 1970. */
async function timeIn(path: string): Promise<number> {
  const file = await open(path, 'wx');
  try {
    return (await file.stat()).ctimeMs;
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

export interface OpenFile {
  path: string;
  /** The descriptor. */
  fd: number;
  /** `st_dev`, if known. */
  device?: number;
  /** To be called once, after the file was renamed or removed. */
  close(): Promise<void>;
}

type Held = Awaited<ReturnType<Directories['hold']>>;

export class Temporaries {
  readonly #own: Directories;
  readonly #calls: Calls;
  readonly #afterMs: number | undefined;
  #ready: Promise<void> | undefined;

  /**
   * @param own the root, without following links
   * @param afterMs age at which a temporary of an unknown owner is removed; a day when absent
   */
  constructor(own: Directories, calls: Calls, afterMs?: number) {
    this.#own = own;
    this.#calls = calls;
    this.#afterMs = afterMs;
  }

  /** Creates and opens an empty file, which the caller renames or removes. */
  create(): Promise<OpenFile> {
    return this.#inside(async (path, { release, device }) => {
      const fd = await this.#calls.open(path, 'wx');
      const close = async () => {
        release();
        await this.#calls.close(fd);
      };
      return { path, fd, device, close };
    });
  }

  /** Creates an empty directory, which `work` renames or removes. */
  withDirectory<T>(work: (path: string) => Promise<T>): Promise<T> {
    return this.#inside(async (path, { release }) => {
      await mkdir(path);
      return work(path).finally(release);
    });
  }

  /** Removes our empty directories. */
  async close(): Promise<void> {
    this.#ready = undefined;
    const kept = [...ABSENT, 'ENOTEMPTY', 'EEXIST', 'EACCES', 'EPERM', 'EROFS'];
    for (const name of ['tmp', 'uploads', 'meta']) {
      await unlessErrno(
        kept,
        this.#own.toRead(`${OWN_DIRECTORY}/${name}`, (path) => rmdir(path)),
      );
    }
    await unlessErrno(
      kept,
      this.#own.toRead(OWN_DIRECTORY, (path) => rmdir(path)),
    );
  }

  /** `make` must call `release`, unless it throws. */
  async #inside<T>(make: (path: string, held: Held) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      this.#ready ??= this.#prepare();
      let release: (() => void) | undefined;
      try {
        await this.#ready;
        const place = await this.#own.hold(DIRECTORY);
        release = place.release;
        return await make(`${place.base}/${await ownName()}`, place);
      } catch (error) {
        release?.();
        this.#ready = undefined;
        // Another run removed the empty directory when it ended.
        if (!isErrno(error, 'ENOENT') || attempt === ATTEMPTS) throw error;
      }
    }
  }

  async #prepare(): Promise<void> {
    const { base, release } = await this.#own.hold(DIRECTORY);
    try {
      await removeAbandoned(base.toString(), await readdir(base), this.#afterMs);
    } finally {
      release();
    }
  }
}
