/** What was given up at the pushing end of a bridge, in SQLite. Tests: test/manifest/sqlite/outbox-dead.test.ts */
import type { Outbox, OutboxRow } from '../queues.js';
import type { OutboxFile } from './outbox-file.js';

/** Keys that are in memory at once. */
const PAGE = 1000;

/** What waits after a failure, here or at the other end, which has a pause for it, too. */
const FAILING = `code IS NOT NULL AND (+state = 'sent' OR (+state = 'waiting' AND due_ms > 0))`;

export class DeadRows {
  readonly #file: OutboxFile;

  constructor(file: OutboxFile) {
    this.#file = file;
  }

  /** In the order of keys and versions. */
  list(after: Parameters<Outbox['dead']>[0], limit: number): OutboxRow[] {
    const { key = '', version = '' } = after ?? {};
    const where = `WHERE state = 'dead' AND (key, version) > (?, ?) ORDER BY key, version LIMIT ?`;
    return this.#file.rows(where, key, version, limit);
  }

  /** As `Outbox.replay`. */
  replay(keys?: readonly string[]): number {
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
    const rows = this.#file.db.prepare<[string, number], { key: string }>(sql).all(after, PAGE);
    return rows.map(({ key }) => key);
  }

  #replay(keys: readonly string[]): number {
    const again = this.#file.db.prepare(
      `UPDATE object SET state = 'waiting', attempts = 0, due_ms = 0, revision = ?
       WHERE (state = 'dead' OR (${FAILING})) AND key = ? AND version = ''`,
    );
    const hurry = this.#file.db.prepare(
      `UPDATE object SET state = 'waiting', attempts = 0, due_ms = 0 WHERE key = ? AND version <> '' AND ${FAILING}`,
    );
    return this.#file.write(() => {
      const next = this.#file.revisions();
      let replayed = 0;
      for (const key of new Set(keys)) {
        replayed += hurry.run(key).changes + again.run(next(), key).changes + this.#replayVersions(key);
      }
      return replayed;
    });
  }

  /** They keep their place among the versions of the key. */
  #replayVersions(key: string): number {
    const { changes } = this.#file.db
      .prepare(
        `UPDATE object SET state = 'behind', attempts = 0, due_ms = 0
         WHERE key = ? AND version <> '' AND state = 'dead' AND NOT EXISTS (
           SELECT 1 FROM object AS newer WHERE newer.key = object.key AND newer.version <> ''
             AND newer.revision > object.revision AND newer.state IN ('sent', 'done'))`,
      )
      .run(key);
    if (changes === 0) return 0;
    this.#file.db
      .prepare(`UPDATE object SET state = 'behind' WHERE key = ? AND state = 'waiting' AND version <> ''`)
      .run(key);
    if (!this.#file.isOpen(key)) this.#file.passOn(key);
    return changes;
  }
}
