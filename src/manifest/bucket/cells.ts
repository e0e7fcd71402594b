/**
 * Texts in a bucket that are replaced only by whoever has seen what they replace. How depends on what the store compares:
 * one object each, or a row of objects that are only ever created. Tests: test/contract/state.test.ts
 */
import { isXsyncError, XsyncError } from '../../model/error.js';
import { compareKeys } from '../../model/key.js';
import type { ObjectStore } from '../../store/port.js';

export type CellStore = Pick<ObjectStore, 'capabilities' | 'read' | 'put' | 'list' | 'delete' | 'identity'>;

export interface Cell {
  text: string;
  /** Of the object that holds it. */
  version: string;
}

export interface Cells {
  read(path: string): Promise<Cell | undefined>;
  /** @returns the new version; undefined: somebody else may have come first */
  swap(path: string, before: string | undefined, text: string): Promise<string | undefined>;
  /** Paths below a folder, in order, after one of them. */
  paths(folder: string, after: string | undefined, limit: number): Promise<string[]>;
  remove(paths: readonly string[]): Promise<void>;
}

/** Bytes of most objects: blanks follow shorter texts, so that one request reads them whole. */
const BLOCK = 4096;

export async function readText(store: CellStore, key: string): Promise<Cell | undefined> {
  const block = Buffer.alloc(BLOCK);
  try {
    const { etag, size } = await store.read(key, block);
    if (size <= BLOCK) return { text: block.toString('utf8'), version: etag };
    const rest = Buffer.alloc(size - BLOCK);
    await store.read(key, rest, { offset: BLOCK, ifMatch: etag });
    return { text: Buffer.concat([block, rest]).toString('utf8'), version: etag };
  } catch (error) {
    if (isXsyncError(error, 'object-not-found')) return undefined;
    // It was replaced between the two reads.
    if (isXsyncError(error, 'precondition-failed')) return readText(store, key);
    throw error;
  }
}

export function bodyOf(text: string): Buffer {
  const missing = BLOCK - Buffer.byteLength(text);
  return Buffer.from(missing > 0 ? text + ' '.repeat(missing) : text);
}

/** @returns undefined: another object stands there */
async function putOver(store: CellStore, key: string, text: string, replaces: string): Promise<string | undefined> {
  try {
    const { etag, versionId } = await store.put(key, bodyOf(text), { replaces, strict: true });
    if (versionId !== undefined && !store.capabilities.writesIfMatch) throw keepsVersions(store.identity.bucket);
    return etag;
  } catch (error) {
    if (isXsyncError(error, 'precondition-failed')) return undefined;
    throw error;
  }
}

function keepsVersions(bucket: string): XsyncError {
  const message = `the bucket ${bucket} keeps versions, and lets objects be overwritten although it is told not to`;
  const remedy = 'Keep the state in a bucket that never kept versions.';
  return new XsyncError('config', message, { subject: bucket, remedy });
}

async function removeAll(store: CellStore, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += 1000) {
    const [failure] = await store.delete(keys.slice(at, at + 1000));
    if (failure) throw failure.error;
  }
}

/** One object each, for stores that compare ETags when they write. */
export class ComparedCells implements Cells {
  readonly #store: CellStore;

  constructor(store: CellStore) {
    this.#store = store;
  }

  read(path: string): Promise<Cell | undefined> {
    return readText(this.#store, path);
  }

  swap(path: string, before: string | undefined, text: string): Promise<string | undefined> {
    return putOver(this.#store, path, text, before ?? '');
  }

  async paths(folder: string, after: string | undefined, limit: number): Promise<string[]> {
    const { entries } = await this.#store.list({ prefix: folder, startAfter: after, maxKeys: limit });
    return entries.map(({ key }) => key);
  }

  remove(paths: readonly string[]): Promise<void> {
    return removeAll(this.#store, paths);
  }
}

/** Digits of the numbers in names. They count down, so that a listing has the newest first. */
const DIGITS = 12;
const FIRST = 10 ** DIGITS - 1;

/**
 * For stores that can only refuse to overwrite: each text is a new object, `path/number`, that nobody else can have created.
 * The newest one counts. An older one is removed after a newer one stands there, so that somebody who was slow may create an
 * object again that was removed. Therefore whoever has created one looks whether it is the newest: if not, it is removed, and
 * somebody else came first.
 */
export class CreatedCells implements Cells {
  readonly #store: CellStore;

  constructor(store: CellStore) {
    this.#store = store;
  }

  async read(path: string): Promise<Cell | undefined> {
    for (;;) {
      const number = await this.#newest(path);
      if (number === undefined) return undefined;
      const cell = await readText(this.#store, nameOf(path, number));
      // Otherwise a newer one stands there by now.
      if (cell) return { text: cell.text, version: String(number) };
    }
  }

  async swap(path: string, before: string | undefined, text: string): Promise<string | undefined> {
    const number = before === undefined ? FIRST : Number(before) - 1;
    const name = nameOf(path, number);
    if ((await putOver(this.#store, name, text, '')) === undefined) return undefined;
    const won = (await this.#newest(path)) === number;
    if (!won) await removeAll(this.#store, [name]);
    else if (before !== undefined) await removeAll(this.#store, [nameOf(path, Number(before))]);
    return won ? String(number) : undefined;
  }

  async paths(folder: string, after: string | undefined, limit: number): Promise<string[]> {
    // Beyond all numbers of that path.
    const startAfter = after && `${after}/~`;
    const found = new Set<string>();
    for (let token: string | undefined; ; ) {
      const page = await this.#store.list({ prefix: folder, ...(token === undefined ? { startAfter } : { token }) });
      for (const { key } of page.entries) found.add(key.slice(0, key.lastIndexOf('/')));
      token = page.nextToken;
      if (found.size > limit || token === undefined) return [...found].sort(compareKeys).slice(0, limit);
    }
  }

  async remove(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      const { entries } = await this.#store.list({ prefix: `${path}/` });
      await removeAll(
        this.#store,
        entries.map(({ key }) => key),
      );
    }
  }

  async #newest(path: string): Promise<number | undefined> {
    const { entries } = await this.#store.list({ prefix: `${path}/`, maxKeys: 1 });
    const [first] = entries;
    return first && Number(first.key.slice(path.length + 1));
  }
}

function nameOf(path: string, number: number): string {
  return `${path}/${String(number).padStart(DIGITS, '0')}`;
}
