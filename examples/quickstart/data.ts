/** The test data: real files from this project's own node_modules, and one large object. */
import { type Cipher, createCipheriv } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { copyFile, mkdir, opendir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const KiB = 1024;
const MiB = 1024 * KiB;

/** The servers hold everything in memory twice, so the data stays small. */
const LARGEST_FILE = 256 * KiB;
const MOST_BYTES = 64 * MiB;
const EMPTY = 'empty.txt';

export interface Chosen {
  files: number;
  bytes: number;
}

/** Writes one empty file, since every real tree has some, and copies up to `count - 1` files of `from` to `to`. */
export async function copyFiles(from: string, to: string, count: number): Promise<Chosen> {
  await mkdir(to, { recursive: true });
  await writeFile(join(to, EMPTY), '');
  let files = 1;
  let bytes = 0;
  for await (const path of filesOf(from)) {
    if (files === count) break;
    const { size } = await stat(path);
    if (size > LARGEST_FILE || bytes + size > MOST_BYTES) continue;
    const target = join(to, relative(from, path));
    await mkdir(dirname(target), { recursive: true });
    await copyFile(path, target);
    files++;
    bytes += size;
  }
  return { files, bytes };
}

/** Regular files below `folder`, in any order. */
export async function* filesOf(folder: string): AsyncGenerator<string> {
  for await (const entry of await opendir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesOf(path);
    else if (entry.isFile()) yield path;
  }
}

/** Writes `size` pseudorandom bytes that are the same on every machine. */
export async function writeLarge(path: string, size: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await pipeline(Readable.from(zeros(size)), randomBytes('xsync quick start'), createWriteStream(path));
}

/** `size` pseudorandom bytes that are the same on every machine, and differ from seed to seed. */
export function bytesOf(size: number, seed: string): Buffer {
  return randomBytes(seed).update(Buffer.alloc(size));
}

/** AES in counter mode over zeros. */
function randomBytes(seed: string): Cipher {
  return createCipheriv('aes-256-ctr', Buffer.alloc(32, seed), Buffer.alloc(16));
}

function* zeros(size: number): Generator<Buffer> {
  const block = Buffer.alloc(MiB);
  for (let left = size; left > 0; left -= MiB) yield block.subarray(0, Math.min(left, MiB));
}
