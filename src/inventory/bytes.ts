/** Reads the files of an inventory from a store. Tests: test/cli/inventory.test.ts */
import { createHash } from 'node:crypto';
import { isXsyncError } from '../model/error.js';
import type { ObjectStore } from '../store/port.js';
import { brokenInventory } from './errors.js';
import type { InventoryFile } from './manifest.js';
import type { Slices } from './parquet.js';

/** The store and one of its keys. */
export interface StoredFile {
  store: ObjectStore;
  key: string;
  /** For messages. */
  text: string;
}

/** Bytes of one read. */
const PIECE = 8 * 2 ** 20;

/** A manifest or a checksum has a few hundred bytes a data file. */
const MOST_BYTES = 64 * 2 ** 20;

/** A whole small file; undefined if there is none. @throws what the store throws */
export async function readSmall(
  { store, key, text }: StoredFile,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  try {
    const { size, etag } = await store.head(key, { signal });
    if (size > MOST_BYTES) throw brokenInventory(text, `is too large for a manifest: ${size} bytes`);
    const body = Buffer.alloc(size);
    if (size > 0) await store.read(key, body, { ifMatch: etag, signal });
    return body;
  } catch (error) {
    if (isXsyncError(error, 'object-not-found')) return undefined;
    throw error;
  }
}

/**
 * The bytes of a data file in order. They are those that the manifest means only when the iteration has ended without an
 * error.
 * @throws config
 */
export async function* verifiedPieces(
  file: StoredFile,
  { size, md5 }: InventoryFile,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const etag = await pinOf(file, size, signal);
  const hash = createHash('md5');
  for await (const piece of pinnedPieces(file, { size, etag }, signal)) {
    hash.update(piece);
    yield piece;
  }
  if (hash.digest('hex') !== md5) throw brokenInventory(file.text, 'does not have the MD5 that the manifest names');
}

/** The bytes of a file of which nothing is known beforehand, all of one version. @throws what the store throws */
export async function* filePieces(file: StoredFile, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { size, etag } = await file.store.head(file.key, { signal });
  yield* pinnedPieces(file, { size, etag }, signal);
}

/** Each piece is read while the one before it is used. */
async function* pinnedPieces(
  { store, key }: StoredFile,
  { size, etag }: { size: number; etag: string },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const read = (offset: number): Promise<Uint8Array> => {
    const target = Buffer.alloc(Math.min(PIECE, size - offset));
    const piece = store.read(key, target, { offset, ifMatch: etag, signal }).then(() => target);
    // Read ahead, it may fail before it is awaited.
    piece.catch(() => undefined);
    return piece;
  };
  let next = size > 0 ? read(0) : undefined;
  for (let offset = 0; next; ) {
    const piece: Uint8Array = await next;
    offset += piece.byteLength;
    next = offset < size ? read(offset) : undefined;
    yield piece;
  }
}

/** Parts of a file that was verified. A small one is held in memory, and a large one is read again as its parts are needed. */
export async function verifiedSlices(file: StoredFile, listed: InventoryFile, signal: AbortSignal): Promise<Slices> {
  const { store, key, text } = file;
  const { size } = listed;
  const held = size <= MOST_HELD ? Buffer.alloc(size) : undefined;
  let filled = 0;
  for await (const piece of verifiedPieces(file, listed, signal)) {
    held?.set(piece, filled);
    filled += piece.byteLength;
  }
  if (held) {
    return { byteLength: size, slice: async (start, end) => bufferOf(held.subarray(start, end)) };
  }
  const etag = await pinOf({ store, key, text }, size, signal);
  return {
    byteLength: size,
    slice: async (start, end = size) => {
      const from = start < 0 ? size + start : start;
      const target = Buffer.alloc(end - from);
      await store.read(key, target, { offset: from, ifMatch: etag, signal });
      return bufferOf(target);
    },
  };
}

const MOST_HELD = 64 * 2 ** 20;

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.byteLength);
  new Uint8Array(copy).set(bytes);
  return copy;
}

/** The version to read. @throws config */
async function pinOf({ store, key, text }: StoredFile, size: number, signal: AbortSignal): Promise<string> {
  try {
    const head = await store.head(key, { signal });
    if (head.size === size) return head.etag;
    throw brokenInventory(text, `has ${head.size} bytes, and the manifest says ${size}`);
  } catch (error) {
    if (!isXsyncError(error, 'object-not-found')) throw error;
    throw brokenInventory(text, 'is missing');
  }
}
