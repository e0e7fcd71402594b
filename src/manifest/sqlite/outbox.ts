/** The objects of the pushing end of a bridge, in SQLite. Tests: test/manifest/sqlite/queues.test.ts */

import type Database from 'better-sqlite3';
import type { Backlog } from '../../model/backlog.js';
import type { Change, Move, Outbox, OutboxCounts, OutboxRow, OutboxState } from '../queues.js';
import { manifestError } from './errors.js';
import { openQueueFile } from './queue-file.js';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS object (
    key TEXT PRIMARY KEY COLLATE BINARY,
    action TEXT NOT NULL,
    etag TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ms REAL NOT NULL,
    version_id TEXT,
    revision INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_ms INTEGER NOT NULL DEFAULT 0,
    code TEXT,
    message TEXT
  ) WITHOUT ROWID;
  CREATE UNIQUE INDEX IF NOT EXISTS object_revision ON object (revision);
  CREATE INDEX IF NOT EXISTS object_state ON object (state, due_ms, revision);
  CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;

interface Stored {
  key: string;
  action: OutboxRow['action'];
  etag: string;
  size: number;
  mtime_ms: number;
  version_id: string | null;
  revision: number;
  state: OutboxState;
  attempts: number;
  code: string | null;
  message: string | null;
}

export class SqliteOutbox implements Outbox {
  readonly #db: Database.Database;
  readonly #file: string;

  /** @throws config, not-writable, disk-full */
  constructor(file: string) {
    this.#file = file;
    this.#db = openQueueFile(file, SCHEMA);
  }

  async get(key: string): Promise<OutboxRow | undefined> {
    return this.#rows('WHERE key = ?', key)[0];
  }

  async page(after: string | undefined, limit: number): Promise<OutboxRow[]> {
    return this.#rows('WHERE key > ? ORDER BY key LIMIT ?', after ?? '', limit);
  }

