/**
 * The rows of an inventory, as entries of a listing in no order. Every data file is read to its end, and compared with the
 * MD5 that the manifest names; who uses the entries waits for the end, so that nothing is decided by half an inventory.
 * Tests: test/cli/inventory.test.ts
 */
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { isXsyncError } from '../model/error.js';
import type { ObjectEntry } from '../model/object.js';
import type { ObjectStore, VersionEntry } from '../store/port.js';
import { type StoredFile, verifiedPieces, verifiedSlices } from './bytes.js';
import { csvRecords, csvRowReader } from './csv.js';
import { brokenInventory } from './errors.js';
import { columnName, type InventoryFile, type InventoryManifest } from './manifest.js';
import { openParquet } from './parquet.js';
import { entryOf, type InventoryRow, isHidden, versionOf } from './rows.js';

export interface Reading {
  /** The bucket or folder that has the inventory. */
  store: ObjectStore;
  manifest: InventoryManifest;
  /** Where a data file is in `store`. */
  keyOf(file: InventoryFile): Promise<string> | string;
  /** Names the inventory in errors. */
  text: string;
  /** The storage class that entries leave out. */
  usualClass: string | undefined;
}

/** Current objects, with full keys. @throws config, and what the store throws */
export async function* inventoryEntries(reading: Reading, signal: AbortSignal): AsyncGenerator<ObjectEntry[]> {
  for await (const rows of ownRows(reading, signal)) {
    const entries = rows.filter((row) => !isHidden(row)).map((row) => entryOf(row, reading.usualClass));
    if (entries.length > 0) yield entries;
  }
}

/** Every version and delete marker, with full keys. @throws as `inventoryEntries` */
export async function* inventoryVersions(reading: Reading, signal: AbortSignal): AsyncGenerator<VersionEntry[]> {
  for await (const rows of ownRows(reading, signal)) yield rows.map((row) => versionOf(row, reading.usualClass));
}

async function* ownRows(reading: Reading, signal: AbortSignal): AsyncGenerator<InventoryRow[]> {
  const { manifest, text } = reading;
  for (const file of manifest.files) {
    for await (const rows of rowsOf(reading, file, signal)) {
      const other = rows.find(({ bucket }) => bucket !== undefined && bucket !== manifest.bucket);
      if (other) throw brokenInventory(text, `has a row of another bucket, ${other.bucket}`);
      yield rows;
    }
  }
}

/** The columns, as `columnName` spells them. Reads the head of a Parquet file. Undefined: there are no files. */
export async function columnsOf(reading: Reading, signal: AbortSignal): Promise<readonly string[] | undefined> {
  const { manifest } = reading;
  if (manifest.format === 'csv') return manifest.columns;
  const [first] = manifest.files;
  if (!first) return undefined;
  const file = await storedFile(reading, first);
  return (await openParquet(await verifiedSlices(file, first, signal), file.text)).columns;
}

async function* rowsOf(reading: Reading, listed: InventoryFile, signal: AbortSignal): AsyncGenerator<InventoryRow[]> {
  const file = await storedFile(reading, listed);
  if (reading.manifest.format === 'csv') yield* csvRows(file, { ...reading.manifest, listed }, signal);
  else yield* (await openParquet(await verifiedSlices(file, listed, signal), file.text)).rows();
}

async function storedFile(reading: Reading, listed: InventoryFile): Promise<StoredFile> {
  const key = await reading.keyOf(listed);
  return { store: reading.store, key, text: `${reading.text}: its file ${key}` };
}

async function* csvRows(
  file: StoredFile,
  { columns, listed }: { columns: readonly string[]; listed: InventoryFile },
  signal: AbortSignal,
): AsyncGenerator<InventoryRow[]> {
  const reader = csvRowReader(columns.map(columnName), file.text);
  const pieces = verifiedPieces(file, listed, signal);
  for await (const records of csvRecords(inflated(pieces, file.text), file.text)) yield records.map(reader);
}

/** @throws config: it is not gzip, or ends early */
async function* inflated(pieces: AsyncIterable<Uint8Array>, text: string): AsyncGenerator<Uint8Array> {
  // The error comes out of the iteration.
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  pipeline(Readable.from(pieces), gunzip, () => undefined);
  try {
    for await (const piece of gunzip) yield piece as Uint8Array;
  } catch (error) {
    if (isXsyncError(error)) throw error;
    throw brokenInventory(text, `cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`);
  }
}
