/** The versions of the pushing end of a bridge, in SQLite. Tests: test/bridge/push/versions.test.ts */
import type { OutboxRow, OutboxVersions, VersionChange } from '../queues.js';
import type { OutboxFile } from './outbox-file.js';

export class SqliteOutboxVersions implements OutboxVersions {
  readonly #file: OutboxFile;

  constructor(file: OutboxFile) {
    this.#file = file;
  }

  async oldestVersionMs(key: string): Promise<number | undefined> {
    const sql = `SELECT min(mtime_ms) AS ms FROM object WHERE key = ? AND version <> ''`;
    return this.#file.db.prepare<[string], { ms: number | null }>(sql).get(key)?.ms ?? undefined;
  }

  async hasVersion(key: string, version?: string): Promise<boolean> {
    const any = `SELECT 1 FROM object WHERE key = ? AND version <> '' LIMIT 1`;
    if (version === undefined) return this.#file.db.prepare(any).get(key) !== undefined;
    return this.#file.db.prepare('SELECT 1 FROM object WHERE key = ? AND version = ?').get(key, version) !== undefined;
  }

  async noteVersions(key: string, versions: readonly VersionChange[], state: 'waiting' | 'known'): Promise<number> {
    const put = this.#file.db.prepare(
      `INSERT INTO object (key, version, action, etag, size, mtime_ms, version_id, revision, state)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key, version) DO NOTHING`,
    );
    return this.#file.write(() => {
      const next = this.#file.revisions();
      let noted = 0;
      for (const { version, action, etag, size, mtimeMs, versionId } of versions) {
        const its = state === 'waiting' && this.#file.isOpen(key) ? 'behind' : state;
        noted += put.run(key, version, action, etag, size, mtimeMs, versionId, next(), its).changes;
      }
      return noted;
    });
  }

  async sentVersion(key: string): Promise<OutboxRow | undefined> {
    return this.#file.rows(`WHERE key = ? AND version <> '' AND state = 'sent' LIMIT 1`, key)[0];
  }

  async newerVersions(key: string, revision: number, limit: number): Promise<string[]> {
    const names = (order: 'ASC' | 'DESC'): string[] =>
      this.#file.db
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
    return this.#file.db
      .prepare<[string, number], { key: string }>(sql)
      .all(after ?? '', limit)
      .map(({ key }) => key);
  }

  async noteGone(key: string): Promise<void> {
    this.#file.write(() => {
      const revision = this.#file.revisions()();
      this.#file.db.prepare('DELETE FROM object WHERE key = ?').run(key);
      this.#file.db
        .prepare(
          `INSERT INTO object (key, action, etag, size, mtime_ms, revision, state)
           VALUES (?, 'delete', '', 0, 0, ?, 'waiting')`,
        )
        .run(key, revision);
    });
  }

  async backfillVersions(): Promise<void> {
    this.#file.write(() => {
      this.#file.db.exec(`
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
}
