/** --source-inventory and --dest-inventory: an inventory instead of a listing. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CONFIGURED, encodedKey, type InventoryOptions, inventoryFiles, USUAL } from '../support/inventory.js';
import { type Lab, openLab } from './lab.js';

const HOUR = 3_600_000;
const OLD = Date.UTC(2026, 0, 1);

let lab: Lab;

beforeEach(async () => {
  lab = await openLab();
  lab.server.core.s3.createBucket('copy');
  lab.server.core.s3.createBucket('reports');
});

afterEach(() => lab.close());

function put(key: string, body: string, bucket = 'bucket', mtimeMs = OLD): void {
  lab.server.core.s3.put(bucket, key, body, { mtimeMs });
}

/** What the service would list now of the keys. */
function rowsOf(keys: readonly string[], bucket = 'bucket'): string[][] {
  return keys.map((key) => {
    const object = lab.server.core.s3.get(bucket, key);
    if (!object) throw new Error(key);
    const { etag, bytes, lastModifiedMs } = object;
    return [
      bucket,
      encodedKey(key),
      String(bytes.buffer().byteLength),
      new Date(lastModifiedMs).toISOString(),
      etag,
      'STANDARD',
    ];
  });
}

function store(files: Map<string, Buffer>): void {
  for (const [key, body] of files) lab.server.core.s3.put('reports', key, body, {});
}

/** An inventory of the bucket in two files, neither of which continues the other. */
function take(keys: readonly string[], options: Partial<InventoryOptions> = {}, bucket = 'bucket'): void {
  const rows = rowsOf(keys, bucket);
  const half = rows.length / 2;
  store(inventoryFiles([rows.slice(half), rows.slice(0, half)], { bucket, ...options }));
}

const INVENTORY = `lab:reports/${CONFIGURED}`;
const keysOf = (bucket: string): string[] => lab.server.core.s3.list(bucket).map(({ key }) => key);
const KEYS = ['a b+c', 'ü/1', 'z', '～', '😀'];
const sent = (kind: 'ListObjects' | 'HeadObject' | 'GetObject' | 'PutObject' | 'CopyObject', bucket: string): number =>
  lab.server.requests.count(kind, { bucket });
const from = (...more: string[]): string[] => ['lab:bucket', 'lab:copy', '--source-inventory', INVENTORY, ...more];

