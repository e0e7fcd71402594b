/**
 * The tables, as numbered migrations. Migration n converts a file from version n to n + 1 and never changes once
 * released. SQLite's `user_version` holds the version. TEXT columns compare by the BINARY collation, which is the order
 * of UTF-8 bytes. WITHOUT ROWID stores rows in key order, so that a page of keys is one sequential read.
 * Tests: test/manifest/sqlite/open.test.ts
 */
import type { Database } from 'better-sqlite3';
import { XsyncError } from '../../model/error.js';

const VERSION_1 = `
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
`;

const VERSION_2 = `
  ALTER TABLE failure ADD COLUMN source_mtime_ms REAL NOT NULL DEFAULT 0;
  ALTER TABLE failure ADD COLUMN settings TEXT NOT NULL DEFAULT '';
  ALTER TABLE failure ADD COLUMN seen_ms INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE failure ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;

  CREATE TABLE doomed (
    key TEXT PRIMARY KEY COLLATE BINARY,
    size INTEGER NOT NULL,
    dest_etag TEXT NOT NULL,
    found_ms INTEGER NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE intent (
    key TEXT PRIMARY KEY COLLATE BINARY,
    dest_etag TEXT NOT NULL,
    at_ms INTEGER NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE run (
    id TEXT PRIMARY KEY,
    command TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX run_by_start ON run (started_ms);

  CREATE TABLE lag (
    minute_ms INTEGER NOT NULL,
    bin INTEGER NOT NULL,
    objects INTEGER NOT NULL,
    max_ms INTEGER NOT NULL,
    PRIMARY KEY (minute_ms, bin)
  ) WITHOUT ROWID;
`;

const VERSION_3 = `
  ALTER TABLE upload ADD COLUMN hashed_up_to INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE upload ADD COLUMN hash_state TEXT;
  ALTER TABLE object ADD COLUMN apart_ms REAL NOT NULL DEFAULT 0;
  ALTER TABLE object ADD COLUMN content TEXT;
`;

const VERSION_4 = `
  CREATE TABLE version (
    key TEXT NOT NULL COLLATE BINARY,
    source TEXT NOT NULL,
    dest TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (key, source)
  ) WITHOUT ROWID;
  CREATE INDEX version_by_dest ON version (key, dest);
`;

const VERSION_5 = `
  ALTER TABLE object ADD COLUMN dest_mtime_ms REAL NOT NULL DEFAULT 0;

  CREATE TABLE conflict (
    key TEXT NOT NULL COLLATE BINARY,
    found_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    settled_ms INTEGER NOT NULL,
    winner TEXT NOT NULL,
    kept_as TEXT,
    sides TEXT NOT NULL,
    PRIMARY KEY (key, found_ms)
  ) WITHOUT ROWID;
  CREATE INDEX conflict_by_time ON conflict (settled_ms, found_ms);
`;

const VERSION_6 = `
  ALTER TABLE failure ADD COLUMN arrived_ms REAL NOT NULL DEFAULT 0;
  -- A failure without a version was noted before a pass had seen the object.
  UPDATE failure SET arrived_ms = iif(source_etag = '' AND source_mtime_ms = 0, 9007199254740991, source_mtime_ms);
`;

const VERSION_7 = `
  CREATE TABLE tag_verdict (
    key TEXT PRIMARY KEY COLLATE BINARY,
    source_etag TEXT NOT NULL,
    source_mtime_ms INTEGER NOT NULL,
    filter TEXT NOT NULL,
    exclusion TEXT,
    at_ms INTEGER NOT NULL
  ) WITHOUT ROWID;
`;

export const MIGRATIONS: readonly string[] = [
  VERSION_1,
  VERSION_2,
  VERSION_3,
  VERSION_4,
  VERSION_5,
  VERSION_6,
  VERSION_7,
];

/** Marks the file as ours in SQLite's header ("xsyn"), so that a database of another program is never migrated. */
export const APPLICATION_ID = 0x7873796e;

/**
 * Migrates the database to the version of `migrations` in one transaction.
 * @throws config: the database is not a manifest, or a newer xsync wrote it
 */
export function migrate(db: Database, migrations: readonly string[] = MIGRATIONS): void {
  db.transaction(() => {
    const version = formatOf(db, migrations);
    for (const sql of migrations.slice(version)) db.exec(sql);
    if (version < migrations.length) db.pragma(`user_version = ${migrations.length}`);
    if (version === 0) db.pragma(`application_id = ${APPLICATION_ID}`);
  }).immediate();
}

/**
 * The version of the manifest's format, 0 if the database is empty. Changes nothing.
 * @throws as migrate
 */
export function formatOf(db: Database, migrations: readonly string[] = MIGRATIONS): number {
  const version = Number(db.pragma('user_version', { simple: true }));
  refuseForeign(db, version);
  if (version > migrations.length) throw newer(db.name, version, migrations.length);
  return version;
}

function refuseForeign(db: Database, version: number): void {
  const empty = db.prepare('SELECT count(*) = 0 FROM sqlite_schema').pluck().get() === 1;
  if (version === 0 && empty) return;
  if (db.pragma('application_id', { simple: true }) === APPLICATION_ID) return;
  throw new XsyncError('config', `${db.name} is a database of another program, not a manifest`, {
    subject: db.name,
    remedy: 'Choose another manifest file.',
  });
}

function newer(file: string, version: number, known: number): XsyncError {
  return new XsyncError(
    'config',
    `the manifest ${file} was written by a newer xsync (format ${version}; this version supports up to ${known})`,
    { subject: file, remedy: 'Use the newer xsync, or move the file away so that it is rebuilt.' },
  );
}
