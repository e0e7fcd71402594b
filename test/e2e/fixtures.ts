/** What is copied in the end-to-end tests: real files, keys that tempt a program to change them, and large objects. */
import { createCipheriv, createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Bytes } from '../support/server/bytes.js';
import { completeUpload, createUpload, putPart } from '../support/server/uploads.js';
import type { Bucket } from './harness.js';

export const MiB = 1024 * 1024;

export interface Fixture {
  key: string;
  bytes: Buffer;
  headers?: Record<string, string>;
  /** As bytes on the wire: one character a byte. */
  metadata?: Record<string, string>;
  /** Seconds since 1970: a GET tells no fractions. */
  mtimeS?: number;
  /** Uploaded in parts of so many bytes. */
  partSize?: number;
}

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** `count` real files: the installed packages', by their paths. */
export function realFiles(count: number): Fixture[] {
  const found: Fixture[] = [];
  walk('', (path) => {
    const bytes = readFileSync(join(MODULES, path));
    if (bytes.byteLength <= 256 * 1024) found.push({ key: path, bytes, mtimeS: 1_600_000_000 + found.length });
    return found.length < count;
  });
  if (found.length < count) throw new Error(`only ${found.length} files under ${MODULES}`);
  return found;
}

/** Calls back for each file until told to stop. */
function walk(directory: string, visit: (path: string) => boolean): boolean {
  for (const entry of readdirSync(join(MODULES, directory), { withFileTypes: true })) {
    const path = directory === '' ? entry.name : `${directory}/${entry.name}`;
    if (entry.isDirectory() ? !walk(path, visit) : entry.isFile() && !visit(path)) return false;
  }
  return true;
}