  async note(changes: readonly Change[], state: 'waiting' | 'known'): Promise<string[]> {
    const put = this.#db.prepare(
      `INSERT INTO object (key, action, etag, size, mtime_ms, version_id, revision, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET action = excluded.action, etag = excluded.etag, size = excluded.size,
         mtime_ms = excluded.mtime_ms, version_id = excluded.version_id, revision = excluded.revision,
         state = excluded.state, attempts = 0, due_ms = 0, code = NULL, message = NULL
       WHERE object.revision = ?`,
    );
    return this.#write(() => {
      const next = this.#revisions();
      return changes.flatMap(({ key, action, etag, size, mtimeMs, versionId, since = 0 }) => {
        const { changes: noted } = put.run(key, action, etag, size, mtimeMs, versionId ?? null, next(), state, since);
        return noted > 0 ? [] : [key];
      });
    });
  }

  async due(nowMs: number, limit: number): Promise<OutboxRow[]> {
    return this.#rows(`WHERE state = 'waiting' AND due_ms <= ? ORDER BY due_ms, revision LIMIT ?`, nowMs, limit);
  }

  async sent(limit: number): Promise<OutboxRow[]> {
    return this.#rows(`WHERE state = 'sent' ORDER BY due_ms, revision LIMIT ?`, limit);
  }

  async nextMs(): Promise<number | undefined> {
    const sql = `SELECT min(due_ms) AS ms FROM object WHERE state = 'waiting'`;
    return this.#db.prepare<[], { ms: number | null }>(sql).get()?.ms ?? undefined;
  }

  async move(moves: readonly Move[]): Promise<void> {
    const move = this.#db.prepare(
      'UPDATE object SET state = ?, attempts = ?, due_ms = ?, code = ?, message = ? WHERE key = ? AND revision = ?',
    );
    this.#write(() => {
      for (const { key, revision, state, attempts, untilMs = 0, fault } of moves) {
        move.run(state, attempts, Math.round(untilMs), fault?.code ?? null, fault?.message ?? null, key, revision);
      }
    });
  }

  async countSent(): Promise<number> {
    const sql = `SELECT count(*) AS n FROM object WHERE state = 'sent'`;
    return this.#db.prepare<[], { n: number }>(sql).get()?.n ?? 0;
  }

  async isIdle(): Promise<boolean> {
    const any = this.#db.prepare<[string]>('SELECT 1 FROM object WHERE state = ? LIMIT 1');
    return any.get('waiting') === undefined && any.get('sent') === undefined;
  }

  async dead(after: string | undefined, limit: number): Promise<OutboxRow[]> {
    return this.#rows(`WHERE state = 'dead' AND key > ? ORDER BY key LIMIT ?`, after ?? '', limit);
  }

  async replay(keys?: readonly string[]): Promise<number> {
    const all = `UPDATE object SET state = 'waiting', attempts = 0, due_ms = 0, revision = ? WHERE state = 'dead' AND key = ?`;
    const again = this.#db.prepare(all);
    const chosen = keys ?? this.#rows(`WHERE state = 'dead'`).map(({ key }) => key);
    return this.#write(() => {
      const next = this.#revisions();
      return chosen.reduce((sum, key) => sum + again.run(next(), key).changes, 0);
    });
  }

  async counts(): Promise<OutboxCounts> {
    const sql = 'SELECT state, count(*) AS objects, sum(size) AS bytes FROM object GROUP BY state';
    const counts: OutboxCounts = {
      objects: { known: 0, waiting: 0, sent: 0, done: 0, dead: 0 },
      bytes: { known: 0, waiting: 0, sent: 0, done: 0, dead: 0 },
    };
    for (const row of this.#db.prepare<[], { state: OutboxState; objects: number; bytes: number }>(sql).all()) {
      counts.objects[row.state] = row.objects;
      counts.bytes[row.state] = row.bytes;
    }
    return counts;
  }

  /** For monitoring. Reads every row. */
  async backlog(): Promise<Backlog> {
    const { objects, bytes } = await this.counts();
    const sql = `SELECT min(revision) AS revision FROM object WHERE state IN ('waiting', 'sent')`;
    const revision = this.#db.prepare<[], { revision: number | null }>(sql).get()?.revision ?? null;
    const oldest = revision !== null && { oldestMs: revision / 1000 };
    return { tickets: objects, waitingBytes: bytes.waiting + bytes.sent, ...oldest };
  }

  async fact(name: string): Promise<string | undefined> {
    return this.#db.prepare<[string], { value: string }>('SELECT value FROM fact WHERE name = ?').get(name)?.value;
  }

  async setFact(name: string, value: string): Promise<void> {
    this.#write(() => this.#db.prepare('INSERT OR REPLACE INTO fact VALUES (?, ?)').run(name, value));
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  /**
   * New revisions, within a transaction: another process may replay. They follow the clock, in microseconds, so that an
   * outbox that was lost is newer than what the other end remembers.
   */
  #revisions(): () => number {
    const row = this.#db.prepare<[], { last: number | null }>('SELECT max(revision) AS last FROM object').get();
    let last = row?.last ?? 0;
    return () => {
      last = Math.max(last + 1, Date.now() * 1000);
      return last;
    };
  }

  #rows(where: string, ...values: (string | number)[]): OutboxRow[] {
    const rows = this.#db.prepare<(string | number)[], Stored>(`SELECT * FROM object ${where}`).all(...values);
    return rows.map(({ mtime_ms: mtimeMs, version_id: versionId, code, message, ...row }) => ({
      ...{ key: row.key, action: row.action, etag: row.etag, size: row.size, mtimeMs },
      ...(versionId !== null && { versionId }),
      ...{ revision: row.revision, state: row.state, attempts: row.attempts },
      ...(code !== null && { fault: { code, message: message ?? '' } }),
    }));
  }

  #write<T>(work: () => T): T {
    try {
      return this.#db.transaction(work).immediate();
    } catch (error) {
      throw manifestError(error, this.#file);
    }
  }
}
