/** What the groups of the contract suite share. */
import { afterEach, beforeEach, expect } from 'vitest';
import { type ErrorCode, XsyncError } from '../../src/model/error.js';
import { compareKeys } from '../../src/model/key.js';
import type { ObjectEntry, ObjectInfo } from '../../src/model/object.js';
import type { ListOptions, ObjectStore, PieceSource, UploadRef } from '../../src/store/port.js';
import type { KeyName } from './keys.js';

/** One backend under test: an empty bucket of its own. */
export interface Subject {
  store: ObjectStore;
  /** The same kind of store on a bucket that does not exist. */
  missing?: ObjectStore;
  /** What a part must have where the server takes less than its provider (default: the provider's limit). */
  minPartSize?: number;
  /** Puts things there without requests, for tests that need thousands; absent for services that cannot. */
  plant?: Planter;
  /** Frees what the factory made; the stores themselves are closed by the suite. */
  dispose?: () => Promise<void>;
}

export interface Planter {
  object(key: string, body: Uint8Array): void;
  part(upload: UploadRef, partNumber: number, body: Uint8Array): void;
}

export interface Backend {
  /** Called for every test. */
  open: () => Promise<Subject>;
  /** As `open`, on a bucket that keeps versions; absent for stores that cannot. */
  openVersioned?: () => Promise<Subject>;
  /** As `open`, on a bucket that keeps versions and locks; absent for stores that cannot. What is locked there may stay. */
  openLocking?: () => Promise<Subject>;
  /** The named keys that this store cannot hold and must refuse. */
  refuses?: readonly KeyName[];
  /** The server completes an upload only when every part that it holds is named (Ceph); others leave out the rest. */
  wantsEveryPart?: boolean;
}

/** Opens the backend around every test of the surrounding `describe`; call `subject()` inside tests. */
export function useSubject(backend: Pick<Backend, 'open'>): () => Subject {
  let current: Subject | undefined;
  beforeEach(async () => {
    current = await backend.open();
  });
  afterEach(async () => {
    const used = current;
    current = undefined;
    await used?.store.close();
    await used?.missing?.close();
    await used?.dispose?.();
  });
  return () => {
    if (!current) throw new Error('subject() is for tests only');
    return current;
  };
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (body: Uint8Array): string => new TextDecoder().decode(body);

/** `size` bytes that differ from part to part and from place to place. */
export function pattern(size: number, seed = 1): Uint8Array {
  const body = new Uint8Array(size);
  for (let i = 0, x = seed * 2654435761; i < size; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    body[i] = x >>> 24;
  }
  return body;
}

export async function readAll(store: ObjectStore, key: string): Promise<{ info: ObjectInfo; body: Uint8Array }> {
  const { size, etag } = await store.head(key);
  const body = new Uint8Array(size);
  const info = await store.read(key, body, { ifMatch: etag });
  return { info, body };
}

/** Every page, joined; fails on a listing that does not end. */
export async function listAll(
  store: ObjectStore,
  options: ListOptions = {},
): Promise<{ entries: ObjectEntry[]; keys: string[]; prefixes: string[]; pages: number }> {
  const entries: ObjectEntry[] = [];
  const prefixes: string[] = [];
  let pages = 0;
  for (let token: string | undefined; pages < 5000; ) {
    const page = await store.list({ ...options, token });
    pages++;
    entries.push(...page.entries);
    prefixes.push(...page.prefixes);
    token = page.nextToken;
    if (token === undefined) return { entries, keys: entries.map(({ key }) => key), prefixes, pages };
  }
  throw new Error('the listing does not end');
}

export async function putAll(store: ObjectStore, keys: readonly string[]): Promise<void> {
  await eightAtOnce(keys, (key) => store.put(key, bytes(key)));
}

/** As `putAll`, for thousands. */
export async function fill({ store, plant }: Subject, keys: readonly string[]): Promise<void> {
  await eightAtOnce(keys, async (key) => (plant ? plant.object(key, bytes(key)) : store.put(key, bytes(key))));
}

export async function eightAtOnce<T>(all: readonly T[], act: (one: T) => Promise<unknown>): Promise<void> {
  const waiting = all.values();
  const worker = async () => {
    for (const one of waiting) await act(one);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

/** Expects keys as the store must list them: in byte order, unless it does not promise one. */
export function expectKeys(store: ObjectStore, keys: readonly string[], expected: readonly string[]): void {
  if (store.capabilities.orderedListing === 'yes') expect(keys).toEqual(expected);
  else expect([...keys].sort(compareKeys)).toEqual(expected);
}

/** Expects a rejection with an XsyncError of one of the codes. */
export async function expectCode(work: Promise<unknown>, ...codes: ErrorCode[]): Promise<XsyncError> {
  const error = await work.then(
    (value) => new Error(`expected ${codes.join(' or ')}, but the call answered ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof XsyncError)) throw error;
  expect(codes, error.message).toContain(error.code);
  return error;
}

/** A part size that may stand anywhere in an upload. */
export const partSize = ({ store, minPartSize = store.capabilities.minPartSize }: Subject): number =>
  Math.max(minPartSize, 1000);

/** Deletes what is in the bucket, unfinished uploads too. */
export async function empty(store: ObjectStore): Promise<void> {
  const { keys } = await listAll(store);
  for (let i = 0; i < keys.length; i += 1000) expect(await store.delete(keys.slice(i, i + 1000))).toEqual([]);
  for (let token: string | undefined, more = true; more; more = token !== undefined) {
    const page = await store.listUploads({ token });
    for (const upload of page.uploads) await store.abortUpload(upload);
    token = page.nextToken;
  }
}

/** Gives the body in pieces of the sizes, again and again, at once or later; counts how often it was opened. */
export function inPieces(body: Uint8Array, ...sizes: number[]): PieceSource & { opened: number } {
  const source = {
    byteLength: body.byteLength,
    opened: 0,
    open() {
      source.opened++;
      let at = 0;
      let n = 0;
      return {
        next: () => {
          const piece = body.slice(at, at + (sizes[n++ % sizes.length] ?? 1));
          at += piece.byteLength;
          return n % 2 === 0 ? piece : Promise.resolve(piece);
        },
      };
    },
  };
  return source;
}
