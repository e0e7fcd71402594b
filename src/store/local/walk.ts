/**
 * Walks a tree in UTF-8 byte order of the keys, in which a directory is sorted with its slash: of `a-b`, `a.txt` and
 * `a0`, the contents of `a/` come between the second and the third. Only the names in open directories are held in
 * memory.
 */
import type { BigIntStats, Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { ABSENT, unlessErrno } from '../../model/errno.js';
import { compareKeys } from '../../model/key.js';
import { translating } from './errors.js';
import { OWN_DIRECTORY } from './keys.js';

export interface Found {
  key: string;
  path: string;
  /** The kind from the directory entry; size and time are read later. */
  kind: 'file' | 'symlink' | 'other' | 'marker';
}

export interface RolledUp {
  prefix: string;
}

export interface WalkOptions {
  followLinks: boolean;
  /** Only keys that start with it. */
  prefix: string;
  /** Only keys after it, exclusive. With `rollUp` it may be a rolled-up prefix, which stands for all keys below it. */
  after: string;
  /** Returns non-empty directories below the level of the prefix as rolled-up prefixes. */
  rollUp: boolean;
  /** Whether a directory is marked as an object; absent when none is. */
  isMarker?: (key: string) => Promise<boolean>;
}

/** A directory of the walk. Its key ends in a slash; the root's key is empty. */
export interface Folder {
  key: string;
  path: string;
  /** Identities (`dev:ino`) of this directory and its parents, to detect cycles of followed links. */
  above: readonly string[];
}

interface Child {
  /** Ends in a slash for directories. */
  name: string;
  path: string;
  kind: Found['kind'] | 'directory';
}

const identity = (found: BigIntStats) => `${found.dev}:${found.ino}`;

/** Whether keys below the directory `key` can start with `prefix` and come after `after`. */
function mayHold(key: string, { prefix, after }: WalkOptions): boolean {
  const relevant = key.startsWith(prefix) || prefix.startsWith(key);
  return relevant && (after.startsWith(key) || compareKeys(key, after) > 0);
}

/** The objects in and below a folder, one at a time. */
export class Walk {
  readonly #options: WalkOptions;
  readonly #open: { folder: Folder; children: Child[]; at: number }[] = [];
  #start: Folder | undefined;

  constructor(start: Folder, options: WalkOptions) {
    this.#start = start;
    this.#options = options;
  }

  /** The next object, undefined at the end. @throws not-readable: a directory cannot be listed */
  async next(): Promise<Found | RolledUp | undefined> {
    const start = this.#start;
    this.#start = undefined;
    const first = start && (await this.#enter(start));
    if (first) return first;
    for (let frame = this.#open.at(-1); frame; frame = this.#open.at(-1)) {
      const child = frame.children[frame.at++];
      const found = child && (await this.#visit(frame.folder, child));
      if (found) return found;
      if (!child) this.#open.pop();
    }
    return undefined;
  }

  async #enter(folder: Folder): Promise<Found | undefined> {
    this.#open.push({ folder, children: await children(folder, this.#options), at: 0 });
    const marked = folder.key !== '' && this.#wants(folder.key) && (await this.#options.isMarker?.(folder.key));
    return marked ? { key: folder.key, path: folder.path, kind: 'marker' } : undefined;
  }

  async #visit(parent: Folder, child: Child): Promise<Found | RolledUp | undefined> {
    const { prefix, after, rollUp, followLinks } = this.#options;
    const { path, kind } = child;
    const key = parent.key + child.name;
    if (kind !== 'directory') return this.#wants(key) ? { key, path, kind } : undefined;
    if (!mayHold(key, this.#options)) return undefined;
    const folder = { key, path, above: followLinks ? await ancestry(path, parent.above) : parent.above };
    if (!rollUp || prefix.startsWith(key)) return this.#enter(folder);
    const below = new Walk(folder, { ...this.#options, rollUp: false });
    return key !== after && (await below.next()) ? { prefix: key } : undefined;
  }

  #wants(key: string): boolean {
    return key.startsWith(this.#options.prefix) && compareKeys(key, this.#options.after) > 0;
  }
}

/** The children of a directory in key order. A directory that no longer exists is empty. */
async function children(folder: Folder, { followLinks }: WalkOptions): Promise<Child[]> {
  const list = () => unlessErrno(ABSENT, readdir(folder.path, { withFileTypes: true }));
  const entries = (await translating('read', folder.path, list)) ?? [];
  const found: Child[] = [];
  const { named, broken } = await separateBroken(folder.path, entries);
  for (const entry of named) {
    if (entry.name === OWN_DIRECTORY) continue;
    const path = `${folder.path}/${entry.name}`;
    const kind = followLinks && entry.isSymbolicLink() ? await kindOfTarget(path, folder.above) : kindOf(entry);
    found.push({ name: kind === 'directory' ? `${entry.name}/` : entry.name, path, kind });
  }
  for (const name of broken) found.push({ name, path: folder.path, kind: 'other' });
  return found.sort((a, b) => compareKeys(a.name, b.name));
}

function kindOf(entry: Pick<Dirent | BigIntStats, 'isFile' | 'isDirectory' | 'isSymbolicLink'>): Child['kind'] {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  return entry.isSymbolicLink() ? 'symlink' : 'other';
}

/** A dangling link, or one to a directory that contains it, stays a `symlink`. */
async function kindOfTarget(path: string, above: readonly string[]): Promise<Child['kind']> {
  const find = () => unlessErrno([...ABSENT, 'ELOOP'], stat(path, { bigint: true }));
  const target = await translating('read', path, find);
  return !target || above.includes(identity(target)) ? 'symlink' : kindOf(target);
}

/** The identities `above` and that of the directory at `path`. */
export async function ancestry(path: string, above: readonly string[]): Promise<readonly string[]> {
  const found = await translating('read', path, () => unlessErrno(ABSENT, stat(path, { bigint: true })));
  return found ? [...above, identity(found)] : above;
}

/**
 * Node decodes names that are not UTF-8 with U+FFFD for the invalid bytes, and the files cannot be opened under such a
 * name. They are recognized by their bytes and named with `\xff` escapes.
 */
async function separateBroken(path: string, entries: Dirent[]): Promise<{ named: Dirent[]; broken: string[] }> {
  if (!entries.some(({ name }) => name.includes('\ufffd'))) return { named: entries, broken: [] };
  const raw = await translating('read', path, () => readdir(path, { encoding: 'buffer' }));
  const broken = raw.filter((name) => !Buffer.from(name.toString('utf8')).equals(name));
  const valid = new Set(raw.filter((name) => !broken.includes(name)).map((name) => name.toString('utf8')));
  const seen = new Set<string>();
  const named = entries.filter(({ name }) => valid.has(name) && seen.size < seen.add(name).size);
  return { named, broken: broken.map(escapeName) };
}

function escapeName(name: Buffer): string {
  return [...name].map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`)).join('');
}
