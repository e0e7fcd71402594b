/**
 * Measures a big manifest on generated rows: bytes on disk, opening it, what a pass reads and writes, and what counting
 * its rows costs. Leaves nothing behind.
 * `npx tsx bench/manifest.ts --rows 1000000 --folder /var/tmp`
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Manifest, ManifestRow, PairIdentity } from '../src/manifest/port.js';
import { openManifest } from '../src/manifest/sqlite/open.js';
import { optionsFrom } from './arguments.js';

const values = optionsFrom(import.meta.url, {
  options: {
    rows: { type: 'string', default: '1000000' },
    /** Where the file is written, and removed. About 200 bytes a row. */
    folder: { type: 'string', default: tmpdir() },
  },
});
const PAIR: PairIdentity = {
  source: { kind: 's3', endpoint: 'https://s3.us-east-1.amazonaws.com', bucket: 'source', prefix: '' },
  dest: { kind: 'oss', endpoint: 'https://oss-cn-shanghai.aliyuncs.com', bucket: 'destination', prefix: '' },
};
const BATCH = 1000;
const rows = Number(values.rows);
const folder = mkdtempSync(join(values.folder, 'xsync-manifest-'));
const file = join(folder, 'pair.db');

/** Keys in byte order, as a listing gives them: 40 bytes, in folders of 10,000. */
function row(n: number, atMs: number): ManifestRow {
  const etag = ((n * 2654435761) >>> 0).toString(16).padStart(8, '0').repeat(4);
  return {
    key: `images/${String(Math.floor(n / 10_000)).padStart(8, '0')}/photo-${String(n).padStart(12, '0')}.jpg`,
    ...{ size: 20_000 + (n % 230_000), sourceEtag: etag, sourceMtimeMs: 1_700_000_000_000 + n * 1000, destEtag: etag },
    ...{ verifiedBy: 'md5', ours: true, atMs },
  };
}

function measured<T>(what: string, work: () => T, per = 0): T {
  const cpu = process.cpuUsage();
  const since = performance.now();
  const result = work();
  const { user, system } = process.cpuUsage(cpu);
  const [cpuS, wallS] = [(user + system) / 1e6, (performance.now() - since) / 1000];
  const each = per > 0 ? `, ${((cpuS / per) * 1e6).toFixed(2)} CPU s a million` : '';
  const rss = Math.round(process.memoryUsage.rss() / 2 ** 20);
  console.log(`${what}: ${cpuS.toFixed(2)} CPU s, ${wallS.toFixed(2)} s${each}; ${rss} MiB resident`);
  return result;
}

function onDisk(): string {
  const sizes = readdirSync(folder).map(
    (name) => `${name} ${(statSync(join(folder, name)).size / 2 ** 20).toFixed(0)} MiB`,
  );
  return sizes.join(', ');
}

function fill(manifest: Manifest): void {
  for (let n = 0; n < rows; n += BATCH) {
    manifest.commit(Array.from({ length: Math.min(BATCH, rows - n) }, (_, i) => row(n + i, 1_750_000_000_000)));
  }
}

function pass(manifest: Manifest): number {
  let seen = 0;
  for (let after: string | undefined; ; ) {
    const page = manifest.page(after, BATCH);
    seen += page.length;
    after = page.at(-1)?.key;
    if (after === undefined) return seen;
  }
}

/** A hundred thousand keys in no order, as change events name them. */
function scattered(): number[] {
  return Array.from({ length: 100_000 }, (_, i) => (i * 7_368_787_291) % rows);
}

try {
  let manifest = openManifest(file, PAIR);
  measured(`writing ${rows} rows in order`, () => fill(manifest), rows);
  console.log(`on disk while open: ${onDisk()}`);
  measured('closing', () => manifest.close());
  console.log(`on disk: ${onDisk()}; ${(statSync(file).size / rows).toFixed(0)} bytes a row`);
  manifest = measured('opening', () => openManifest(file, PAIR));
  measured('counting the rows', () => manifest.count());
  measured('counting the rows again', () => manifest.count());
  measured('reading every row in order (a pass)', () => pass(manifest), rows);
  measured('reading 100,000 rows in no order', () => scattered().map((n) => manifest.get(row(n, 0).key)), 100_000);
  measured(
    'writing 100,000 rows in no order',
    () => {
      const keys = scattered();
      for (let i = 0; i < keys.length; i += BATCH) manifest.commit(keys.slice(i, i + BATCH).map((n) => row(n, 1)));
    },
    100_000,
  );
  measured('finding where to split (8 quantiles of 100,000 rows)', () => {
    for (let i = 0, after: string | undefined; i < 8; i++) after = manifest.quantile(after, 100_000)?.last;
  });
  measured(
    'intending and committing 100,000 new rows',
    () => {
      for (let n = rows; n < rows + 100_000; n += BATCH) {
        const more = Array.from({ length: BATCH }, (_, i) => row(n + i, 2));
        manifest.intend(more.map(({ key, atMs }) => ({ key, destEtag: '', atMs })));
        manifest.commit(more);
      }
    },
    100_000,
  );
  console.log(`on disk while open: ${onDisk()}`);
  measured('closing', () => manifest.close());
} finally {
  rmSync(folder, { recursive: true, force: true });
}