/** Bytes that do not compress, the same each time. */
export function bytesOf(seed: string, size: number): Buffer {
  const key = createHash('md5').update(seed).digest();
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

/** Who cannot hold a key. */
type Holder = 's3' | 'oss' | 'local';

const AWKWARD: readonly (readonly [key: string, refusedBy?: readonly Holder[]])[] = [
  // UTF-8 of two, three and four bytes; the last two sort the other way round in UTF-16.
  ['utf8/naïve café.txt'],
  ['utf8/文件/说明.txt'],
  ['utf8/～fullwidth'],
  ['utf8/😀 grin.txt'],
  ['utf8/e\u0301 decomposed'],
  ['utf8/é composed'],
  ['utf8/\u00a0no-break\u2028line separator\u200b'],
  ['utf8/\ue000 private use, after surrogates in UTF-16'],
  // What URLs, signatures and XML each mean something by.
  [' leading and trailing blank '],
  ['plus+sign, two  blanks'],
  ['percent%20literal%'],
  ['percent%2Fslash%252F'],
  ['amp&ersand=equals&amp;'],
  ['question?versionId=1&uploads'],
  ['hash#fragment'],
  ['quotes"double\'single`back'],
  ['angle<brackets>]]>&lt;'],
  ['brackets()[]{}|^~!*$@:;,'],
  ['back\\slash\\within'],
  ['new\nline'],
  ['carriage\rreturn\r\n'],
  ['tab\tand\u0001\u001f\u007f controls'],
  ['nul\u0000within', ['local']],
  // What path functions would tidy up.
  ['a/../b', ['local']],
  ['a/./b', ['local']],
  ['./dot', ['local']],
  ['../../up', ['local']],
  ['..', ['local']],
  ['double//slash', ['local']],
  ['many////slashes', ['local']],
  ['trailing.dots...'],
  ['...'],
  ['trailing slash with bytes/', ['local']],
  ['/leading slash', ['oss', 'local']],
  ['//two leading', ['oss', 'local']],
  ['\\leading backslash', ['oss']],
  // Lengths in bytes of UTF-8.
  [longKey(1000)],
  [`long/${'x'.repeat(250)}`],
  [`long/${'y'.repeat(256)}`, ['local']],
  [longKey(1023)],
  [longKey(1024), ['oss']],
  // Keys that are prefixes of others; on a disk one of the two would have to be a folder.
  ['prefix', ['local']],
  ['prefix-more'],
  ['prefix.more'],
  ['prefix/child'],
  ['prefix0'],
];

/** A key of so many bytes, none of its components longer than a file name may be. */
function longKey(bytes: number): string {
  let key = `long ${bytes}`;
  while (Buffer.byteLength(key) < bytes - 40) key += '/中文 folder';
  return key + 'x'.repeat(bytes - Buffer.byteLength(key));
}

/** Small objects under awkward keys that `holders` can all hold. */
export function awkward(...holders: Holder[]): Fixture[] {
  const held = AWKWARD.filter(([, refusedBy]) => !refusedBy?.some((holder) => holders.includes(holder)));
  return held.map(([key], n) => small(key, n));
}

/** Those that `source` holds and `destination` cannot. */
export function refused(source: Holder, destination: Holder): Fixture[] {
  const bad = AWKWARD.filter(([, by]) => by?.includes(destination) && !by.includes(source));
  return bad.map(([key], n) => small(key, n));
}

function small(key: string, n: number): Fixture {
  return { key, bytes: Buffer.from(`${n}: ${key}`), mtimeS: 1_500_000_000 + n };
}

/** Objects of no bytes, among them the markers that consoles make for folders. */
export const EMPTY: readonly Fixture[] = [
  { key: 'empty.bin', bytes: Buffer.alloc(0), mtimeS: 1_400_000_000 },
  { key: 'folder/', bytes: Buffer.alloc(0), mtimeS: 1_400_000_001 },
  { key: 'folder/nested/', bytes: Buffer.alloc(0), mtimeS: 1_400_000_002 },
];

/** UTF-8 as it goes over the wire, one character a byte. */
export function wire(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** An object with everything that a service keeps of one. */
export const DESCRIBED: Fixture = {
  key: 'described.bin',
  bytes: Buffer.from('a body'),
  mtimeS: 1_300_000_000,
  headers: {
    'content-type': 'application/x-custom; charset="utf-8"',
    'content-encoding': 'x-snappy',
    'content-disposition': 'attachment; filename="a b.txt"',
    'content-language': 'de-DE, zh-CN',
    'cache-control': 'private, max-age=3600, stale-while-revalidate=60',
    expires: 'Wed, 21 Oct 2037 07:28:00 GMT',
  },
  metadata: { owner: 'Jane Doe', 'with-dash': '1', note: wire('grün, 中文, 😀'), empty: '' },
};

/** The source's own time, carried from an earlier copy. */
export const CARRIED: Fixture = {
  key: 'carried.txt',
  bytes: Buffer.from('copied before'),
  metadata: { mtime: '981173106.123456789' },
  mtimeS: 1_700_000_000,
};

/** The same to the millisecond, which is what survives a disk. */
export const CARRIED_MS: Fixture = { ...CARRIED, metadata: { mtime: '981173106.123' } };

/** Larger than `--part-size 5M`, and no multiple of it. */
export const LARGE_SIZE = 20 * MiB + 12_345;

export const LARGE: readonly Fixture[] = [
  {
    key: 'large/uploaded whole.bin',
    bytes: bytesOf('whole', LARGE_SIZE),
    mtimeS: 1_200_000_000,
    headers: { 'content-type': 'video/mp4' },
    metadata: { title: wire('Überlänge') },
  },
  {
    key: 'large/uploaded in parts.bin',
    bytes: bytesOf('parts', LARGE_SIZE + 1),
    mtimeS: 1_200_000_001,
    partSize: 6 * MiB,
  },
];

/** Puts objects into a bucket from behind the server. */
export function seed(bucket: Bucket, fixtures: readonly Fixture[]): void {
  for (const fixture of fixtures) {
    const { key, bytes, headers, metadata, mtimeS, partSize } = fixture;
    const attributes = { ...(headers ? { headers } : {}), ...(metadata ? { metadata } : {}) };
    if (partSize !== undefined) seedInParts(bucket, fixture, partSize);
    else bucket.put(key, bytes, { ...attributes, ...(mtimeS === undefined ? {} : { mtimeMs: mtimeS * 1000 }) });
  }
}

function seedInParts({ remote, name }: Bucket, { key, bytes, mtimeS }: Fixture, partSize: number): void {
  const bucket = remote.store.bucket(name);
  const upload = createUpload(bucket, key, {});
  const chosen = [];
  for (let at = 0; at < bytes.byteLength; at += partSize) {
    const part = putPart(bucket, upload, chosen.length + 1, Bytes.of(bytes.subarray(at, at + partSize)));
    chosen.push({ partNumber: part.partNumber, etag: part.etag });
  }
  const options = { minPartSize: Math.min(partSize, 5 * MiB), defaultChecksum: true };
  const object = completeUpload(bucket, upload, chosen, options);
  if (mtimeS !== undefined) object.lastModifiedMs = mtimeS * 1000;
}
