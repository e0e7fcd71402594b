/** The tickets of the pulling end of a bridge, in SQLite. Tests: test/manifest/sqlite/queues.test.ts */
import type Database from 'better-sqlite3';
import type { Fault, Settled, TicketQueue, TicketState, Waiting } from '../queues.js';
import { manifestError } from './errors.js';
import { openQueueFile } from './queue-file.js';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS ticket (
    key TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    body TEXT,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_ms INTEGER NOT NULL DEFAULT 0,
    code TEXT,
    message TEXT
  );
  CREATE INDEX IF NOT EXISTS ticket_due ON ticket (due_ms) WHERE state = 'queued';
  CREATE TABLE IF NOT EXISTS nonce (nonce TEXT PRIMARY KEY, until_ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS nonce_until ON nonce (until_ms);
`;

interface StateRow {
  state: TicketState;
  code: string | null;
  message: string | null;
}

export class SqliteTicketQueue implements TicketQueue {
  readonly #db: Database.Database;
  readonly #file: string;

  /** @throws config, not-writable, disk-full */
  constructor(file: string) {
    this.#file = file;
    this.#db = openQueueFile(file, SCHEMA);
  }

  async add(tickets: Parameters<TicketQueue['add']>[0]): Promise<string[]> {
    const put = this.#db.prepare<[string, string, number, string]>(
      `INSERT INTO ticket (key, id, revision, body, state) VALUES (?, ?, ?, ?, 'queued')
       ON CONFLICT (key) DO UPDATE SET id = excluded.id, revision = excluded.revision, body = excluded.body,
         state = 'queued', attempts = 0, due_ms = 0, code = NULL, message = NULL
       WHERE excluded.revision > ticket.revision OR (excluded.revision = ticket.revision AND ticket.state <> 'done')`,
    );
    return this.#write(() =>
      tickets.flatMap(({ key, id, revision, body }) => (put.run(key, id, revision, body).changes > 0 ? [] : [id])),
    );
  }

  async due(nowMs: number, limit: number, without: ReadonlySet<string>): Promise<Waiting[]> {
    const rows = this.#db
      .prepare<[number], Waiting>(
        `SELECT key, id, body, attempts FROM ticket WHERE state = 'queued' AND due_ms <= ? ORDER BY due_ms, rowid`,
      )
      .iterate(nowMs);
    const found: Waiting[] = [];
    for (const row of rows) {
      if (found.length === limit) break;
      if (!without.has(row.key)) found.push(row);
    }
    return found;
  }

  async nextMs(): Promise<number | undefined> {
    const sql = `SELECT min(due_ms) AS ms FROM ticket WHERE state = 'queued'`;
    return this.#db.prepare<[], { ms: number | null }>(sql).get()?.ms ?? undefined;
  }

  async settle(results: readonly Settled[]): Promise<void> {
    const settle = this.#db.prepare('UPDATE ticket SET state = ?, body = NULL, code = ?, message = ? WHERE id = ?');
    this.#write(() => {
      for (const { id, state, fault } of results) settle.run(state, fault?.code ?? null, fault?.message ?? null, id);
    });
  }

  async delay(id: string, untilMs: number, { code, message }: Fault): Promise<void> {
    const sql = 'UPDATE ticket SET attempts = attempts + 1, due_ms = ?, code = ?, message = ? WHERE id = ?';
    this.#write(() => this.#db.prepare(sql).run(Math.round(untilMs), code, message, id));
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

  async count(state: TicketState): Promise<number> {
    const sql = 'SELECT count(*) AS n FROM ticket WHERE state = ?';
    return this.#db.prepare<[string], { n: number }>(sql).get(state)?.n ?? 0;
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

  #write<T>(work: () => T): T {
    try {
      return this.#db.transaction(work).immediate();
    } catch (error) {
      throw manifestError(error, this.#file);
    }
  }
}
