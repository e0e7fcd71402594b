import Database from 'better-sqlite3';
import type { PairIdentity } from '../port.js';
import { manifestError } from './errors.js';
import { createPrivateFile } from './file.js';
import { ROWS, SqliteManifest } from './manifest.js';
import { mustBelong, readPair } from './owner.js';
import { migrate } from './schema.js';

/** File name of a manifest in memory, which ends with the process. */
export const IN_MEMORY = ':memory:';

/**
 * Opens the pair's manifest, or creates it (mode 0600, folders 0700).
 * @throws config: the file is damaged, is not a manifest, is another pair's or was written by a newer xsync
 * @throws not-writable, disk-full; unsupported: the file system does not suit SQLite
 */
export function openManifest(file: string, pair: PairIdentity): SqliteManifest {
  let db: Database.Database | undefined;
  try {
    if (file !== IN_MEMORY) createPrivateFile(file);
    db = new Database(file);
    // Readers (a status command) do not block the run, and a commit is one write without an fsync.
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = NORMAL');
    migrate(db);
    claim(db, pair);
    return new SqliteManifest(db);
  } catch (error) {
    db?.close();
    throw manifestError(error, file);
  }
}

/** Writes the pair into a new manifest, or checks the pair of an existing one. */
function claim(db: Database.Database, pair: PairIdentity): void {
  const owner = readPair(db);
  if (owner) {
    mustBelong(db, owner, pair);
    return;
  }
  const insert = db.prepare('INSERT INTO pair VALUES (?, ?, ?, ?, ?)');
  db.transaction(() => {
    for (const [side, { kind, endpoint, bucket, prefix }] of Object.entries(pair)) {
      insert.run(side, kind, endpoint, bucket, prefix);
    }
    db.prepare('INSERT OR IGNORE INTO fact VALUES (?, ?)').run(ROWS, '0');
  }).immediate();
}

/**
 * The pair of a manifest file; undefined if this version cannot read the file. Changes no row. The file is not opened
 * read-only, because SQLite would then leave its -wal and -shm files behind.
 */
export function pairOf(file: string): PairIdentity | undefined {
  let db: Database.Database | undefined;
  try {
    db = new Database(file, { fileMustExist: true });
    return readPair(db);
  } catch (error) {
    if (error instanceof Database.SqliteError) return undefined;
    throw manifestError(error, file);
  } finally {
    db?.close();
  }
}
