/** The objects of the pushing end of a bridge, in SQLite. Tests: test/manifest/sqlite/queues.test.ts */

import type Database from 'better-sqlite3';
import type { Backlog } from '../../model/backlog.js';
import {
  type Change,
  LONGEST_WAIT_MS,
  type Move,
  type Outbox,
  type OutboxCounts,
  type OutboxRow,
  type OutboxState,
  type OutboxVersions,
  type Tally,
  type VersionChange,
} from '../queues.js';
import { manifestError } from './errors.js';
import { openQueueFile } from './queue-file.js';

/** Keys that are in memory at once. */
const PAGE = 1000;

/**
 * Versions of a key that have crossed, and are remembered: a list of versions is read down to the newest one of them. Older
 * ones are only counted.
 */
const REMEMBERED = 100;

/** Facts: how many, and their bytes. */
const FORGOTTEN = 'forgotten-versions';
const FORGOTTEN_BYTES = 'forgotten-bytes';

/** A version of a key is done. */
const FORGET = `DELETE FROM object WHERE key = ? AND version <> '' AND state = 'done' AND revision < (
    SELECT revision FROM object WHERE key = ? AND version <> '' AND state = 'done'
    ORDER BY revision DESC LIMIT 1 OFFSET ${REMEMBERED - 1})
  RETURNING size`;

/** The next version of a key takes its turn. */
const NEXT = `UPDATE object SET state = 'waiting', due_ms = 0
  WHERE key = ? AND state = 'behind' AND revision = (SELECT min(revision) FROM object WHERE key = ? AND state = 'behind')`;