describe('--source-inventory', () => {
  it('copies what the inventory lists, and never lists the source', async () => {
    for (const key of KEYS) put(key, `body of ${key}`);
    take(KEYS, { takenMs: Date.now() - 22 * HOUR });
    const { code, err } = await lab.xsync('copy', ...from());
    expect(err).toMatch(
      /manifest\.json was made 22 hours ago, at \S+Z; what has changed since is left to a run that lists lab:bucket/,
    );
    expect(code).toBe(0);
    expect(keysOf('copy')).toEqual(keysOf('bucket'));
    expect([sent('ListObjects', 'bucket'), sent('CopyObject', 'copy')]).toEqual([0, KEYS.length]);
    lab.server.requests.reset();
    expect((await lab.xsync('copy', ...from())).code).toBe(0);
    expect([sent('CopyObject', 'copy'), sent('HeadObject', 'bucket'), sent('HeadObject', 'copy')]).toEqual([0, 0, 0]);
  });

  it('of a folder on disk, with a prefix on both sides: one GET an object', async () => {
    for (const key of ['in/a', 'in/b', 'out/c']) put(key, key);
    const files = inventoryFiles([rowsOf(['in/b', 'out/c', 'in/a'])], { bucket: 'bucket', folder: 'daily' });
    for (const [key, body] of files) {
      mkdirSync(dirname(join(lab.home, key)), { recursive: true });
      writeFileSync(join(lab.home, key), body);
    }
    const target = join(lab.home, 'target');
    const inventory = join(lab.home, 'daily');
    const { code } = await lab.xsync('copy', 'lab:bucket/in/', target, '--source-inventory', inventory);
    expect(code).toBe(0);
    expect(readdirSync(target)).toEqual(['a', 'b']);
    expect(lab.server.requests.counts({ bucket: 'bucket' })).toEqual({ GetObject: 2 });
  });

  it('what has changed since is copied as it is now, and what is gone is left out', async () => {
    for (const key of ['changed', 'gone', 'same']) put(key, 'old');
    take(['changed', 'gone', 'same']);
    put('changed', 'new bytes');
    lab.server.core.s3.delete('bucket', 'gone');
    put('later', 'not in the inventory');
    const target = join(lab.home, 'target');
    const { code } = await lab.xsync('copy', 'lab:bucket', target, '--source-inventory', INVENTORY);
    expect(code).toBe(0);
    expect(readdirSync(target)).toEqual(['changed', 'same']);
    expect(readFileSync(join(target, 'changed'), 'utf8')).toBe('new bytes');
  });

  it('without sizes and ETags, each object takes a HEAD', async () => {
    for (const key of KEYS) put(key, key);
    const rows = KEYS.map((key) => ['bucket', encodedKey(key)]);
    store(inventoryFiles([rows], { bucket: 'bucket', columns: ['Bucket', 'Key'] }));
    const target = join(lab.home, 'target');
    const { code, err } = await lab.xsync('copy', 'lab:bucket', target, '--source-inventory', INVENTORY);
    expect(err).toContain('has no Size, LastModifiedDate, ETag, so each object takes a HEAD');
    expect(code).toBe(0);
    expect(lab.server.requests.counts({ bucket: 'bucket' })).toEqual({ HeadObject: 5, GetObject: 5 });
  });

  it('of Parquet', async () => {
    const keys = ['a b+c%20', 'ü/1', '～', '😀'];
    for (const key of keys) put(key, key);
    const body = readFileSync(join(import.meta.dirname, '../inventory/fixtures/gzip.parquet'));
    store(inventoryFiles([], { bucket: 'bucket', data: [{ name: 'x.parquet', body }] }));
    const target = join(lab.home, 'target');
    // By the inventory, one is archived, one is not current, and the ETags are those of other versions.
    expect((await lab.xsync('copy', 'lab:bucket', target, '--source-inventory', INVENTORY)).code).toBe(0);
    expect(readdirSync(target).sort()).toEqual(['a b+c%20', 'ü', '😀'].sort());
    expect(readFileSync(join(target, 'ü/1'), 'utf8')).toBe('ü/1');
  });

  it('of all versions, only the current ones count', async () => {
    put('kept', 'now');
    const [row = []] = rowsOf(['kept']);
    const [bucket = '', key = '', ...rest] = row;
    const columns = ['Bucket', 'Key', 'VersionId', 'IsLatest', 'IsDeleteMarker', ...USUAL.slice(2)];
    const rows = [
      [bucket, key, 'v1', 'false', 'false', '3', '2025-01-01T00:00:00.000Z', 'f'.repeat(32), 'STANDARD'],
      [bucket, key, 'v2', 'true', 'false', ...rest],
      [bucket, 'hidden', 'v3', 'true', 'true', '', '2025-01-01T00:00:00.000Z', '', ''],
    ];
    store(inventoryFiles([rows], { bucket, columns }));
    expect((await lab.xsync('copy', ...from())).code).toBe(0);
    expect(keysOf('copy')).toEqual(['kept']);
  });

  it('the newest date that has a manifest is taken', async () => {
    put('a', 'a');
    put('b', 'b');
    take(['a'], { takenMs: Date.now() - 50 * HOUR });
    take(['a', 'b'], { takenMs: Date.now() - 26 * HOUR });
    const newest = new Date(Date.now() - 2 * HOUR).toISOString().slice(0, 16).replace(':', '-');
    lab.server.core.s3.put('reports', `${CONFIGURED}/${newest}Z/note`, '', {});
    const { err } = await lab.xsync('copy', ...from());
    expect(err).toContain('made 26 hours ago');
    expect(keysOf('copy')).toEqual(['a', 'b']);
  });
});

