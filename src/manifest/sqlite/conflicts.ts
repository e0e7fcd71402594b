/** The conflicts of a mirror in a manifest's database. Tests: test/manifest/sqlite/conflicts.test.ts */
import type { Database, Statement } from 'better-sqlite3';
import type { ConflictRow, ConflictRows, Settled } from '../port.js';

/** Settled conflicts that are kept; about two megabytes. */
const KEPT = 10_000;

interface Stored extends Pick<ConflictRow, 'key' | 'foundMs' | 'seenMs'> {
  settledMs: number;
  winner: '' | 'source' | 'destination';
  keptAs: string | null;
  /** JSON. */
  sides: string;
}

const COLUMNS = `key, found_ms AS foundMs, seen_ms AS seenMs, settled_ms AS settledMs, winner, kept_as AS keptAs, sides`;

/** `run` performs a call and translates the errors of the database. */
export class SqliteConflicts implements ConflictRows {
  readonly #run: <T>(work: () => T) => T;
  readonly #open: Statement<[string], Stored>;
  readonly #list: Statement<[number], Stored>;
  readonly #countOpen: Statement<[], number>;
  readonly #put: Statement<[string, number, number, string]>;
  readonly #see: Statement<[number, string, string]>;
  readonly #settle: Statement<[number, string, string | null, string]>;
  readonly #settleUnseen: Statement<[number, number]>;
  readonly #prune: Statement<[number]>;

  constructor(db: Database, run: <T>(work: () => T) => T) {
    this.#run = run;
    this.#open = db.prepare(`SELECT ${COLUMNS} FROM conflict WHERE key = ? AND settled_ms = 0`);
    this.#list = db.prepare(`SELECT ${COLUMNS} FROM conflict ORDER BY settled_ms > 0, found_ms DESC, key LIMIT ?`);
    this.#countOpen = db.prepare<[], number>('SELECT count(*) FROM conflict WHERE settled_ms = 0').pluck();
    this.#put = db.prepare(
      "INSERT OR REPLACE INTO conflict (key, found_ms, seen_ms, settled_ms, winner, sides) VALUES (?, ?, ?, 0, '', ?)",
    );
    this.#see = db.prepare('UPDATE conflict SET seen_ms = ?, sides = ? WHERE key = ? AND settled_ms = 0');
    this.#settle = db.prepare(
      'UPDATE conflict SET settled_ms = ?, winner = ?, kept_as = ? WHERE key = ? AND settled_ms = 0',
    );
    this.#settleUnseen = db.prepare('UPDATE conflict SET settled_ms = ? WHERE settled_ms = 0 AND seen_ms < ?');
    this.#prune = db.prepare(
      `DELETE FROM conflict WHERE settled_ms > 0 AND found_ms <
       (SELECT found_ms FROM conflict WHERE settled_ms > 0 ORDER BY found_ms DESC LIMIT 1 OFFSET ?)`,
    );
  }

  note(key: string, sides: ConflictRow['sides'], atMs: number): void {
    const text = JSON.stringify(sides);
    this.#run(() => {
      if (this.#see.run(atMs, text, key).changes === 0) this.#put.run(key, atMs, atMs, text);
    });
  }

  settle(key: string, { winner, keptAs, atMs }: Settled): void {
    this.#run(() => {
      this.#settle.run(atMs, winner ?? '', keptAs ?? null, key);
      this.#prune.run(KEPT - 1);
    });
  }

  settleUnseen(sinceMs: number, atMs: number): void {
    this.#run(() => this.#settleUnseen.run(atMs, sinceMs));
  }

  open(key: string): ConflictRow | undefined {
    return this.#run(() => {
      const stored = this.#open.get(key);
      return stored && toRow(stored);
    });
  }

  countOpen(): number {
    return this.#run(() => this.#countOpen.get() ?? 0);
  }

  list(limit: number): ConflictRow[] {
    return this.#run(() => this.#list.all(limit).map(toRow));
  }
}

function toRow({ settledMs, winner, keptAs, sides, ...row }: Stored): ConflictRow {
  return {
    ...row,
    sides: JSON.parse(sides) as ConflictRow['sides'],
    ...(settledMs > 0 && { settledMs }),
    ...(winner !== '' && { winner }),
    ...(keptAs !== null && { keptAs }),
  };
}
