/** The tickets of the pulling end of a bridge, in SQLite. Tests: test/manifest/sqlite/queues.test.ts */

import { randomUUID } from 'node:crypto';
import type Database from 'better-sqlite3';
import type { Backlog } from '../../model/backlog.js';
import {
  type Claim,
  type ClaimOptions,
  type Fault,
  type Held,
  LONGEST_WAIT_MS,
  type NewTicket,
  type Settled,
  type TicketQueue,
  type TicketState,
} from '../queues.js';
import { manifestError } from './errors.js';
import { openQueueFile } from './queue-file.js';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS ticket (
    key TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    source TEXT,
    body TEXT,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    -- With a lease: when it runs out.
    due_ms INTEGER NOT NULL DEFAULT 0,
    lease TEXT,
    code TEXT,
    message TEXT
  );
  CREATE INDEX IF NOT EXISTS ticket_due ON ticket (due_ms) WHERE state = 'queued';
  CREATE TABLE IF NOT EXISTS nonce (nonce TEXT PRIMARY KEY, until_ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS nonce_until ON nonce (until_ms);
`;

/** A fresh URL for a ticket, of which the old one served for nothing: attempts that failed before still count. */
const RENEWED = `excluded.revision = ticket.revision AND ticket.state = 'expired' AND ticket.code IS NOT 'expired-url'`;

interface StateRow {
  state: TicketState;
  code: string | null;
  message: string | null;
}

/** One process has the file at a time. */
export class SqliteTicketQueue implements TicketQueue {
  readonly #db: Database.Database;
  readonly #file: string;

  /** @throws config, not-writable, disk-full */
  constructor(file: string) {
    this.#file = file;
    this.#db = openQueueFile(file, SCHEMA);
    // Whoever held them is no more.
    this.#write(() => this.#db.exec('UPDATE ticket SET lease = NULL, due_ms = 0 WHERE lease IS NOT NULL'));
  }

  async add(tickets: readonly NewTicket[]): Promise<string[]> {
    const put = this.#db.prepare<[string, string, number, string | null, string, number]>(
      `INSERT INTO ticket (key, id, revision, source, body, state) VALUES (?, ?, ?, ?, ?, 'queued')
       ON CONFLICT (key) DO UPDATE SET id = excluded.id, revision = excluded.revision, source = excluded.source,
         body = excluded.body, state = 'queued', attempts = iif(${RENEWED}, ticket.attempts, 0), due_ms = iif(lease IS NULL, 0, due_ms),
         code = NULL, message = NULL
       WHERE (excluded.revision > ticket.revision OR (excluded.revision = ticket.revision AND ticket.state <> 'done'))
         AND (? AND ticket.source <> excluded.source) IS NOT TRUE`,
    );
    return this.#write(() =>
      tickets.flatMap(({ key, id, revision, source = null, body, deletes = false }) =>
        put.run(key, id, revision, source, body, Number(deletes)).changes > 0 ? [] : [id],
      ),
    );
  }

  async claim({ nowMs, leaseMs, limit, ids }: ClaimOptions): Promise<Claim[]> {
    const which = ids ? `AND id IN (${ids.map(() => '?').join(', ')})` : '';
    const due = (how: string, atMs: number, most: number) =>
      this.#db
        .prepare<(string | number)[], Omit<Claim, 'lease'> & { lease: string | null }>(
          `SELECT key, id, body, attempts, lease FROM ticket
           WHERE state = 'queued' AND due_ms ${how} ? ${which} ORDER BY due_ms, rowid LIMIT ?`,
        )
        .all(atMs, ...(ids ?? []), most);
    const take = this.#db.prepare('UPDATE ticket SET lease = ?, due_ms = ?, attempts = ? WHERE key = ?');
    return this.#write(() => {
      const rows = due('<=', nowMs, limit);
      return rows.concat(due('>', nowMs + LONGEST_WAIT_MS, limit - rows.length)).map((row) => {
        const claim = { ...row, lease: randomUUID(), attempts: row.attempts + (row.lease === null ? 0 : 1) };
        take.run(claim.lease, nowMs + leaseMs, claim.attempts, claim.key);
        return claim;
      });
    });
  }

  async renew<T extends Held>(held: readonly T[], untilMs: number): Promise<T[]> {
    const renew = this.#db.prepare('UPDATE ticket SET due_ms = ? WHERE key = ? AND lease = ?');
    return this.#write(() => held.filter(({ key, lease }) => renew.run(Math.round(untilMs), key, lease).changes > 0));
  }

  async nextMs(): Promise<number | undefined> {
    const sql = `SELECT min(due_ms) AS ms FROM ticket WHERE state = 'queued'`;
    return this.#db.prepare<[], { ms: number | null }>(sql).get()?.ms ?? undefined;
  }

  async settle(results: readonly (Settled & Held)[]): Promise<string[]> {
    const settle = this.#db.prepare(
      `UPDATE ticket SET state = ?, body = NULL, lease = NULL, code = ?, message = ? WHERE key = ? AND lease = ? AND id = ?`,
    );
    return this.#write(() =>
      results.flatMap(({ key, id, lease, state, fault }) => {
        if (settle.run(state, fault?.code ?? null, fault?.message ?? null, key, lease, id).changes > 0) return [];
        this.#yield(key, lease);
        return [id];
      }),
    );
  }

  async putBack(held: readonly Held[], untilMs: number, fault?: Fault): Promise<void> {
    const back = this.#db.prepare(
      `UPDATE ticket SET lease = NULL, due_ms = ?, attempts = attempts + ?, code = ?, message = ?
       WHERE key = ? AND lease = ? AND id = ?`,
    );
    const [attempts, code, message] = fault ? [1, fault.code, fault.message] : [0, null, null];
    this.#write(() => {
      for (const { key, id, lease } of held) {
        const { changes } = back.run(Math.round(untilMs), attempts, code, message, key, lease, id);
        if (changes === 0) this.#yield(key, lease);
      }
    });
  }

  async states(ids: readonly string[]): Promise<Map<string, { state: TicketState; fault?: Fault }>> {
    const get = this.#db.prepare<[string], StateRow>('SELECT state, code, message FROM ticket WHERE id = ?');
    return new Map(
      ids.flatMap((id) => {
        const row = get.get(id);
        if (!row) return [];
        const { state, code, message } = row;
        return [[id, { state, ...(code !== null && { fault: { code, message: message ?? '' } }) }] as const];
      }),
    );
  }

  async countWaiting(most = -1): Promise<number> {
    const sql = `SELECT count(*) AS n FROM (SELECT 1 FROM ticket WHERE state = 'queued' LIMIT ?)`;
    return this.#db.prepare<[number], { n: number }>(sql).get(most)?.n ?? 0;
  }

  /** For monitoring. Reads every ticket that waits. */
  async backlog(): Promise<Backlog> {
    const tickets: Record<TicketState, number> = { queued: 0, done: 0, dead: 0, expired: 0, changed: 0 };
    const counts = this.#db.prepare<[], { state: TicketState; n: number }>(
      'SELECT state, count(*) AS n FROM ticket GROUP BY state',
    );
    for (const { state, n } of counts.all()) tickets[state] = n;
    const waiting = this.#db.prepare<[], { bytes: number; revision: number | null }>(
      `SELECT total(json_extract(body, '$.size')) AS bytes, min(revision) AS revision FROM ticket WHERE state = 'queued'`,
    );
    const { bytes, revision } = waiting.get() ?? { bytes: 0, revision: null };
    return { tickets, waitingBytes: bytes, ...(revision !== null && { oldestMs: revision / 1000 }) };
  }

  async once(nonce: string, untilMs: number, nowMs: number): Promise<boolean> {
    return this.#write(() => {
      this.#db.prepare('DELETE FROM nonce WHERE until_ms < ?').run(nowMs);
      return this.#db.prepare('INSERT OR IGNORE INTO nonce VALUES (?, ?)').run(nonce, untilMs).changes > 0;
    });
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  /** The newer ticket of the key need not wait any longer. */
  #yield(key: string, lease: string): void {
    this.#db.prepare('UPDATE ticket SET lease = NULL, due_ms = 0 WHERE key = ? AND lease = ?').run(key, lease);
  }

  #write<T>(work: () => T): T {
    try {
      return this.#db.transaction(work).immediate();
    } catch (error) {
      throw manifestError(error, this.#file);
    }
  }
}
