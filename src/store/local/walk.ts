/**
 * Walks a tree in UTF-8 byte order of the keys, in which a directory is sorted with its slash: of `a-b`, `a.txt` and
 * `a0`, the contents of `a/` come between the second and the third. Only the names in open directories are held in
 * memory.
 */
import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { ABSENT, unlessErrno } from '../../model/errno.js';
import { isXsyncError, XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import { type Child, childrenOf, type Folder, identityOf } from './children.js';
import { translating } from './errors.js';
import type { Names, Path } from './names.js';

export interface Found extends Omit<Child, 'name' | 'kind'> {
  key: string;
  /** The kind from the directory entry; size and time are read later. */
  kind: Exclude<Child['kind'], 'directory'> | 'marker';
}

export interface RolledUp {
  prefix: string;
}

/** A directory that could not be read. */
export interface Unread {
  unread: string;
  error: XsyncError;
}

export type Item = Found | RolledUp | Unread;

export interface WalkOptions {
  names: Names;
  followLinks: boolean;
  /** Only keys that start with it. */
  prefix: string;
  /** Only keys after it, exclusive. With `rollUp` it may be a rolled-up prefix, which stands for all keys below it. */
  after: string;
  /** Returns non-empty directories below the level of the prefix as rolled-up prefixes. */
  rollUp: boolean;
  /** With `rollUp`: empty directories, too. */
  emptyFolders?: boolean;
  /** Whether a directory is marked as an object; absent when none is. */
  isMarker?: (key: string) => Promise<boolean>;
  /** Whether to read a directory; its key ends in a slash. */
  enters?: (key: string) => boolean;
}

/** Whether keys below the directory `key` can start with `prefix` and come after `after`. */
function mayHold(key: string, { prefix, after, enters }: WalkOptions): boolean {
  const relevant = key.startsWith(prefix) || prefix.startsWith(key);
  return relevant && (after.startsWith(key) || compareKeys(key, after) > 0) && (enters?.(key) ?? true);
}

/** The objects in and below a folder, one at a time, and the folders that could not be read. */
export class Walk {
  readonly #options: WalkOptions;
  readonly #open: { folder: Folder; children: Child[]; at: number }[] = [];
  #start: Folder | undefined;

  constructor(start: Folder, options: WalkOptions) {
    this.#start = start;
    this.#options = options;
  }

  /** The next one, undefined at the end. @throws not-readable: the folder itself cannot be listed */
  async next(): Promise<Item | undefined> {
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
    this.#open.push({ folder, children: await childrenOf(folder, this.#options), at: 0 });
    const marked = folder.key !== '' && this.#wants(folder.key) && (await this.#options.isMarker?.(folder.key));
    return marked ? { key: folder.key, path: folder.path, kind: 'marker' } : undefined;
  }

  async #visit(parent: Folder, child: Child): Promise<Item | undefined> {
    const key = parent.key + child.name;
    if (child.kind !== 'directory') {
      const { path, kind, fault } = child;
      return this.#wants(key) ? { key, path, kind, fault } : undefined;
    }
    if (!mayHold(key, this.#options)) return undefined;
    try {
      return await this.#descend(key, child.path, parent.above);
    } catch (error) {
      // Out of handles, say: the whole page is tried again.
      if (!isXsyncError(error) || error.class === 'temporary') throw error;
      return { unread: key, error: unreadFolder(key, error) };
    }
  }

  async #descend(key: string, path: Path, parents: readonly string[]): Promise<Item | undefined> {
    const { prefix, after, rollUp, followLinks, emptyFolders } = this.#options;
    const folder = { key, path, above: followLinks ? await ancestry(path, parents) : parents };
    if (!rollUp || prefix.startsWith(key)) return this.#enter(folder);
    const below = new Walk(folder, { ...this.#options, rollUp: false });
    return key !== after && ((await below.next()) || emptyFolders) ? { prefix: key } : undefined;
  }

  #wants(key: string): boolean {
    return key.startsWith(this.#options.prefix) && compareKeys(key, this.#options.after) > 0;
  }
}

function unreadFolder(key: string, { code, message, subject, cause }: XsyncError): XsyncError {
  const remedy = `Make the folder readable, or exclude it: --exclude '/${key}**'.`;
  return new XsyncError(code, `${message}; what is in it was left alone`, { subject, remedy, cause });
}

/** The identities `above` and that of the directory at `path`. */
export async function ancestry(path: Path, above: readonly string[]): Promise<readonly string[]> {
  const find = () => unlessErrno(ABSENT, stat(path, { bigint: true }));
  const found: BigIntStats | undefined = await translating('read', path.toString(), find);
  return found ? [...above, identityOf(found)] : above;
}
