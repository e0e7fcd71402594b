/**
 * The manifest.json of an inventory: of S3 (docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html)
 * and of OSS (help.aliyun.com/en/oss/user-guide/bucket-inventory), which has the same form.
 * Tests: test/inventory/manifest.test.ts
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { XsyncError } from '../model/error.js';
import { brokenInventory } from './errors.js';

export interface InventoryFile {
  /** Full key in the bucket that has the inventory. */
  key: string;
  /** Bytes. */
  size: number;
  /** Hexadecimal, in lower case. */
  md5: string;
}

export interface InventoryManifest {
  /** The bucket that was listed. */
  bucket: string;
  /** When the service began to scan the bucket, ms since 1970. */
  takenMs: number;
  format: 'csv' | 'parquet';
  /** Of a CSV, in order, as `columnName` spells them. Parquet files have their own. */
  columns: readonly string[];
  files: readonly InventoryFile[];
}

const SCHEMA = z.object({
  sourceBucket: z.string().min(1),
  fileFormat: z.string(),
  fileSchema: z.string(),
  creationTimestamp: z.union([z.string().regex(/^\d{9,15}$/), z.number().int().positive()]),
  files: z.array(
    z.object({
      key: z.string().min(1),
      size: z.number().int().nonnegative(),
      MD5checksum: z.string().regex(/^[0-9a-fA-F]{32}$/),
    }),
  ),
});

/** S3 counts milliseconds, and OSS seconds. */
const MOST_SECONDS = 1e11;

/**
 * @param text names the manifest in errors
 * @throws config: damaged, or of an unknown form; unsupported: in ORC
 */
export function parseManifest(body: Uint8Array, checksum: Uint8Array, text: string): InventoryManifest {
  const md5 = createHash('md5').update(body).digest('hex');
  const expected = Buffer.from(checksum).toString('latin1').trim().toLowerCase();
  if (md5 !== expected) throw brokenInventory(text, 'does not have the MD5 that manifest.checksum names');
  const { success, data, error } = SCHEMA.safeParse(parsed(body, text));
  if (!success) {
    const { path, message } = error.issues[0] ?? { path: [], message: 'is not valid' };
    throw brokenInventory(text, `is no manifest of an inventory that xsync knows (${path.join('.')}: ${message})`);
  }
  const timestamp = Number(data.creationTimestamp);
  return {
    bucket: data.sourceBucket.replace(/^.*:::/, ''),
    takenMs: timestamp < MOST_SECONDS ? timestamp * 1000 : timestamp,
    ...formatOf(data, text),
    files: data.files.map(({ key, size, MD5checksum }) => ({ key, size, md5: MD5checksum.toLowerCase() })),
  };
}

function parsed(body: Uint8Array, text: string): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    throw brokenInventory(text, 'is not JSON');
  }
}

function formatOf(
  { fileFormat, fileSchema }: { fileFormat: string; fileSchema: string },
  text: string,
): Pick<InventoryManifest, 'format' | 'columns'> {
  const format = fileFormat.toLowerCase();
  if (format === 'parquet') return { format, columns: [] };
  if (format === 'csv') {
    const columns = fileSchema.split(',').map((name) => columnName(name.trim()));
    if (!columns.includes('key')) throw brokenInventory(text, `has no column for keys (fileSchema: ${fileSchema})`);
    return { format, columns };
  }
  const what =
    format === 'orc' ? 'is in the format ORC, which xsync does not read' : `is in an unknown format, ${fileFormat}`;
  throw new XsyncError('unsupported', `the inventory ${text} ${what}`, {
    subject: text,
    remedy: 'Configure the inventory with the format CSV or Parquet.',
  });
}

/** CSV and Parquet spell the same names differently: `LastModifiedDate`, `last_modified_date`. */
export function columnName(name: string): string {
  return name.toLowerCase().replaceAll('_', '');
}
