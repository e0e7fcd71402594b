/** The database file of the pushing end, and what all that is done with it shares. Tests: test/manifest/sqlite/outbox.test.ts */
import type Database from 'better-sqlite3';
import type { OutboxRow, OutboxState } from '../queues.js';
import { manifestError } from './errors.js';
import { openQueueFile } from './queue-file.js';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS object (
    key TEXT NOT NULL COLLATE BINARY,
    version TEXT NOT NULL DEFAULT '',
    action TEXT NOT NULL,
    etag TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ms REAL NOT NULL,
    version_id TEXT,
    checksums TEXT,
    refresh INTEGER NOT NULL DEFAULT 0,
    attributes TEXT,
    revision INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_ms INTEGER NOT NULL DEFAULT 0,
    code TEXT,
    message TEXT,
    PRIMARY KEY (key, version)
  ) WITHOUT ROWID;
  CREATE UNIQUE INDEX IF NOT EXISTS object_revision ON object (revision);
  CREATE INDEX IF NOT EXISTS object_state ON object (state, due_ms, revision);
  CREATE INDEX IF NOT EXISTS object_behind ON object (key, revision) WHERE state = 'behind';
  CREATE INDEX IF NOT EXISTS object_done ON object (key, revision) WHERE state = 'done' AND version <> '';
  CREATE INDEX IF NOT EXISTS object_open ON object (key) WHERE state IN ('waiting', 'sent', 'dead');
  CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;

/** The next version of a key takes its turn. */
const NEXT = `UPDATE object SET state = 'waiting', due_ms = 0
  WHERE key = ? AND state = 'behind' AND revision = (SELECT min(revision) FROM object WHERE key = ? AND state = 'behind')`;

interface Stored {
  key: string;
  version: string;
  action: OutboxRow['action'];
  etag: string;
  size: number;
  mtime_ms: number;
  version_id: string | null;
  checksums: string | null;
  refresh: 0 | 1;
  attributes: string | null;
  revision: number;
  state: OutboxState;
  attempts: number;
  code: string | null;
  message: string | null;
}

/** As the port has it: what is absent has no field. */
function rowOf({ key, version, action, etag, size, revision, state, attempts, ...row }: Stored): OutboxRow {
  return {
    ...{ key, ...(version !== '' && { version }), action, etag, size, mtimeMs: row.mtime_ms },
    ...(row.version_id !== null && { versionId: row.version_id }),
    ...(row.checksums !== null && { checksums: JSON.parse(row.checksums) }),
    ...(row.refresh === 1 && { refresh: true as const }),
    ...(row.attributes !== null && { attributes: row.attributes }),
    ...{ revision, state, attempts },
    ...(row.code !== null && { fault: { code: row.code, message: row.message ?? '' } }),
  };
}

export class OutboxFile {
  readonly db: Database.Database;
  readonly #file: string;

  /** @throws config, not-writable, disk-full */
  constructor(file: string) {
    this.#file = file;
    this.db = openQueueFile(file, SCHEMA);
    if (!this.#hasChecksums()) this.write(() => this.#addChecksums());
  }

  /** A file of before lacks the column. */
  #hasChecksums(): boolean {
    return this.db.prepare(`SELECT 1 FROM pragma_table_info('object') WHERE name = 'checksums'`).get() !== undefined;
  }

  /** Unless another process has done so meanwhile. */
  #addChecksums(): void {
    if (!this.#hasChecksums()) this.db.exec('ALTER TABLE object ADD COLUMN checksums TEXT');
  }

  /**
   * New revisions, within a transaction: another process may replay. They follow the clock, in microseconds, so that an
   * outbox that was lost is newer than what the other end remembers.
   */
  revisions(): () => number {
    const row = this.db.prepare<[], { last: number | null }>('SELECT max(revision) AS last FROM object').get();
    let last = row?.last ?? 0;
    return () => {
      last = Math.max(last + 1, Date.now() * 1000);
      return last;
    };
  }

  rows(where: string, ...values: (string | number)[]): OutboxRow[] {
    return this.db
      .prepare<(string | number)[], Stored>(`SELECT * FROM object ${where}`)
      .all(...values)
      .map(rowOf);
  }

  /** In a transaction. @throws not-writable, disk-full, … */
  write<T>(work: () => T): T {
    try {
      return this.db.transaction(work).immediate();
    } catch (error) {
      throw manifestError(error, this.#file);
    }
  }

  /** The oldest version of the key that waits for others takes its turn. */
  passOn(key: string): void {
    this.db.prepare(NEXT).run(key, key);
  }

  /** A version of the key is on its way, or was given up: those after it wait. What is archived holds up nothing. */
  isOpen(key: string): boolean {
    const sql = `SELECT 1 FROM object WHERE key = ? AND state IN ('waiting', 'sent', 'dead')
      AND NOT (state = 'dead' AND (version = '' OR code = 'object-archived')) LIMIT 1`;
    return this.db.prepare(sql).get(key) !== undefined;
  }

  fact(name: string): string | undefined {
    return this.db.prepare<[string], { value: string }>('SELECT value FROM fact WHERE name = ?').get(name)?.value;
  }

  setFact(name: string, value: string): void {
    this.write(() => this.db.prepare('INSERT OR REPLACE INTO fact VALUES (?, ?)').run(name, value));
  }
}
