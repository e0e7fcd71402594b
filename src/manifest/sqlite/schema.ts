/**
 * The tables, as numbered migrations: number n takes a file from version n to version n + 1, and once released it is
 * never changed. SQLite's `user_version` holds the version. TEXT columns compare by SQLite's BINARY collation, which
 * is the order of UTF-8 bytes. WITHOUT ROWID stores each row once, in key order, so that a page of keys is one walk.
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

export const MIGRATIONS: readonly string[] = [VERSION_1, VERSION_2];

/** Marks the file as ours in SQLite's header ("xsyn"), so that someone else's database is never migrated. */
export const APPLICATION_ID = 0x7873796e;

/**
 * Brings the database to the version of `migrations`, all or nothing.
 * @throws config for a database that is not a manifest, or that a newer xsync wrote
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
 * The format that the manifest has, 0 when nothing is in it yet. Changes nothing.
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
    remedy: 'Name another file for the manifest.',
  });
}

function newer(file: string, version: number, known: number): XsyncError {
  return new XsyncError(
    'config',
    `the manifest ${file} was written by a newer xsync (format ${version}; this one knows up to ${known})`,
    { subject: file, remedy: 'Use the newer xsync, or move the file away to have it rebuilt.' },
  );
}
