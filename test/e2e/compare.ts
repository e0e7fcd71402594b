/** Whether what arrived is what was sent, seen from behind the servers and on disk. */
import { lstat, mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { Fixture } from './fixtures.js';
import type { Bucket } from './harness.js';

/** The bucket holds exactly these objects: bytes, content headers, metadata and time. */
export function expectArrived(bucket: Bucket, fixtures: readonly Fixture[]): void {
  expect(bucket.keys().sort()).toEqual(fixtures.map(({ key }) => key).sort());
  const damaged = fixtures.filter(({ key, bytes }) => !bucket.read(key).equals(bytes));
  expect(
    damaged.map(({ key }) => key),
    'objects whose bytes differ',
  ).toEqual([]);
  expect(fixtures.map((fixture) => arrived(bucket, fixture))).toEqual(fixtures.map(sent));
}

interface Description {
  key: string;
  /** Only where the source has headers: services and disks have types of their own for the others. */
  headers?: Record<string, string>;
  metadata: Record<string, string>;
}

function arrived(bucket: Bucket, { key, headers }: Fixture): Description {
  const object = bucket.get(key);
  const metadata = Object.entries(object?.metadata ?? {}).map(([name, value]) => [name, readable(value)]);
  return { key, ...(headers ? { headers: object?.headers } : {}), metadata: Object.fromEntries(metadata) };
}

function sent({ key, headers, metadata, mtimeS }: Fixture): Description {
  const texts = Object.entries({ mtime: String(mtimeS), ...metadata }).map(([name, value]) => [name, readable(value)]);
  return { key, ...(headers ? { headers: { ...headers } } : {}), metadata: Object.fromEntries(texts) };
}

/** A metadata value from the wire: UTF-8, or an encoded word of it (RFC 2047). */
function readable(wire: string): string {
  const word = /^=\?utf-8\?b\?([A-Za-z0-9+/=]*)\?=$/i.exec(wire);
  return Buffer.from(word?.[1] ?? wire, word ? 'base64' : 'latin1').toString('utf8');
}

/** Writes files as a source on disk; keys must be such that a disk can hold them. */
export async function writeTree(root: string, fixtures: readonly Fixture[]): Promise<void> {
  for (const { key, bytes, mtimeS } of fixtures) {
    const path = join(root, key);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
    if (mtimeS !== undefined) await utimes(path, mtimeS, mtimeS);
  }
}

/** The tree has exactly these files, with their bytes and times, markers as folders, and no leftovers of ours. */
export async function expectOnDisk(root: string, fixtures: readonly Fixture[]): Promise<void> {
  const files = fixtures.filter(({ key }) => !key.endsWith('/'));
  expect((await filesOf(root)).sort()).toEqual(files.map(({ key }) => key).sort());
  const damaged: string[] = [];
  for (const { key, bytes } of files) if (!(await readFile(join(root, key))).equals(bytes)) damaged.push(key);
  expect(damaged, 'files whose bytes differ').toEqual([]);
  const times = await Promise.all(
    files.map(async ({ key }) => [key, Math.round((await lstat(join(root, key))).mtimeMs)]),
  );
  expect(times).toEqual(files.map(({ key, mtimeS, metadata }) => [key, Number(metadata?.mtime ?? mtimeS) * 1000]));
  for (const { key } of fixtures.filter(({ key }) => key.endsWith('/'))) {
    expect((await lstat(join(root, key))).isDirectory(), `${key} is a folder`).toBe(true);
  }
  expect(await leftoversOf(root)).toEqual([]);
}

/** Paths of the files below a folder, ours left out. */
export async function filesOf(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  return paths.filter((path) => !path.startsWith('.xsync/'));
}

/** What a run leaves under construction: none of it may stay. Records of headers and metadata may. */
export async function leftoversOf(root: string): Promise<string[]> {
  const own = await readdir(join(root, '.xsync'), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return own.filter((path) => path !== 'meta' && !path.startsWith('meta/'));
}
