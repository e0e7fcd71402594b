/** Tests: test/doctor/doctor.test.ts */
import { existsSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { manifestError } from './errors.js';
import { lockPair } from './lock.js';

/**
 * Tries what a manifest in `folder` needs: SQLite itself, and, if the folder exists, locks and shared memory there.
 * Leaves nothing behind.
 * @returns the version of SQLite
 * @throws config: SQLite cannot be loaded
 * @throws unsupported: the file system does not suit it; not-writable, disk-full
 */
export function examineSqlite(folder: string): string {
  const exists = existsSync(folder);
  const file = join(folder, `doctor-${process.pid}`);
  let db: Database.Database | undefined;
  try {
    if (exists)
      lockPair(file, { pid: process.pid, host: hostname(), sinceMs: Date.now(), command: 'doctor' }).release();
    db = new Database(exists ? file : ':memory:');
    db.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (c)');
    return db.prepare<[], string>('SELECT sqlite_version()').pluck().get() ?? 'unknown';
  } catch (error) {
    throw manifestError(error, file);
  } finally {
    db?.close();
    for (const end of ['', '.lock']) rmSync(file + end, { force: true });
  }
}
