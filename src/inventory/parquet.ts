/**
 * Reads a Parquet file of an inventory, one group of rows at a time. The library is loaded when it is first needed.
 * Tests: test/inventory/parquet.test.ts
 */
import { brokenInventory } from './errors.js';
import { columnName } from './manifest.js';
import { COLUMNS, type InventoryRow } from './rows.js';

/** A file of which parts are read. */
export interface Slices {
  byteLength: number;
  slice(start: number, end?: number): Promise<ArrayBuffer>;
}

/** A larger group of rows would not fit into memory; S3 writes some hundred thousand rows a group. */
const MOST_ROWS = 5_000_000;

/** Rows of one batch. */
const BATCH = 10_000;

export interface ParquetFile {
  /** As `columnName` spells them. */
  columns: readonly string[];
  rows(): AsyncGenerator<InventoryRow[]>;
}

/** @param text names the file in errors. @throws config: it cannot be read */
export async function openParquet(file: Slices, text: string): Promise<ParquetFile> {
  const [{ parquetMetadataAsync, parquetRead }, { compressors }] = await Promise.all([
    import('hyparquet'),
    import('hyparquet-compressors'),
  ]);
  const metadata = await readable(text, () => parquetMetadataAsync(file));
  refuseUneven(metadata, text);
  // The first element is the root.
  const leaves = metadata.schema.slice(1).map(({ name }) => String(name));
  const wanted = leaves.filter((name) => COLUMNS.some((column) => column === columnName(name)));
  async function* rows(): AsyncGenerator<InventoryRow[]> {
    let start = 0;
    for (const group of metadata.row_groups) {
      const count = Number(group.num_rows);
      if (count > MOST_ROWS) throw brokenInventory(text, `has ${count} rows in one group`);
      const columns = new Map<string, ArrayLike<unknown>[]>();
      const range = { rowStart: start, rowEnd: start + count };
      await readable(text, () =>
        parquetRead({
          ...{ file, metadata, compressors, columns: wanted, ...range, parsers: PARSERS },
          onChunk: ({ columnName: name, columnData }) => {
            const chunks = columns.get(name) ?? [];
            chunks.push(columnData);
            columns.set(name, chunks);
          },
        }),
      );
      for (const name of wanted) {
        const found = (columns.get(name) ?? []).reduce((sum, { length }) => sum + length, 0);
        if (found !== count) throw brokenInventory(text, `has ${found} values of ${name} for ${count} rows`);
      }
      yield* rowsOf(columns, count, text);
      start += count;
    }
  }
  return { columns: wanted.map(columnName), rows };
}

/** Rows that are lost without a word would count as objects that are gone. @throws config */
function refuseUneven({ num_rows: all, row_groups }: Counted, text: string): void {
  const groups = row_groups.map(({ num_rows: rows }) => Number(rows));
  const found = groups.reduce((sum, rows) => sum + rows, 0);
  if (found === Number(all) && groups.every((rows) => rows >= 0)) return;
  throw brokenInventory(text, `has ${all} rows, and ${found} in its groups`);
}

interface Counted {
  num_rows: bigint;
  row_groups: readonly { num_rows: bigint }[];
}

/** Milliseconds instead of dates. */
const PARSERS = {
  timestampFromMilliseconds: (ms: bigint) => Number(ms),
  timestampFromMicroseconds: (us: bigint) => Number(us / 1000n),
  timestampFromNanoseconds: (ns: bigint) => Number(ns / 1_000_000n),
};

async function readable<T>(text: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw brokenInventory(text, `cannot be read as Parquet: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function* rowsOf(columns: Map<string, ArrayLike<unknown>[]>, count: number, text: string): Generator<InventoryRow[]> {
  const cursors = [...columns].map(([name, chunks]) => ({ name: columnName(name), next: valuesOf(chunks) }));
  for (let from = 0; from < count; from += BATCH) {
    const batch: InventoryRow[] = [];
    for (let i = from; i < Math.min(count, from + BATCH); i++) {
      const row: InventoryRow = { key: '' };
      for (const { name, next } of cursors) {
        const value = next();
        if (value !== undefined && value !== null && !set(row, name, value)) {
          throw brokenInventory(text, `has ${String(value).slice(0, 100)} as a ${name}`);
        }
      }
      if (row.key === '') throw brokenInventory(text, 'has a row without a key');
      batch.push(row);
    }
    yield batch;
  }
}

function valuesOf(chunks: readonly ArrayLike<unknown>[]): () => unknown {
  let chunk = 0;
  let index = 0;
  return () => {
    for (;;) {
      const values = chunks[chunk];
      if (!values || index < values.length) return values?.[index++];
      chunk++;
      index = 0;
    }
  };
}

/** @returns false if the value does not suit the column */
function set(row: InventoryRow, name: string, value: unknown): boolean {
  switch (name) {
    case 'key':
    case 'bucket':
    case 'versionid':
    case 'etag':
    case 'storageclass':
    case 'encryptionstatus':
    case 'intelligenttieringaccesstier':
    case 'objecttype':
    case 'crc64':
      if (typeof value !== 'string') return false;
      row[name] = name === 'etag' ? value.replaceAll('"', '') : value;
      return true;
    case 'islatest':
    case 'isdeletemarker':
      if (typeof value !== 'boolean') return false;
      row[name] = value;
      return true;
    case 'size':
      row.size = Number(value);
      return Number.isSafeInteger(row.size) && row.size >= 0;
    default:
      row.lastmodifieddate = value instanceof Date ? value.getTime() : Number(value);
      return Number.isFinite(row.lastmodifieddate);
  }
}
