/** Opens the database file of a queue. Tests: test/manifest/sqlite/queues.test.ts */
import Database from 'better-sqlite3';
import { manifestError } from './errors.js';
import { createPrivateFile } from './file.js';
import { IN_MEMORY } from './open.js';

/**
 * What was accepted must survive a power loss: each commit is synced.
 * @param schema with IF NOT EXISTS
 * @throws config, not-writable, disk-full
 */
export function openQueueFile(file: string, schema: string): Database.Database {
  let db: Database.Database | undefined;
  try {
    if (file !== IN_MEMORY) createPrivateFile(file);
    db = new Database(file);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    // Deleted rows had URLs, which are secrets.
    db.pragma('secure_delete = ON');
    db.exec(schema);
    return db;
  } catch (error) {
    db?.close();
    throw manifestError(error, file);
  }
}
