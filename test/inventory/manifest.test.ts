import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseManifest } from '../../src/inventory/manifest.js';

const MD5 = 'F77449179760C3B13F1E76110F070123';
const FILE = { key: 'p/b/i/data/x.csv.gz', size: 2046, MD5checksum: MD5 };

function parse(manifest: object | string) {
  const body = Buffer.from(typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
  const checksum = createHash('md5').update(body).digest('hex').toUpperCase();
  return parseManifest(body, Buffer.from(`${checksum}\n`), 'lab:m/manifest.json');
}

/** The example of https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html */
const S3 = {
  sourceBucket: 'b',
  destinationBucket: 'arn:aws:s3:::d',
  version: '2016-11-30',
  creationTimestamp: '1514944800000',
  fileFormat: 'CSV',
  fileSchema: 'Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag',
  files: [FILE],
};

/** That of https://help.aliyun.com/en/oss/user-guide/bucket-inventory */
const OSS = {
  creationTimestamp: '1642994594',
  destinationBucket: 'd',
  fileFormat: 'CSV',
  fileSchema: 'Bucket, Key, Size, StorageClass, LastModifiedDate, ETag, ObjectType, Crc64',
  files: [FILE],
  sourceBucket: 'b',
  version: '2019-09-01',
};

describe('parseManifest', () => {
  test('of S3', () => {
    expect(parse(S3)).toEqual({
      ...{ bucket: 'b', takenMs: 1514944800000, format: 'csv' },
      columns: ['bucket', 'key', 'versionid', 'islatest', 'isdeletemarker', 'size', 'lastmodifieddate', 'etag'],
      files: [{ key: FILE.key, size: 2046, md5: MD5.toLowerCase() }],
    });
  });

  test('of OSS, whose time is in seconds', () => {
    const columns = ['bucket', 'key', 'size', 'storageclass', 'lastmodifieddate', 'etag', 'objecttype', 'crc64'];
    expect(parse(OSS)).toMatchObject({ bucket: 'b', takenMs: 1642994594000, format: 'csv', columns });
  });

  test('of Parquet, whose schema is in its files', () => {
    const fileSchema = 'message s3.inventory { required binary bucket (UTF8); }';
    expect(parse({ ...S3, fileFormat: 'Parquet', fileSchema })).toMatchObject({ format: 'parquet', columns: [] });
  });

  test.each<[string, object | string, string]>([
    ['no JSON', '{', 'config'],
    ['an array', [], 'config'],
    ['no files', { ...S3, files: undefined }, 'config'],
    ['a file without an MD5', { ...S3, files: [{ key: 'x', size: 1 }] }, 'config'],
    ['a time that is none', { ...S3, creationTimestamp: 'today' }, 'config'],
    ['ORC', { ...S3, fileFormat: 'ORC' }, 'unsupported'],
    ['another format', { ...S3, fileFormat: 'Avro' }, 'unsupported'],
  ])('refuses %s', (_name, manifest, code) => {
    expect(() => parse(manifest)).toThrow(expect.objectContaining({ code }));
  });
});
