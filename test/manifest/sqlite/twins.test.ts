/** Rows found by content: by the size and ETag of the source's object, or by the checksum of a file. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Manifest, ManifestRow } from '../../../src/manifest/port.js';
import { openManifest } from '../../../src/manifest/sqlite/open.js';

const PLACE = { kind: 's3', endpoint: 'https://a', bucket: 'b', prefix: '' };
const PAIR = { source: PLACE, dest: { ...PLACE, bucket: 'c' } };
const MD5 = 'md5:00000000000000000000000000000001';

let folder: string;
let manifest: Manifest;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'xsync-twins-'));
  manifest = openManifest(join(folder, 'm.db'), PAIR);
});
afterEach(async () => {
  manifest.close();
  await rm(folder, { recursive: true });
});

function row(key: string, more: Partial<ManifestRow> = {}): ManifestRow {
  const etags = { sourceEtag: 'e', destEtag: `at-${key}` };
  return { key, size: 10, ...etags, sourceMtimeMs: 1, verifiedBy: 'md5', ours: true, atMs: 1, ...more };
}

test('finds a row of the same size and ETag', () => {
  manifest.commit([row('a'), row('b', { sourceEtag: 'f' }), row('c', { size: 11 })]);

  expect(manifest.twins.ofSource(10, 'f')).toEqual({ key: 'b', sourceEtag: 'f', destEtag: 'at-b' });
  expect(manifest.twins.ofSource(11, 'e')).toEqual({ key: 'c', sourceEtag: 'e', destEtag: 'at-c' });
  expect(manifest.twins.ofSource(11, 'f')).toBeUndefined();
  expect(manifest.twins.ofDest(10, 'at-b')?.key).toBe('b');
  expect(manifest.twins.ofDest(11, 'at-b')).toBeUndefined();
});

test.each(['size', 'none', 'link'] as const)('a row that only says %s proves nothing', (verifiedBy) => {
  manifest.commit([row('a', { verifiedBy, content: MD5 })]);

  expect(manifest.twins.ofSource(10, 'e')).toBeUndefined();
  expect(manifest.twins.ofContent(10, MD5)).toBeUndefined();
});

test('finds a row of the same size and checksum', () => {
  manifest.commit([row('a'), row('b', { content: MD5 })]);

  expect(manifest.twins.someContent(10)).toBe(MD5);
  expect(manifest.twins.someContent(11)).toBeUndefined();
  expect(manifest.twins.ofContent(10, MD5)).toEqual({ key: 'b', sourceEtag: 'e', destEtag: 'at-b', content: MD5 });
  expect(manifest.twins.ofContent(11, MD5)).toBeUndefined();
});

test('a look-up searches an index, which only its first use builds', () => {
  const db = new Database(manifest.path);
  const indexes = () =>
    db.prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'object'").pluck().all();
  expect(indexes()).toEqual([]);

  manifest.twins.ofSource(10, 'e');
  expect(indexes()).toEqual(['object_by_source']);
  manifest.twins.someContent(10);
  expect(indexes()).toEqual(['object_by_source', 'object_by_content']);

  const plan = (where: string) =>
    db
      .prepare(`EXPLAIN QUERY PLAN SELECT key FROM object WHERE ${where}`)
      .all()
      .map((step) => Object(step).detail);
  expect(plan("size = 1 AND source_etag = ''")).toEqual([expect.stringContaining('object_by_source')]);
  expect(plan("size = 1 AND content = ''")).toEqual([expect.stringContaining('object_by_content')]);
  db.close();
});
