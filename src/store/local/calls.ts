/**
 * Calls on files and names that take microseconds on a local disk. Handing one to the thread pool costs several times
 * as much as making it, so they are made at once; where they turn out to be slow (a network file system, a disk that
 * is overwhelmed), the pool makes them, and the event loop goes on meanwhile.
 */
import * as fs from 'node:fs';
import { promisify } from 'node:util';

/** So many calls are looked at together, */
const LOOKED_AT = 64;
/** and when they took more milliseconds than this each, */
const SLOW_MS = 0.5;
/** so many go to the pool before it is tried again. */
const ELSEWHERE = 4096;
/** Larger writes always go to the pool, in bytes. */
const SMALL_WRITE = 128 * 1024;

const pool = {
  open: promisify(fs.open),
  close: promisify(fs.close),
  write: promisify(fs.write),
  futimes: promisify(fs.futimes),
  fstat: promisify(fs.fstat),
};

export class Calls {
  readonly #now: () => number;
  #elsewhere = 0;
  #calls = 0;
  #tookMs = 0;

  /** @param now milliseconds of a clock that only goes on */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** @returns a descriptor, which the caller closes */
  open(path: string, flags: string): number | Promise<number> {
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

  /** @returns how many bytes were written */
  write(fd: number, bytes: Uint8Array, position: number): number | Promise<number> {
    const later = async () => (await pool.write(fd, bytes, 0, bytes.byteLength, position)).bytesWritten;
    if (bytes.byteLength > SMALL_WRITE) return later();
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

  rename(from: string, to: string): void | Promise<void> {
    return this.#make(
      () => fs.renameSync(from, to),
      () => fs.promises.rename(from, to),
    );
  }

  /** False when nothing is at `path`; true is no promise. Spares the error that using the path would make. */
  mayExist(path: string): boolean | Promise<boolean> {
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
    this.#tookMs += tookMs;
    if (++this.#calls < LOOKED_AT) return;
    if (this.#tookMs > SLOW_MS * LOOKED_AT) this.#elsewhere = ELSEWHERE;
    this.#calls = 0;
    this.#tookMs = 0;
  }
}
