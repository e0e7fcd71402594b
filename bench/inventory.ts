/**
 * Measures reading an inventory on generated rows: CPU time a million rows and peak memory, for CSV and for sorting in the
 * manifest's spool. A Parquet file is read if one is given (test/inventory/fixtures/make.py shows how to write one).
 * `npx tsx bench/inventory.ts --rows 1000000 --files 4`
 */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { fromSpool, toSpool } from '../src/engine/list/list.js';
import { inventoryEntries } from '../src/inventory/inventory.js';
import { type InventoryManifest, parseManifest } from '../src/inventory/manifest.js';
import { SqliteSpool } from '../src/manifest/sqlite/spool.js';
import { MemoryStore } from '../src/store/memory/store.js';
import { optionsFrom } from './arguments.js';

const values = optionsFrom(import.meta.url, {
  options: {
    rows: { type: 'string', default: '1000000' },
    files: { type: 'string', default: '4' },
    /** Read instead of generated CSV. */
    parquet: { type: 'string' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'xsync-inventory-'));
const store = new MemoryStore({ bucket: 'reports' });
const md5 = (body: Uint8Array): string => createHash('md5').update(body).digest('hex');
const COLUMNS =
  'Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass, EncryptionStatus';

/** Rows of one file, in the order of keys; the files interleave. */
function csv(file: number): Buffer {
  const [rows, files] = [Number(values.rows), Number(values.files)];
  const lines: string[] = [];
  for (let n = file; n < rows; n += files) {
    const etag = md5(Buffer.from(String(n)));
    const key = `images/${String(Math.floor(n / 10_000)).padStart(8, '0')}/photo+${String(n).padStart(12, '0')}.jpg`;
    const rest = `"${20_000 + (n % 230_000)}","2026-01-02T03:04:05.000Z","${etag}","STANDARD","SSE-S3"`;
    lines.push(`"source","${key}","","true","false",${rest}\n`);
  }
  return gzipSync(lines.join(''), { level: 6 });
}

function stored(): Promise<InventoryManifest> {
  const given = values.parquet;
  const bodies = given
    ? [{ name: basename(given), body: readFileSync(given) }]
    : Array.from({ length: Number(values.files) }, (_, n) => ({ name: `${n}.csv.gz`, body: csv(n) }));
  const files = bodies.map(({ name, body }) => ({ key: name, size: body.byteLength, MD5checksum: md5(body) }));
  const manifest = { sourceBucket: 'source', fileFormat: given ? 'Parquet' : 'CSV', fileSchema: COLUMNS, files };
  const text = Buffer.from(JSON.stringify({ ...manifest, creationTimestamp: String(Date.now()) }));
  const parsed = parseManifest(text, Buffer.from(md5(text)), 'generated');
  return Promise.all(bodies.map(({ name, body }) => store.put(name, body))).then(() => parsed);
}

async function measured(what: string, work: () => Promise<number>): Promise<void> {
  const cpu = process.cpuUsage();
  const since = performance.now();
  const rows = await work();
  const { user, system } = process.cpuUsage(cpu);
  const [cpuS, wallS] = [(user + system) / 1e6, (performance.now() - since) / 1000];
  const each = ((cpuS / rows) * 1e6).toFixed(2);
  const peak = Math.round(process.resourceUsage().maxRSS / 1024);
  console.log(`${what}: ${rows} rows, ${each} CPU s a million, ${Math.round(rows / wallS)} rows/s; peak ${peak} MiB`);
}

try {
  mkdirSync(folder, { recursive: true });
  const manifest = await stored();
  const bytes = manifest.files.reduce((sum, { size }) => sum + size, 0);
  console.log(`${manifest.files.length} files, ${(bytes / 2 ** 20).toFixed(1)} MiB`);
  const reading = {
    store,
    manifest,
    keyOf: ({ key }: { key: string }) => key,
    text: 'generated',
    usualClass: 'STANDARD',
  };
  const { signal } = new AbortController();
  const parse = async (): Promise<number> => {
    let rows = 0;
    for await (const entries of inventoryEntries(reading, signal)) rows += entries.length;
    return rows;
  };
  await measured('parsed', parse);
  await measured('parsed again', parse);
  await measured('parsed and sorted', async () => {
    const spool = new SqliteSpool(join(folder, 'spool'));
    for await (const entries of inventoryEntries(reading, signal)) toSpool(spool, entries);
    let rows = 0;
    for (const entries of fromSpool(spool)) rows += entries.length;
    spool.dispose();
    return rows;
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
