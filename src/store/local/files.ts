/** Reads and writes files and identifies their versions. Tests: test/store/local/objects.test.ts */
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import type { TransferOptions } from '../port.js';
import { paceBytes, throwIfAborted } from '../signal.js';
import type { Calls } from './calls.js';
import type { Path } from './names.js';

/** Bytes of one read or write: large enough to be cheap, small enough to pace and to abort. */
export const CHUNK = 1 << 20;

export interface Version {
  size: number;
  /** Rounded to microseconds, the precision of a time that is set as seconds in a double. */
  mtimeMs: number;
  mtimeNs: bigint;
  /** Identifies the version by time, size and inode. */
  etag: string;
}

export function versionOf(stat: BigIntStats): Version {
  return {
    size: Number(stat.size),
    mtimeMs: Math.round(Number(stat.mtimeNs) / 1e3) / 1e3,
    mtimeNs: stat.mtimeNs,
    etag: `${stat.mtimeNs.toString(16)}-${stat.size.toString(16)}-${stat.ino.toString(16)}`,
  };
}

/** Opens for reading. A FIFO does not block, and without `followLinks` a link fails with ELOOP. */
export function openToRead(path: Path, followLinks: boolean): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NONBLOCK | (followLinks ? 0 : constants.O_NOFOLLOW));
}

/** Writes the whole body at `position`, pacing it. */
export async function writeBody(
  to: { calls: Calls; fd: number; position: number },
  body: Uint8Array,
  options: TransferOptions,
): Promise<void> {
  throwIfAborted(options.signal);
  for (let start = 0; start < body.byteLength; start += CHUNK) {
    const chunk = body.subarray(start, start + CHUNK);
    await paceBytes(options, chunk.byteLength);
    await writeFully(to, chunk, start);
  }
}

async function writeFully(
  { calls, fd, position }: { calls: Calls; fd: number; position: number },
  bytes: Uint8Array,
  at: number,
): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    done += await calls.write(fd, done === 0 ? bytes : bytes.subarray(done), position + at + done);
  }
}

/** Fills `target` from `position` on, pacing it. @returns false if the file is too short */
export async function readBody(
  file: FileHandle,
  target: Uint8Array,
  position: number,
  options: TransferOptions,
): Promise<boolean> {
  throwIfAborted(options.signal);
  for (let done = 0; done < target.byteLength; ) {
    const wanted = Math.min(CHUNK, target.byteLength - done);
    const { bytesRead } = await file.read(target, done, wanted, position + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
    await paceBytes(options, bytesRead);
  }
  return true;
}

/**
 * Passes `size` bytes from `position` on to `take`, in pieces that are valid only during the call.
 * @returns false if the file is too short
 */
export async function readPieces(
  file: FileHandle,
  range: { position: number; size: number },
  signal: AbortSignal | undefined,
  take: (piece: Uint8Array, at: number) => Promise<void> | void,
): Promise<boolean> {
  const buffer = new Uint8Array(Math.min(CHUNK, range.size));
  for (let done = 0; done < range.size; ) {
    const piece = buffer.subarray(0, Math.min(CHUNK, range.size - done));
    if (!(await readBody(file, piece, range.position + done, { signal }))) return false;
    await take(piece, done);
    done += piece.byteLength;
  }
  return true;
}

/** Copies `size` bytes between ranges that do not overlap. @throws truncated */
export async function copyRange(
  from: { file: FileHandle; position: number; size: number },
  to: { calls: Calls; fd: number; position: number },
  signal: AbortSignal | undefined,
): Promise<void> {
  const whole = await readPieces(from.file, from, signal, (piece, at) => writeFully(to, piece, at));
  if (!whole) throw new XsyncError('truncated', 'a part of the upload is shorter than its record');
}

/** The time to set. libuv truncates to microseconds, so half of one is added. */
export function mtimeOf(mtimeMs: number): number | Date {
  const seconds = (Math.round(mtimeMs * 1e3) + 0.5) / 1e6;
  // Node treats a negative number as the current time, but accepts dates before 1970.
  return mtimeMs < 0 ? new Date(mtimeMs) : seconds;
}

/**
 * Creates a directory and its parents. `mkdir` with `recursive` is not used because it reports ENOENT for a read-only
 * file system, which hides the cause.
 */
export async function makeDirectories(path: string): Promise<void> {
  try {
    await mkdirIfMissing(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT') || dirname(path) === path) throw error;
    await makeDirectories(dirname(path));
    await mkdirIfMissing(path);
  }
}

async function mkdirIfMissing(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}