describe('sync with --source-inventory', () => {
  it('deletes what is gone after one more look, and nothing that only the inventory lacks', async () => {
    for (const key of ['a', 'gone', 'there']) put(key, key);
    expect((await lab.xsync('sync', 'lab:bucket', 'lab:copy')).code).toBe(0);
    lab.server.core.s3.delete('bucket', 'gone');
    take(['a'], { takenMs: Date.now() + HOUR });
    put('there', 'written a moment ago', 'bucket', Date.now());
    lab.server.requests.reset();
    const { code } = await lab.xsync('sync', ...from('--max-delete', '100%'));
    expect(code).toBe(0);
    expect(keysOf('copy')).toEqual(['a', 'there']);
    expect(sent('HeadObject', 'bucket')).toBe(2);
  });

  it('deletes nothing more once an old object shows that the inventory is not of the whole source', async () => {
    for (const key of ['a', 'there']) put(key, key);
    expect((await lab.xsync('sync', 'lab:bucket', 'lab:copy')).code).toBe(0);
    take(['a'], { takenMs: Date.now() + HOUR });
    const { code, err } = await lab.xsync('sync', ...from('--max-delete', '100%'));
    expect(err).toContain('the inventory of lab:bucket left out "there", which is there');
    expect([code, keysOf('copy')]).toEqual([5, ['a', 'there']]);
  });

  it('leaves alone what was copied after the inventory was taken', async () => {
    put('a', 'a');
    take(['a'], { takenMs: Date.now() - HOUR });
    put('later', 'later');
    expect((await lab.xsync('sync', 'lab:bucket', 'lab:copy')).code).toBe(0);
    put('a', 'newer');
    expect((await lab.xsync('sync', 'lab:bucket', 'lab:copy')).code).toBe(0);
    lab.server.requests.reset();
    expect((await lab.xsync('sync', ...from())).code).toBe(0);
    expect(keysOf('copy')).toEqual(['a', 'later']);
    expect(lab.server.requests.counts({ bucket: 'bucket' })).toEqual({});
    expect(lab.server.requests.counts({ bucket: 'copy' })).toEqual({ ListObjects: 1 });
  });

  it('says nothing of the time up to which both sides are equal that the inventory does not cover', async () => {
    put('a', 'a');
    const takenMs = Date.now() - 30 * HOUR;
    take(['a'], { takenMs });
    expect((await lab.xsync('sync', ...from())).code).toBe(0);
    const { out } = await lab.xsync('status', 'lab:bucket', 'lab:copy', '--json');
    expect(JSON.parse(out).synchronised?.untilMs).toBeLessThanOrEqual(takenMs - 24 * HOUR);
  });
});

describe('--dest-inventory', () => {
  const into = (...more: string[]): string[] => ['lab:bucket', 'lab:copy', '--dest-inventory', INVENTORY, ...more];

  it('skips what is equal there, and asks before it writes', async () => {
    for (const key of ['changed', 'missing', 'same']) put(key, key);
    put('same', 'same', 'copy');
    put('changed', 'older', 'copy');
    take(['same', 'changed'], {}, 'copy');
    put('missing', 'missing', 'copy');
    const { code } = await lab.xsync('copy', ...into('--checksum'));
    expect(code).toBe(0);
    expect(lab.server.core.s3.read('copy', 'changed').toString()).toBe('changed');
    expect(sent('ListObjects', 'copy')).toBe(0);
    expect(lab.server.requests.find('CopyObject', { bucket: 'copy' }).map(({ key }) => key)).toEqual(['changed']);
    expect(lab.server.requests.find('HeadObject', { bucket: 'copy', key: 'same' })).toEqual([]);
  });

  it('--ignore-existing overwrites nothing that came after the inventory', async () => {
    put('a', 'ours');
    take([], {}, 'copy');
    put('a', 'theirs', 'copy');
    expect((await lab.xsync('copy', ...into('--ignore-existing'))).code).toBe(0);
    expect(lab.server.core.s3.read('copy', 'a').toString()).toBe('theirs');
  });

  it('sync deletes by both inventories only what is still as it was', async () => {
    for (const key of ['a', 'gone', 'rewritten']) put(key, key);
    expect((await lab.xsync('sync', 'lab:bucket', 'lab:copy')).code).toBe(0);
    take(['a', 'gone', 'rewritten'], { folder: 'dest' }, 'copy');
    for (const key of ['gone', 'rewritten']) lab.server.core.s3.delete('bucket', key);
    put('rewritten', 'by a stranger', 'copy');
    take(['a'], { takenMs: Date.now() + HOUR });
    const both = ['--dest-inventory', 'lab:reports/dest', '--max-delete', '100%'];
    expect((await lab.xsync('sync', ...from(...both))).code).toBe(0);
    expect(keysOf('copy')).toEqual(['a', 'rewritten']);
  });
});

