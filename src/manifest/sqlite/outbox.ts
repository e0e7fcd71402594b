/** The objects of the pushing end of a bridge, in SQLite. Tests: test/manifest/sqlite/outbox.test.ts */
import type { Backlog } from '../../model/backlog.js';
import {
  type Change,
  LONGEST_WAIT_MS,
  type Move,
  type Outbox,
  type OutboxCounts,
  type OutboxRow,
  type Tally,
} from '../queues.js';
import { DeadRows } from './outbox-dead.js';
import { OutboxFile } from './outbox-file.js';
import { SqliteOutboxVersions } from './outbox-versions.js';

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

interface Counted {
  told: keyof Tally;
  versioned: 0 | 1;
  objects: number;
  bytes: number;
}

export class SqliteOutbox implements Outbox {
  readonly versions: SqliteOutboxVersions;
  readonly #file: OutboxFile;
  readonly #dead: DeadRows;

  /** @throws config, not-writable, disk-full */
  constructor(file: string) {
    this.#file = new OutboxFile(file);
    this.versions = new SqliteOutboxVersions(this.#file);
    this.#dead = new DeadRows(this.#file);
  }

  async get(key: string): Promise<OutboxRow | undefined> {
    return this.#file.rows(`WHERE key = ? AND version = ''`, key)[0];
  }

  async page(after: string | undefined, limit: number): Promise<OutboxRow[]> {
    return this.#file.rows(`WHERE key > ? AND version = '' ORDER BY key LIMIT ?`, after ?? '', limit);
  }

  async note(changes: readonly Change[], state: 'waiting' | 'known'): Promise<string[]> {
    const put = this.#file.db.prepare(
      `INSERT INTO object (key, action, etag, size, mtime_ms, version_id, checksums, refresh, attributes, revision, state)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (key, version) DO UPDATE SET action = excluded.action, etag = excluded.etag, size = excluded.size,
         mtime_ms = excluded.mtime_ms, version_id = excluded.version_id, checksums = excluded.checksums,
         refresh = excluded.refresh, attributes = excluded.attributes, revision = excluded.revision,
         state = excluded.state, attempts = 0, due_ms = 0, code = NULL, message = NULL
       WHERE object.revision = ?`,
    );
    return this.#file.write(() => {
      const next = this.#file.revisions();
      return changes.flatMap(({ key, action, etag, size, mtimeMs, since = 0, ...more }) => {
        const { versionId = null, checksums, refresh = false, attributes = null } = more;
        const sums = checksums ? JSON.stringify(checksums) : null;
        const its = [action, etag, size, mtimeMs, versionId, sums, Number(refresh), attributes];
        return put.run(key, ...its, next(), state, since).changes > 0 ? [] : [key];
      });
    });
  }

  async due(nowMs: number, limit: number): Promise<OutboxRow[]> {
    const where = (due: string) => `WHERE state = 'waiting' AND due_ms ${due} ? ORDER BY due_ms, revision LIMIT ?`;
    const rows = this.#file.rows(where('<='), nowMs, limit);
    return rows.concat(this.#file.rows(where('>'), nowMs + LONGEST_WAIT_MS, limit - rows.length));
  }

  async sent(limit: number): Promise<OutboxRow[]> {
    return this.#file.rows(`WHERE state = 'sent' ORDER BY due_ms, revision LIMIT ?`, limit);
  }

  async nextMs(): Promise<number | undefined> {
    const sql = `SELECT min(due_ms) AS ms FROM object WHERE state = 'waiting'`;
    return this.#file.db.prepare<[], { ms: number | null }>(sql).get()?.ms ?? undefined;
  }

  async move(moves: readonly Move[]): Promise<void> {
    const move = this.#file.db.prepare(
      'UPDATE object SET state = ?, attempts = ?, due_ms = ?, code = ?, message = ? WHERE key = ? AND revision = ?',
    );
    const forget = this.#file.db.prepare<[string, string], { size: number }>(FORGET);
    this.#file.write(() => {
      const forgotten: number[] = [];
      for (const { key, revision, state, attempts, untilMs = 0, fault, passes = state === 'done' } of moves) {
        const why = [fault?.code ?? null, fault?.message ?? null];
        const { changes } = move.run(state, attempts, Math.round(untilMs), ...why, key, revision);
        if (passes && changes > 0) this.#file.passOn(key);
        if (state === 'done' && changes > 0) forgotten.push(...forget.all(key, key).map(({ size }) => size));
      }
      if (forgotten.length > 0) this.#countForgotten(forgotten);
    });
  }

  async countSent(): Promise<number> {
    const sql = `SELECT count(*) AS n FROM object WHERE state = 'sent'`;
    return this.#file.db.prepare<[], { n: number }>(sql).get()?.n ?? 0;
  }

  async isIdle(): Promise<boolean> {
    const any = this.#file.db.prepare<[string]>('SELECT 1 FROM object WHERE state = ? LIMIT 1');
    return any.get('waiting') === undefined && any.get('sent') === undefined;
  }

  async dead(after: Parameters<Outbox['dead']>[0], limit: number): Promise<OutboxRow[]> {
    return this.#dead.list(after, limit);
  }

  async replay(keys?: readonly string[]): Promise<number> {
    return this.#dead.replay(keys);
  }

  async counts(): Promise<OutboxCounts> {
    const none = { known: 0, waiting: 0, sent: 0, done: 0, dead: 0 };
    const counts: OutboxCounts = { objects: { ...none }, versions: { ...none }, bytes: { ...none } };
    const sql = `SELECT CASE state WHEN 'behind' THEN 'waiting' ELSE state END AS told, version <> '' AS versioned,
      count(*) AS objects, sum(size) AS bytes FROM object GROUP BY told, versioned`;
    for (const { told, versioned, objects, bytes } of this.#file.db.prepare<[], Counted>(sql).all()) {
      counts[versioned === 1 ? 'versions' : 'objects'][told] = objects;
      counts.bytes[told] += bytes;
    }
    const forgotten = this.#forgotten();
    counts.versions.done += forgotten.versions;
    counts.bytes.done += forgotten.bytes;
    return counts;
  }

  /** For monitoring. Reads every row. */
  async backlog(): Promise<Backlog> {
    const { objects, versions, bytes } = await this.counts();
    const tickets = { ...objects };
    for (const state of ['known', 'waiting', 'sent', 'done', 'dead'] as const) tickets[state] += versions[state];
    const sql = `SELECT min(revision) AS revision FROM object WHERE state IN ('waiting', 'sent')`;
    const revision = this.#file.db.prepare<[], { revision: number | null }>(sql).get()?.revision ?? null;
    const oldest = revision !== null && { oldestMs: revision / 1000 };
    return { tickets, waitingBytes: bytes.waiting + bytes.sent, ...oldest };
  }

  #forgotten(): { versions: number; bytes: number } {
    return { versions: Number(this.#file.fact(FORGOTTEN) ?? 0), bytes: Number(this.#file.fact(FORGOTTEN_BYTES) ?? 0) };
  }

  #countForgotten(sizes: readonly number[]): void {
    const { versions, bytes } = this.#forgotten();
    const put = this.#file.db.prepare('INSERT OR REPLACE INTO fact VALUES (?, ?)');
    put.run(FORGOTTEN, String(versions + sizes.length));
    put.run(FORGOTTEN_BYTES, String(sizes.reduce((a, b) => a + b, bytes)));
  }

  async fact(name: string): Promise<string | undefined> {
    return this.#file.fact(name);
  }

  async setFact(name: string, value: string): Promise<void> {
    this.#file.setFact(name, value);
  }

  async close(): Promise<void> {
    this.#file.db.close();
  }
}
