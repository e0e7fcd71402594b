/**
 * File system calls that take microseconds on a local disk. The thread pool costs several times as much as the call
 * itself, so they are made synchronously. If they turn out to be slow (a network file system, an overloaded disk), the
 * pool makes them, so that the event loop is not blocked.
 */
import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { ABSENT, unlessErrno } from '../../model/errno.js';
import type { Path } from './names.js';

/** Number of calls measured together. */
const LOOKED_AT = 64;
/** Average milliseconds per call above which the pool is used. */
const SLOW_MS = 0.5;
/** What one call counts at most. Any can be this long: other processes had the processor, or the disk wrote its journal. */
const PAUSE_MS = 4;
/** Number of calls that go to the pool before calls are measured again. */
const ELSEWHERE = 4096;
/** Reads and writes of more bytes always go to the pool. */
export const SMALL = 128 * 1024;

const pool = {
  open: promisify(fs.open),
  close: promisify(fs.close),
  read: promisify(fs.read),
  write: promisify(fs.write),
  futimes: promisify(fs.futimes),
  fstat: promisify(fs.fstat),
};

export class Calls {
  readonly #now: () => number;
  #elsewhere = 0;
  #calls = 0;
  #tookMs = 0;

  /** @param now milliseconds of a monotonic clock */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** @returns a descriptor, which the caller must close */
  open(path: Path, flags: string | number): number | Promise<number> {
    return this.#make(
      () => fs.openSync(path, flags),
      () => pool.open(path, flags),
    );
  }

  close(fd: number): void | Promise<void> {
    return this.#make(
      () => fs.closeSync(fd),
      () => pool.close(fd),
    );
  }

  /** @returns the number of bytes read into `target` */
  read(fd: number, target: Uint8Array, position: number): number | Promise<number> {
    const later = async () => (await pool.read(fd, target, 0, target.byteLength, position)).bytesRead;
    if (target.byteLength > SMALL) return later();
    return this.#make(() => fs.readSync(fd, target, 0, target.byteLength, position), later);
  }

  /** @returns the number of bytes written */
  write(fd: number, bytes: Uint8Array, position: number): number | Promise<number> {
    const later = async () => (await pool.write(fd, bytes, 0, bytes.byteLength, position)).bytesWritten;
    if (bytes.byteLength > SMALL) return later();
    return this.#make(() => fs.writeSync(fd, bytes, 0, bytes.byteLength, position), later);
  }

  utimes(fd: number, time: number | Date): void | Promise<void> {
    return this.#make(
      () => fs.futimesSync(fd, time, time),
      () => pool.futimes(fd, time, time),
    );
  }

  stat(fd: number): fs.BigIntStats | Promise<fs.BigIntStats> {
    return this.#make(
      () => fs.fstatSync(fd, { bigint: true }),
      () => pool.fstat(fd, { bigint: true }),
    );
  }

  /** The file at `path`, or the link itself; undefined if nothing is there. Cheaper than an error for each new file. */
  lstat(path: Path): fs.BigIntStats | undefined | Promise<fs.BigIntStats | undefined> {
    return this.#make(
      () => fs.lstatSync(path, { bigint: true, throwIfNoEntry: false }),
      () => unlessErrno(ABSENT, fs.promises.lstat(path, { bigint: true })),
    );
  }

  rename(from: Path, to: Path): void | Promise<void> {
    return this.#make(
      () => fs.renameSync(from, to),
      () => fs.promises.rename(from, to),
    );
  }

  /** False if nothing is at `path`; true if something may be. Cheaper than an error from using the path. */
  mayExist(path: Path): boolean | Promise<boolean> {
    return this.#make(
      () => fs.statSync(path, { throwIfNoEntry: false }) !== undefined,
      () => Promise.resolve(true),
    );
  }

  #make<T>(atOnce: () => T, elsewhere: () => Promise<T>): T | Promise<T> {
    if (this.#elsewhere > 0) {
      this.#elsewhere--;
      return elsewhere();
    }
    const start = this.#now();
    try {
      return atOnce();
    } finally {
      this.#look(this.#now() - start);
    }
  }

  #look(tookMs: number): void {
    this.#tookMs += Math.min(tookMs, PAUSE_MS);
    if (++this.#calls < LOOKED_AT) return;
    if (this.#tookMs > SLOW_MS * LOOKED_AT) this.#elsewhere = ELSEWHERE;
    this.#calls = 0;
    this.#tookMs = 0;
  }
}
