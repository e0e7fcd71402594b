import { describe, expect, test } from 'vitest';
import { entryOf, type InventoryRow, isHidden, missingColumns } from '../../src/inventory/rows.js';

const MD5 = '0123456789ABCDEF0123456789abcdef';
const ROW: InventoryRow = { key: 'k', size: 3, etag: MD5, lastmodifieddate: 5 };
const HINT = { etagHint: MD5.toLowerCase() };
const PLAIN = { key: 'k', size: 3, etag: MD5, mtimeMs: 5 };

describe('entryOf', () => {
  test.each<[string, InventoryRow, object]>([
    ['of the usual class', { ...ROW, storageclass: 'STANDARD' }, { ...PLAIN, checksums: HINT }],
    [
      'of another class',
      { ...ROW, storageclass: 'STANDARD_IA' },
      { ...PLAIN, storageClass: 'STANDARD_IA', checksums: HINT },
    ],
    ['encrypted with KMS', { ...ROW, encryptionstatus: 'SSE-KMS' }, PLAIN],
    ['encrypted by OSS', { ...ROW, encryptionstatus: 'true' }, PLAIN],
    ['not encrypted', { ...ROW, encryptionstatus: 'NOT-SSE' }, { ...PLAIN, checksums: HINT }],
    [
      'uploaded in parts',
      { ...ROW, etag: `${MD5}-2` },
      { ...PLAIN, etag: `${MD5}-2`, checksums: { etagHint: `${MD5.toLowerCase()}-2` } },
    ],
    ['of OSS, in parts', { ...ROW, objecttype: 'Multipart', crc64: '7' }, { ...PLAIN, checksums: { crc64ecma: '7' } }],
    ['a link of OSS', { ...ROW, objecttype: 'Symlink' }, { ...PLAIN, size: 0, special: 'symlink' }],
    ['appendable', { ...ROW, objecttype: 'Appendable' }, { ...PLAIN, special: 'appendable' }],
  ])('%s', (_name, row, entry) => {
    expect(entryOf(row, 'STANDARD')).toEqual(entry);
  });

  test.each<[InventoryRow, string | undefined, string | undefined]>([
    [{ ...ROW, storageclass: 'GLACIER' }, 'archived', undefined],
    [{ ...ROW, storageclass: 'GLACIER_IR' }, undefined, undefined],
    [{ ...ROW, storageclass: 'DEEP_ARCHIVE' }, 'archived', undefined],
    [{ ...ROW, storageclass: 'ColdArchive' }, 'archived', 'frozen'],
    [{ ...ROW, storageclass: 'INTELLIGENT_TIERING', intelligenttieringaccesstier: 'ARCHIVE' }, 'archived', 'frozen'],
    [{ ...ROW, intelligenttieringaccesstier: 'ARCHIVE_INSTANT_ACCESS' }, undefined, undefined],
  ])('%j', (row, special, archive) => {
    const entry = entryOf(row, 'STANDARD');
    expect([entry.special, entry.archive]).toEqual([special, archive]);
  });
});

test('only current versions that are no delete markers count', () => {
  expect(
    [{}, { islatest: true }, { islatest: false }, { islatest: true, isdeletemarker: true }].map((row) =>
      isHidden({ ...ROW, ...row }),
    ),
  ).toEqual([false, false, true, true]);
});

test('the columns that a listing would have', () => {
  expect(missingColumns(['bucket', 'key', 'etag'])).toEqual(['Size', 'LastModifiedDate']);
});
