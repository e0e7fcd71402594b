-- A manifest as format 1 wrote it. Never change this file: it stands for the manifests that people have.
CREATE TABLE pair (
  side TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  bucket TEXT NOT NULL,
  prefix TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE object (
  key TEXT PRIMARY KEY COLLATE BINARY,
  size INTEGER NOT NULL,
  source_etag TEXT NOT NULL,
  source_mtime_ms REAL NOT NULL,
  dest_etag TEXT NOT NULL,
  verified_by TEXT NOT NULL,
  ours INTEGER NOT NULL,
  at_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE upload (
  key TEXT PRIMARY KEY COLLATE BINARY,
  upload_id TEXT NOT NULL,
  source_etag TEXT NOT NULL,
  size INTEGER NOT NULL,
  part_size INTEGER NOT NULL,
  created_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE part (
  key TEXT NOT NULL COLLATE BINARY,
  part_number INTEGER NOT NULL,
  size INTEGER NOT NULL,
  etag TEXT NOT NULL,
  md5 TEXT,
  crc64ecma TEXT,
  PRIMARY KEY (key, part_number)
) WITHOUT ROWID;

CREATE TABLE failure (
  key TEXT PRIMARY KEY COLLATE BINARY,
  size INTEGER NOT NULL,
  source_etag TEXT NOT NULL,
  class TEXT NOT NULL,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE fact (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

INSERT INTO pair VALUES
  ('dest', 'oss', 'https://oss-cn-hangzhou.aliyuncs.com', 'photos-cn', ''),
  ('source', 's3', 'https://s3.us-east-1.amazonaws.com', 'photos', 'raw/');
INSERT INTO object VALUES
  ('k', 5, '5d41402abc4b2a76b9719d911017c592', 1700000000123.0, '5D41402ABC4B2A76B9719D911017C592', 'md5', 1, 1700000001000);
INSERT INTO upload VALUES ('big', 'u1', 'e1', 20, 10, 7);
INSERT INTO part VALUES ('big', 1, 10, 'p1', NULL, '7');
INSERT INTO failure VALUES ('bad', 5, 'e', 'temporary', 'network', 'connection reset', 3, 100, 300);
INSERT INTO fact VALUES ('ordered', 'no');

PRAGMA application_id = 2020833646;
PRAGMA user_version = 1;
