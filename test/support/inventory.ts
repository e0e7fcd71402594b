/** Makes inventories as the services do: a folder of a date with the manifest, and data files beside it. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

export interface InventoryOptions {
  /** The bucket that was listed. */
  bucket: string;
  /** Of the CSV, as in fileSchema. */
  columns?: readonly string[];
  takenMs?: number;
  /** Without a slash at its end. */
  folder?: string;
  /** Replaces what the manifest has. */
  manifest?: Record<string, unknown>;
  /** Data files that are not CSV. */
  data?: readonly { name: string; body: Buffer }[];
}

export const USUAL = ['Bucket', 'Key', 'Size', 'LastModifiedDate', 'ETag', 'StorageClass'] as const;
export const CONFIGURED = 'reports/source/daily';

/** One CSV file for each list of rows. @returns the files of the inventory, by key */
export function inventoryFiles(
  rows: readonly (readonly (readonly string[])[])[],
  { bucket, columns = USUAL, takenMs = Date.now(), folder = CONFIGURED, manifest, data }: InventoryOptions,
): Map<string, Buffer> {
  const csv = rows.map((records, n) => ({ name: `part-${n}.csv.gz`, body: gzipSync(records.map(recordOf).join('')) }));
  const files = (data ?? csv).map(({ name, body }) => ({ key: `${folder}/data/${name}`, body }));
  const date = `${new Date(takenMs).toISOString().slice(0, 16).replace(':', '-')}Z`;
  const body = JSON.stringify({
    sourceBucket: bucket,
    destinationBucket: 'arn:aws:s3:::reports',
    version: '2016-11-30',
    creationTimestamp: String(takenMs),
    fileFormat: data ? 'Parquet' : 'CSV',
    fileSchema: columns.join(', '),
    files: files.map(({ key, body }) => ({ key, size: body.byteLength, MD5checksum: md5(body) })),
    ...manifest,
  });
  return new Map([
    ...files.map(({ key, body }): [string, Buffer] => [key, body]),
    [`${folder}/${date}/manifest.json`, Buffer.from(body)],
    [`${folder}/${date}/manifest.checksum`, Buffer.from(md5(body))],
  ]);
}

/** As in a URL, with a space as `+`. */
export function encodedKey(key: string): string {
  return encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/');
}

function recordOf(fields: readonly string[]): string {
  return `${fields.map((field) => `"${field}"`).join(',')}\n`;
}

function md5(body: Buffer | string): string {
  return createHash('md5').update(body).digest('hex');
}