describe('an inventory that cannot be used', () => {
  const broken = async (): Promise<string> => {
    const { code, err } = await lab.xsync('sync', ...from('--max-delete', '100%'));
    expect(code).toBe(7);
    expect([keysOf('copy'), sent('CopyObject', 'copy')]).toEqual([['old'], 0]);
    return err;
  };

  beforeEach(() => {
    for (const key of KEYS) put(key, key);
    put('old', 'old', 'copy');
  });

  const change = (end: string, body: (before: Buffer) => Buffer | undefined): void => {
    const key = keysOf('reports').find((name) => name.endsWith(end)) ?? '';
    const after = body(lab.server.core.s3.read('reports', key));
    if (after) lab.server.core.s3.put('reports', key, after, {});
    else lab.server.core.s3.delete('reports', key);
  };

  it.each<[string, string, (before: Buffer) => Buffer | undefined, RegExp]>([
    ['a data file is missing', 'part-1.csv.gz', () => undefined, /its file .*part-1\.csv\.gz is missing/],
    ['a data file is cut off', 'part-1.csv.gz', (b) => b.subarray(0, 50), /has 50 bytes, and the manifest says \d+/],
    [
      'a data file was changed',
      'part-1.csv.gz',
      (b) => Buffer.concat([b.subarray(0, -1), Buffer.from([1])]),
      /part-1\.csv\.gz (does not have the MD5 that the manifest names|cannot be unpacked)/,
    ],
    [
      'the manifest was changed',
      'manifest.json',
      (b) => Buffer.from(`${b} `),
      /does not have the MD5 that manifest\.checksum/,
    ],
  ])('%s: nothing is copied or deleted', async (_name, file, body, message) => {
    take(KEYS);
    change(file, body);
    expect(await broken()).toMatch(message);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    [
      'ORC',
      { fileFormat: 'ORC' },
      /is in the format ORC, which xsync does not read.*Configure the inventory with the format CSV or Parquet/,
    ],
    [
      'another schema',
      { files: [{ key: 'x', size: 1 }] },
      /is no manifest of an inventory that xsync knows \(files\.0\.MD5checksum/,
    ],
    ['no keys', { fileSchema: 'Bucket, Size' }, /has no column for keys/],
    ['another number of columns', { fileSchema: 'Bucket, Key' }, /has a row of 6 fields, and its schema names 2/],
    ['a size that is none', { fileSchema: 'Bucket, Key, ETag, LastModifiedDate, Size, StorageClass' }, /as its size/],
  ])('%s', async (_name, manifest, message) => {
    take(KEYS, { manifest });
    expect(await broken()).toMatch(message);
  });

  it('rows of another bucket', async () => {
    store(inventoryFiles([rowsOf(KEYS).map(([, ...row]) => ['other', ...row])], { bucket: 'bucket' }));
    expect(await broken()).toMatch(/has a row of another bucket, other/);
  });

  it.each<[string, string[], RegExp]>([
    ['of another bucket', from(), /is of the bucket other, not of lab:bucket/],
    [
      'of a folder',
      ['lab:bucket', 'lab:copy', '--source-inventory', 'lab:reports/empty'],
      /there is no inventory at lab:reports\/empty/,
    ],
    [
      'of local disk',
      ['.', 'lab:copy', '--source-inventory', INVENTORY],
      /is on local disk, and inventories are of buckets/,
    ],
    ['with --files-from', from('--files-from', '/dev/null'), /--files-from names the objects/],
    ['with --versions', from('--versions', '--dest-inventory', INVENTORY), /is compared with the destination itself/],
    ['with --delete-unchecked', from('--delete-unchecked'), /--delete-unchecked would not look/],
  ])('%s', async (_name, args, message) => {
    take(KEYS, { manifest: { sourceBucket: 'other' } });
    const { code, err } = await lab.xsync('sync', ...args);
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });
});