/** What waits after a failure, here or at the other end, which has a pause for it, too. */
const FAILING = `code IS NOT NULL AND (+state = 'sent' OR (+state = 'waiting' AND due_ms > 0))`;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS object (
    key TEXT NOT NULL COLLATE BINARY,
    version TEXT NOT NULL DEFAULT '',
    action TEXT NOT NULL,
    etag TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ms REAL NOT NULL,
    version_id TEXT,
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

interface Stored {
  key: string;
  version: string;
  action: OutboxRow['action'];
  etag: string;
  size: number;
  mtime_ms: number;
  version_id: string | null;
  refresh: 0 | 1;
  attributes: string | null;
  revision: number;
  state: OutboxState;
  attempts: number;
  code: string | null;
  message: string | null;
}

interface Counted {
  told: keyof Tally;
  versioned: 0 | 1;
  objects: number;
  bytes: number;
}

export class SqliteOutbox implements Outbox, OutboxVersions {
  readonly versions = this;
  readonly #db: Database.Database;
  readonly #file: string;

  /** @throws config, not-writable, disk-full */
  constructor(file: string) {
    this.#file = file;
    this.#db = openQueueFile(file, SCHEMA);
  }

  async get(key: string): Promise<OutboxRow | undefined> {
    return this.#rows(`WHERE key = ? AND version = ''`, key)[0];
  }

  async page(after: string | undefined, limit: number): Promise<OutboxRow[]> {
    return this.#rows(`WHERE key > ? AND version = '' ORDER BY key LIMIT ?`, after ?? '', limit);
  }

  async note(changes: readonly Change[], state: 'waiting' | 'known'): Promise<string[]> {
    const put = this.#db.prepare(
      `INSERT INTO object (key, action, etag, size, mtime_ms, version_id, refresh, attributes, revision, state)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (key, version) DO UPDATE SET action = excluded.action, etag = excluded.etag, size = excluded.size,
         mtime_ms = excluded.mtime_ms, version_id = excluded.version_id, refresh = excluded.refresh,
         attributes = excluded.attributes, revision = excluded.revision,
         state = excluded.state, attempts = 0, due_ms = 0, code = NULL, message = NULL
       WHERE object.revision = ?`,
    );
    return this.#write(() => {
      const next = this.#revisions();
      return changes.flatMap(({ key, action, etag, size, mtimeMs, since = 0, ...more }) => {
        const { versionId = null, refresh = false, attributes = null } = more;
        const its = [action, etag, size, mtimeMs, versionId, Number(refresh), attributes];
        return put.run(key, ...its, next(), state, since).changes > 0 ? [] : [key];
      });
    });
  }

  async due(nowMs: number, limit: number): Promise<OutboxRow[]> {
    const where = (due: string) => `WHERE state = 'waiting' AND due_ms ${due} ? ORDER BY due_ms, revision LIMIT ?`;
    const rows = this.#rows(where('<='), nowMs, limit);
    return rows.concat(this.#rows(where('>'), nowMs + LONGEST_WAIT_MS, limit - rows.length));
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
    const next = this.#db.prepare(NEXT);
    const forget = this.#db.prepare<[string, string], { size: number }>(FORGET);
    this.#write(() => {
      const forgotten: number[] = [];
      for (const { key, revision, state, attempts, untilMs = 0, fault, passes = state === 'done' } of moves) {
        const why = [fault?.code ?? null, fault?.message ?? null];
        const { changes } = move.run(state, attempts, Math.round(untilMs), ...why, key, revision);
        if (passes && changes > 0) next.run(key, key);
        if (state === 'done' && changes > 0) forgotten.push(...forget.all(key, key).map(({ size }) => size));
      }
      if (forgotten.length > 0) this.#countForgotten(forgotten);
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

  async dead(after: Parameters<Outbox['dead']>[0], limit: number): Promise<OutboxRow[]> {
    const { key = '', version = '' } = after ?? {};
    return this.#rows(
      `WHERE state = 'dead' AND (key, version) > (?, ?) ORDER BY key, version LIMIT ?`,
      key,
      version,
      limit,
    );
  }

  async replay(keys?: readonly string[]): Promise<number> {
    if (keys) return this.#replay(keys);
    let replayed = 0;
    for (let page = this.#replayedKeys(''); page.length > 0; page = this.#replayedKeys(page.at(-1) ?? '')) {
      replayed += this.#replay(page);
    }
    return replayed;
  }

  /** A page. The index of states has another order: with it, each page would read all of them. */
  #replayedKeys(after: string): string[] {
    const sql = `SELECT DISTINCT key FROM object WHERE (+state = 'dead' OR (${FAILING})) AND key > ? ORDER BY key LIMIT ?`;
    const rows = this.#db.prepare<[string, number], { key: string }>(sql).all(after, PAGE);
    return rows.map(({ key }) => key);
  }

  #replay(keys: readonly string[]): number {
    const again = this.#db.prepare(
      `UPDATE object SET state = 'waiting', attempts = 0, due_ms = 0, revision = ?
       WHERE (state = 'dead' OR (${FAILING})) AND key = ? AND version = ''`,
    );
    const hurry = this.#db.prepare(
      `UPDATE object SET state = 'waiting', attempts = 0, due_ms = 0 WHERE key = ? AND version <> '' AND ${FAILING}`,
    );
    return this.#write(() => {
      const next = this.#revisions();
      let replayed = 0;
      for (const key of new Set(keys)) {
        replayed += hurry.run(key).changes + again.run(next(), key).changes + this.#replayVersions(key);
      }
      return replayed;
    });
  }

  /** They keep their place among the versions of the key. */
  #replayVersions(key: string): number {
    const { changes } = this.#db
      .prepare(
        `UPDATE object SET state = 'behind', attempts = 0, due_ms = 0
         WHERE key = ? AND version <> '' AND state = 'dead' AND NOT EXISTS (
           SELECT 1 FROM object AS newer WHERE newer.key = object.key AND newer.version <> ''
             AND newer.revision > object.revision AND newer.state IN ('sent', 'done'))`,
      )
      .run(key);
    if (changes === 0) return 0;
    this.#db
      .prepare(`UPDATE object SET state = 'behind' WHERE key = ? AND state = 'waiting' AND version <> ''`)
      .run(key);
    if (!this.#isOpen(key)) this.#db.prepare(NEXT).run(key, key);
    return changes;
  }

  async counts(): Promise<OutboxCounts> {
    const none = { known: 0, waiting: 0, sent: 0, done: 0, dead: 0 };
    const counts: OutboxCounts = { objects: { ...none }, versions: { ...none }, bytes: { ...none } };
    const sql = `SELECT CASE state WHEN 'behind' THEN 'waiting' ELSE state END AS told, version <> '' AS versioned,
      count(*) AS objects, sum(size) AS bytes FROM object GROUP BY told, versioned`;
    for (const { told, versioned, objects, bytes } of this.#db.prepare<[], Counted>(sql).all()) {
      counts[versioned === 1 ? 'versions' : 'objects'][told] = objects;
      counts.bytes[told] += bytes;
    }
    const forgotten = this.#forgotten();
    counts.versions.done += forgotten.versions;
    counts.bytes.done += forgotten.bytes;
    return counts;
  }

  async oldestVersionMs(key: string): Promise<number | undefined> {
    const sql = `SELECT min(mtime_ms) AS ms FROM object WHERE key = ? AND version <> ''`;
    return this.#db.prepare<[string], { ms: number | null }>(sql).get(key)?.ms ?? undefined;
  }

  async hasVersion(key: string, version?: string): Promise<boolean> {
    const any = `SELECT 1 FROM object WHERE key = ? AND version <> '' LIMIT 1`;
    if (version === undefined) return this.#db.prepare(any).get(key) !== undefined;
    return this.#db.prepare('SELECT 1 FROM object WHERE key = ? AND version = ?').get(key, version) !== undefined;
  }

  async noteVersions(key: string, versions: readonly VersionChange[], state: 'waiting' | 'known'): Promise<number> {
    const put = this.#db.prepare(
      `INSERT INTO object (key, version, action, etag, size, mtime_ms, version_id, revision, state)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key, version) DO NOTHING`,
    );
    return this.#write(() => {
      const next = this.#revisions();
      let noted = 0;
      for (const { version, action, etag, size, mtimeMs, versionId } of versions) {
        const its = state === 'waiting' && this.#isOpen(key) ? 'behind' : state;
        noted += put.run(key, version, action, etag, size, mtimeMs, versionId, next(), its).changes;
      }
      return noted;
    });
  }

  async sentVersion(key: string): Promise<OutboxRow | undefined> {
    return this.#rows(`WHERE key = ? AND version <> '' AND state = 'sent' LIMIT 1`, key)[0];
  }

  async newerVersions(key: string, revision: number, limit: number): Promise<string[]> {
    const names = (order: 'ASC' | 'DESC'): string[] =>
      this.#db
        .prepare<[string, number, number], { version: string }>(
          `SELECT version FROM object WHERE key = ? AND revision > ? AND version <> '' AND action = 'copy'
           ORDER BY revision ${order} LIMIT ?`,
        )
        .all(key, revision, limit / 2)
        .map(({ version }) => version);
    return [...new Set([...names('ASC'), ...names('DESC')])];
  }

  async versionedKeys(after: string | undefined, limit: number): Promise<string[]> {
    const sql = `SELECT DISTINCT key FROM object WHERE key > ? AND version <> '' ORDER BY key LIMIT ?`;
    return this.#db
      .prepare<[string, number], { key: string }>(sql)
      .all(after ?? '', limit)
      .map(({ key }) => key);
  }

  async noteGone(key: string): Promise<void> {
    this.#write(() => {
      const revision = this.#revisions()();
      this.#db.prepare('DELETE FROM object WHERE key = ?').run(key);
      this.#db
        .prepare(
          `INSERT INTO object (key, action, etag, size, mtime_ms, revision, state)
           VALUES (?, 'delete', '', 0, 0, ?, 'waiting')`,
        )
        .run(key, revision);
    });
  }

  async backfillVersions(): Promise<void> {
    this.#write(() => {
      this.#db.exec(`
        UPDATE object SET state = 'behind' WHERE version <> '' AND state IN ('known', 'waiting') AND NOT EXISTS (
          SELECT 1 FROM object AS other WHERE other.key = object.key AND other.version <> ''
            AND other.state IN ('sent', 'done'));
        UPDATE object SET state = 'waiting', due_ms = 0 WHERE state = 'behind' AND revision = (
          SELECT min(revision) FROM object AS first WHERE first.key = object.key AND first.state = 'behind')
          AND NOT EXISTS (SELECT 1 FROM object AS other WHERE other.key = object.key AND other.version <> ''
            AND other.state IN ('waiting', 'sent', 'dead'));
      `);
    });
  }

  /** A version of the key is on its way, or was given up: those after it wait. What is archived holds up nothing. */
  #isOpen(key: string): boolean {
    const sql = `SELECT 1 FROM object WHERE key = ? AND state IN ('waiting', 'sent', 'dead')
      AND NOT (state = 'dead' AND (version = '' OR code = 'object-archived')) LIMIT 1`;
    return this.#db.prepare(sql).get(key) !== undefined;
  }

  /** For monitoring. Reads every row. */
  async backlog(): Promise<Backlog> {
    const { objects, versions, bytes } = await this.counts();
    const tickets = { ...objects };
    for (const state of ['known', 'waiting', 'sent', 'done', 'dead'] as const) tickets[state] += versions[state];
    const sql = `SELECT min(revision) AS revision FROM object WHERE state IN ('waiting', 'sent')`;
    const revision = this.#db.prepare<[], { revision: number | null }>(sql).get()?.revision ?? null;
    const oldest = revision !== null && { oldestMs: revision / 1000 };
    return { tickets, waitingBytes: bytes.waiting + bytes.sent, ...oldest };
  }

  #forgotten(): { versions: number; bytes: number } {
    return { versions: Number(this.#fact(FORGOTTEN) ?? 0), bytes: Number(this.#fact(FORGOTTEN_BYTES) ?? 0) };
  }

  #countForgotten(sizes: readonly number[]): void {
    const { versions, bytes } = this.#forgotten();
    const put = this.#db.prepare('INSERT OR REPLACE INTO fact VALUES (?, ?)');
    put.run(FORGOTTEN, String(versions + sizes.length));
    put.run(FORGOTTEN_BYTES, String(sizes.reduce((a, b) => a + b, bytes)));
  }

  #fact(name: string): string | undefined {
    return this.#db.prepare<[string], { value: string }>('SELECT value FROM fact WHERE name = ?').get(name)?.value;
  }

  async fact(name: string): Promise<string | undefined> {
    return this.#fact(name);
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
    return rows.map(
      ({ version, mtime_ms: mtimeMs, version_id: versionId, refresh, attributes, code, message, ...row }) => ({
        ...{
          key: row.key,
          ...(version !== '' && { version }),
          action: row.action,
          etag: row.etag,
          size: row.size,
          mtimeMs,
        },
        ...(versionId !== null && { versionId }),
        ...(refresh === 1 && { refresh: true as const }),
        ...(attributes !== null && { attributes }),
        ...{ revision: row.revision, state: row.state, attempts: row.attempts },
        ...(code !== null && { fault: { code, message: message ?? '' } }),
      }),
    );
  }

  #write<T>(work: () => T): T {
    try {
      return this.#db.transaction(work).immediate();
    } catch (error) {
      throw manifestError(error, this.#file);
    }
  }
}
