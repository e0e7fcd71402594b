/** The files were written by pyarrow (fixtures/make.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openParquet } from '../../src/inventory/parquet.js';
import type { InventoryRow } from '../../src/inventory/rows.js';

const body = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'fixtures', `${name}.parquet`));

function opened(bytes: Buffer) {
  const slice = async (start: number, end?: number): Promise<ArrayBuffer> => {
    const part = new Uint8Array(bytes.subarray(start, end));
    return part.buffer.slice(part.byteOffset, part.byteOffset + part.byteLength);
  };
  return openParquet({ byteLength: bytes.byteLength, slice }, 'x.parquet');
}

async function rowsOf(bytes: Buffer): Promise<InventoryRow[]> {
  const rows: InventoryRow[] = [];
  for await (const some of (await opened(bytes)).rows()) rows.push(...some);
  return rows;
}

const KEYS = ['a b+c%20', 'ü/1', 'z', '～', '😀'];

describe('openParquet', () => {
  test.each(['snappy', 'gzip', 'zstd', 'int96'])('%s', async (name) => {
    const rows = await rowsOf(body(name));
    expect(rows.map(({ key }) => key)).toEqual(KEYS);
    const lastmodifieddate = Date.UTC(2026, 0, 2, 3, 4, 5);
    expect(rows[4]).toEqual({
      ...{ bucket: 'bucket', key: '😀', versionid: 'v5', islatest: true, isdeletemarker: false, size: 5 * 2 ** 40 },
      ...{ lastmodifieddate, etag: `${'4'.repeat(32)}-9`, storageclass: 'STANDARD_IA', encryptionstatus: 'SSE-KMS' },
    });
    expect(rows[2]).toEqual({
      ...{ bucket: 'bucket', key: 'z', versionid: 'v3', islatest: true, isdeletemarker: true, lastmodifieddate },
    });
  });

  test('names the columns that are there', async () => {
    expect((await opened(body('keys-only'))).columns).toEqual(['bucket', 'key']);
  });

  test.each<[string, Buffer]>([
    ['another format', Buffer.from('x'.repeat(100))],
    ['a file that is cut off', body('gzip').subarray(0, -20)],
    ['a file without its middle', Buffer.concat([body('gzip').subarray(0, 40), body('gzip').subarray(200)])],
    // Single bytes of the footer. Each of these files lost rows without a word.
    ...(
      [
        [3803, 0],
        [5690, 0],
        [5857, 0],
        [5863, 39],
      ] as const
    ).map(([at, value]) => {
      const bytes = Buffer.from(body('snappy'));
      bytes[at] = value;
      return [`${value} at ${at}`, bytes] as [string, Buffer];
    }),
  ])('refuses %s', async (_name, bytes) => {
    await expect(rowsOf(bytes)).rejects.toMatchObject({ code: 'config' });
  });
});
