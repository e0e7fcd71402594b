/** Reads and writes files and identifies their versions. Tests: test/store/local/objects.test.ts */
import { type BigIntStats, constants } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { RunningMd5 } from '../../hash/index.js';
import { isErrno } from '../../model/errno.js';
import { XsyncError } from '../../model/error.js';
import type { PieceSource, Pieces, TransferOptions } from '../port.js';
import { paceBytes, throwIfAborted } from '../signal.js';
import { type Calls, SMALL } from './calls.js';
import type { Path } from './names.js';

/** Bytes of one read of a large body: large enough to be cheap, small enough to pace and to abort. */
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
export function openToRead(calls: Calls, path: Path, followLinks: boolean): number | Promise<number> {
  return calls.open(path, constants.O_RDONLY | constants.O_NONBLOCK | (followLinks ? 0 : constants.O_NOFOLLOW));
}

/** Where bytes are written to: an open file, and the offset of the first one. */
interface Target {
  calls: Calls;
  fd: number;
  position: number;
}

/** What looks at the bytes while the processor has them in its cache. */
type Hash = Pick<RunningMd5, 'update'>;

/** Writes the whole body at `position`, pacing it. */
export async function writeBody(to: Target, body: Uint8Array, options: TransferOptions, hash?: Hash): Promise<void> {
  throwIfAborted(options.signal);
  for (let start = 0; start < body.byteLength; start += SMALL) {
    const piece = body.subarray(start, start + SMALL);
    await paceBytes(options, piece.byteLength);
    await hashAndWrite(to, piece, start, hash);
  }
}

/** Writes a body while it arrives, pacing it. @throws aborted: it did not arrive whole */
export async function writePieces(
  to: Target,
  body: PieceSource,
  options: TransferOptions,
  hash: Hash | undefined,
): Promise<void> {
  const pieces = body.open();
  for (let at = 0; at < body.byteLength; ) {
    throwIfAborted(options.signal);
    const piece = await nextOf(pieces);
    await paceBytes(options, piece.byteLength);
    await hashAndWrite(to, piece, at, hash);
    at += piece.byteLength;
  }
}

async function nextOf(pieces: Pieces): Promise<Uint8Array> {
  try {
    return await pieces.next();
  } catch (cause) {
    throw new XsyncError('aborted', 'the body did not arrive whole', { cause });
  }
}

async function hashAndWrite(to: Target, piece: Uint8Array, at: number, hash: Hash | undefined): Promise<void> {
  const hashed = hash?.update(piece);
  await writeFully(to, piece, at);
  await hashed;
}

async function writeFully({ calls, fd, position }: Target, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    done += await calls.write(fd, done === 0 ? bytes : bytes.subarray(done), position + at + done);
  }
}

/** An open file to read from. */
type Opened = Pick<Target, 'calls' | 'fd'>;

/** Fills `target` from `position` on, pacing it. @returns false if the file is too short */
export async function readBody(
  { calls, fd }: Opened,
  target: Uint8Array,
  position: number,
  options: TransferOptions,
): Promise<boolean> {
  throwIfAborted(options.signal);
  for (let done = 0; done < target.byteLength; ) {
    const bytesRead = await calls.read(fd, target.subarray(done, done + CHUNK), position + done);
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
  file: Opened,
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
  from: { file: Opened; position: number; size: number },
  to: Target,
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
