/**
 * Reads the CSV of an inventory. Keys are URL-encoded, so that no field has a comma, a quote or a line feed unless another
 * program has written the file; that is read, too.
 * Tests: test/inventory/csv.test.ts
 */
import { StringDecoder } from 'node:string_decoder';
import { brokenInventory } from './errors.js';
import type { InventoryRow } from './rows.js';

/** A record has a key of 1,024 bytes, encoded in three times as many, and some short fields. */
const LONGEST_RECORD = 64 * 1024;

/** The records of a CSV, some at a time. @param text names the file in errors. @throws config */
export async function* csvRecords(pieces: AsyncIterable<Uint8Array>, text: string): AsyncGenerator<string[][]> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let isStart = true;
  for await (const piece of pieces) {
    const decoded = decoder.write(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
    // Spreadsheets begin a file with a byte order mark.
    const lines = (rest + (isStart ? decoded.replace(/^\ufeff/, '') : decoded)).split('\n');
    isStart &&= decoded === '';
    rest = lines.pop() ?? '';
    const records: string[][] = [];
    let begun = '';
    for (const line of lines) {
      const whole = begun === '' ? line : `${begun}\n${line}`;
      refuseLong(whole, text);
      begun = isOpen(whole) ? whole : '';
      if (begun === '' && whole !== '' && whole !== '\r') records.push(fieldsOf(whole));
    }
    if (begun !== '') rest = `${begun}\n${rest}`;
    refuseLong(rest, text);
    if (records.length > 0) yield records;
  }
  rest += decoder.end();
  if (isOpen(rest)) throw brokenInventory(text, 'ends within a quoted field');
  if (rest.trim() !== '') yield [fieldsOf(rest)];
}

/** @throws config */
function refuseLong(record: string, text: string): void {
  if (record.length <= LONGEST_RECORD) return;
  throw brokenInventory(text, `has a record of more than ${LONGEST_RECORD} characters`);
}

/** Within quotes at its end: the line feed belongs to a field. */
function isOpen(text: string): boolean {
  // As the services write it, a line ends with a quote; the quotes of others are counted.
  if (text.startsWith('"') && text.endsWith('"') && !text.includes('""')) return false;
  let quotes = 0;
  for (let i = text.indexOf('"'); i >= 0; i = text.indexOf('"', i + 1)) quotes++;
  return quotes % 2 === 1;
}

function fieldsOf(line: string): string[] {
  const end = line.endsWith('\r') ? line.length - 1 : line.length;
  if (line[0] === '"' && line[end - 1] === '"') {
    const inner = line.slice(1, end - 1);
    const fields = inner.split('","');
    // As many quotes as the separators have: none is inside a field.
    if (!fields.some((field) => field.includes('"'))) return fields;
  }
  return slowFieldsOf(line.slice(0, end));
}

function slowFieldsOf(line: string): string[] {
  const fields: string[] = [];
  for (let i = 0; i <= line.length; ) {
    if (line[i] !== '"') {
      const comma = line.indexOf(',', i);
      const end = comma < 0 ? line.length : comma;
      fields.push(line.slice(i, end));
      i = end + 1;
      continue;
    }
    let end = line.indexOf('"', i + 1);
    while (end >= 0 && line[end + 1] === '"') end = line.indexOf('"', end + 2);
    if (end < 0) end = line.length;
    fields.push(line.slice(i + 1, end).replaceAll('""', '"'));
    i = end + 2;
  }
  return fields;
}

/** Reads the fields of a record; `columns` as in `InventoryManifest`. */
export function csvRowReader(columns: readonly string[], text: string): (fields: readonly string[]) => InventoryRow {
  const places = columns.flatMap((name, index): [number, Read][] => {
    const read = READS[name];
    return read ? [[index, read]] : [];
  });
  return (fields) => {
    if (fields.length !== columns.length) {
      const message = `has a row of ${fields.length} fields, and its schema names ${columns.length}`;
      throw brokenInventory(text, message);
    }
    const row: InventoryRow = { key: '' };
    for (const [index, read] of places) {
      const field = fields[index];
      if (field && !read(row, field))
        throw brokenInventory(text, `has "${field.slice(0, 100)}" as its ${columns[index]}`);
    }
    if (row.key === '') throw brokenInventory(text, 'has a row without a key');
    return row;
  };
}

/** Sets a value of the row. @returns false if the text is none */
type Read = (row: InventoryRow, text: string) => boolean;

type Texts = {
  [K in keyof InventoryRow]-?: InventoryRow[K] extends string | undefined ? K : never;
}[keyof InventoryRow];

function textRead(name: Texts): Read {
  return (row, text) => {
    row[name] = text;
    return true;
  };
}

function booleanRead(name: 'islatest' | 'isdeletemarker'): Read {
  return (row, text) => {
    const value = text.toLowerCase();
    row[name] = value === 'true';
    return value === 'true' || value === 'false';
  };
}

const READS: Readonly<Record<string, Read>> = {
  bucket: textRead('bucket'),
  versionid: textRead('versionid'),
  etag: (row, text) => {
    row.etag = text.replaceAll('"', '');
    return true;
  },
  storageclass: textRead('storageclass'),
  encryptionstatus: textRead('encryptionstatus'),
  intelligenttieringaccesstier: textRead('intelligenttieringaccesstier'),
  objecttype: textRead('objecttype'),
  crc64: textRead('crc64'),
  islatest: booleanRead('islatest'),
  isdeletemarker: booleanRead('isdeletemarker'),
  key: (row, text) => {
    const key = decodedKey(text);
    row.key = key ?? '';
    return key !== undefined;
  },
  size: (row, text) => {
    row.size = Number(text);
    return Number.isSafeInteger(row.size) && row.size >= 0;
  },
  lastmodifieddate: (row, text) => {
    row.lastmodifieddate = Date.parse(text);
    return !Number.isNaN(row.lastmodifieddate);
  },
};

/** A space is `+` or `%20`, and a plus `%2B`. Undefined for a text that is not UTF-8. */
export function decodedKey(text: string): string | undefined {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
