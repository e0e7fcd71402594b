import { rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { XsyncError } from '../../model/error.js';
import type { Spool, SpoolEntry } from '../../model/spool.js';
import { manifestError } from './errors.js';
import { createPrivateFile } from './file.js';

/** A third cheaper for each entry than a statement each. */
const AT_ONCE = 50;

/** Memory for the spool's cache, in KiB; the rest is on disk. */
const CACHE_KIB = 32 * 1024;

/**
 * A sorted table in a temporary database file: no journal on disk, no fsync, and the file is unlinked as soon as it is
 * open (except on Windows), so that a killed run leaves nothing behind.
 */
export class SqliteSpool implements Spool {
  readonly #file: string;
  readonly #db: Database.Database;
  readonly #insert: Database.Statement<[string, string]>;
  readonly #insertNew: Database.Statement<[string, string]>;
  /** The same for AT_ONCE entries. */
  readonly #insertMany: Database.Statement<string[]>;
  readonly #get: Database.Statement<[string], Pick<SpoolEntry, 'value'>>;
  readonly #first: Database.Statement<[number], SpoolEntry>;
  readonly #after: Database.Statement<[string, number], SpoolEntry>;

  /** @param file empty for SQLite's own temporary file, which the operating system removes */
  constructor(file: string) {
    this.#file = file;
    this.#db = this.#run(() => this.#open());
    this.#insert = this.#db.prepare('INSERT OR REPLACE INTO spool VALUES (?, ?)');
    this.#insertNew = this.#db.prepare('INSERT OR IGNORE INTO spool VALUES (?, ?)');
    this.#insertMany = this.#db.prepare(`INSERT OR REPLACE INTO spool VALUES ${Array(AT_ONCE).fill('(?, ?)').join()}`);
    this.#get = this.#db.prepare('SELECT value FROM spool WHERE key = ?');
    this.#first = this.#db.prepare('SELECT key, value FROM spool ORDER BY key LIMIT ?');
    this.#after = this.#db.prepare('SELECT key, value FROM spool WHERE key > ? ORDER BY key LIMIT ?');
  }

  #open(): Database.Database {
    if (this.#file !== '') createPrivateFile(this.#file);
    const db = new Database(this.#file);
    if (process.platform !== 'win32') this.#removeName();
    db.pragma('journal_mode = MEMORY');
    db.pragma('synchronous = OFF');
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma(`cache_size = -${CACHE_KIB}`);
    db.exec('CREATE TABLE spool (key TEXT PRIMARY KEY COLLATE BINARY, value TEXT NOT NULL) WITHOUT ROWID');
    return db;
  }

  add(batch: readonly SpoolEntry[]): void {
    this.#run(() =>
      this.#db.transaction(() => {
        const single = batch.length % AT_ONCE;
        for (const { key, value } of batch.slice(0, single)) this.#insert.run(key, value);
        for (let i = single; i < batch.length; i += AT_ONCE) {
          this.#insertMany.run(...batch.slice(i, i + AT_ONCE).flatMap(({ key, value }) => [key, value]));
        }
      })(),
    );
  }

  addNew(batch: readonly SpoolEntry[]): number | undefined {
    const add = (): number => batch.findIndex(({ key, value }) => this.#insertNew.run(key, value).changes === 0);
    const at = this.#run(() => this.#db.transaction(add)());
    return at < 0 ? undefined : at;
  }

  get(key: string): string | undefined {
    return this.#run(() => this.#get.get(key)?.value);
  }

  page(after: string | undefined, limit: number): SpoolEntry[] {
    return this.#run(() => (after === undefined ? this.#first.all(limit) : this.#after.all(after, limit)));
  }

  dispose(): void {
    this.#db.close();
    this.#removeName();
  }

  #removeName(): void {
    if (this.#file !== '') rmSync(this.#file, { force: true });
  }

  #run<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const fault = manifestError(error, this.#file);
      throw this.#file === '' ? ofTemporary(fault) : fault;
    }
  }
}

function ofTemporary(fault: XsyncError): XsyncError {
  const { code, cause } = fault;
  if (code !== 'disk-full' && code !== 'not-readable') return fault;
  const what = code === 'disk-full' ? 'the folder for temporary files is full' : 'a temporary file cannot be written';
  return new XsyncError(code, what, { remedy: 'Set TMPDIR to a folder with more space.', cause });
}
